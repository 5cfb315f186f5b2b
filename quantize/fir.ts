// A short FIR in place of an SSM with one input and one output. In: the full system, a rival that it must not be worse
// than, and recorded or white input. Out: the fewest taps, first tap first, y[t] = sum_k g[k] u[t-k], that err no more;
// the gain at rest is kept exactly. Least squares over the recorded input, with a white share as in calibration.ts.

import { Matrix, solve } from 'ml-matrix'
import { correctAtRest, meanPower, type Recording, stateAtRest, WHITE_SHARE } from './calibration.ts'
import { gainAtRest, impulseResponse, type LinearSystem } from './discretise.ts'
import { visitStates } from './recurrence.ts'

const MAX_TAPS = 64
/** Steps of the impulse response looked at where there is no recording: longer ones are no case for a FIR. */
const RESPONSE = 1024

/** Sums that least squares needs, for any number of taps up to a limit. */
interface Moments {
  /** (most, most): products of the input i and j steps ago */
  readonly normal: Matrix
  /** Correlation of the output with the input so many steps ago. */
  readonly cross: Float64Array
  readonly gain: number
  /** Error energy of taps. */
  readonly judge: (taps: Float64Array) => number
}

export function countFirMacs(taps: Float64Array): number {
  return taps.length
}

export function fitFir(
  full: LinearSystem,
  rival: LinearSystem,
  limit: number,
  recording: Recording | undefined,
): Float64Array | undefined {
  const most = Math.min(limit, MAX_TAPS)
  if (most < 1 || (recording && recording.positions !== 1)) return undefined
  const wanted = impulse(full)
  const white = measureWhite(wanted, most)
  const recorded = recording && measureRecorded(full, recording, most)
  const share = recording ? WHITE_SHARE * meanPower(recording.input) * recording.input.length : 1
  const gain = gainAtRest(full)[0] + (full.D?.[0] ?? 0)
  const moments: Moments = {
    normal: recorded ? Matrix.eye(most).mul(share).add(recorded.normal) : Matrix.eye(most).mul(share),
    cross: white.cross.map((value, k) => share * value + (recorded?.cross[k] ?? 0)),
    gain,
    judge: (taps) => share * white.judge(taps) + (recorded?.judge(taps) ?? 0),
  }
  const allowed =
    share * differ(wanted, impulse(rival)) + (recording ? differ(recorded!.wanted, respond(rival, recording)) : 0)
  return fewestTaps(moments, most, allowed)
}

function fewestTaps(moments: Moments, most: number, allowed: number): Float64Array | undefined {
  const fits = (count: number) => {
    const taps = fit(moments, count)
    return moments.judge(taps) <= allowed ? taps : undefined
  }
  let best = fits(most)
  if (!best) return undefined
  let [low, high] = [0, most]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    const found = fits(middle)
    if (found) {
      best = found
      high = middle
    } else low = middle
  }
  return best
}

function fit({ normal: whole, cross, gain }: Moments, count: number): Float64Array {
  const normal = whole.subMatrix(0, count - 1, 0, count - 1)
  const taps = solve(normal, Matrix.columnVector([...cross.subarray(0, count)]))
  const ones = Array<number>(count).fill(1)
  return Float64Array.from(correctAtRest(normal, taps, ones, Float64Array.of(gain)).to1DArray())
}

function impulse(system: LinearSystem): Float64Array {
  const response = Float64Array.from(impulseResponse(system, RESPONSE), (h) => h[0])
  response[0] += system.D?.[0] ?? 0
  return response
}

/** White input of unit variance: the response itself is the correlation. */
function measureWhite(wanted: Float64Array, most: number) {
  return {
    cross: wanted.slice(0, most),
    judge: (taps: Float64Array) => wanted.reduce((sum, value, k) => sum + (value - (taps[k] ?? 0)) ** 2, 0),
  }
}

/** Sums over the recording, as deviations from rest; before its start the input is zero, that is minus its mean. */
function measureRecorded(full: LinearSystem, recording: Recording, most: number) {
  const { input, mean } = recording
  const padded = new Float64Array(most - 1 + input.length).fill(-mean[0])
  padded.set(input, most - 1)
  const wanted = respond(full, recording)
  const ago = (t: number, k: number) => padded[t + most - 1 - k]
  const normal = Matrix.zeros(most, most)
  const cross = new Float64Array(most)
  for (let k = 0; k < most; k++) {
    let sum = 0
    for (let t = 0; t < input.length; t++) {
      sum += input[t] * ago(t, k)
      cross[k] += wanted[t] * ago(t, k)
    }
    normal.set(0, k, sum)
    normal.set(k, 0, sum)
  }
  // one step further back: one product enters at the start and one leaves at the end
  const end = input.length - 1
  for (let i = 1; i < most; i++) {
    for (let j = 1; j < most; j++)
      normal.set(i, j, normal.get(i - 1, j - 1) + ago(0, i) * ago(0, j) - ago(end, i - 1) * ago(end, j - 1))
  }
  const judge = (taps: Float64Array) => {
    let error = 0
    for (let t = 0; t < input.length; t++) {
      let rest = wanted[t]
      for (let k = 0; k < taps.length; k++) rest -= taps[k] * ago(t, k)
      error += rest * rest
    }
    return error
  }
  return { normal, cross, judge, wanted }
}

/** Deviations of the output of a system with one input and output. */
function respond(system: LinearSystem, { input, mean }: Recording): Float64Array {
  const { order, C, D } = system
  const initial = stateAtRest(system, mean).map((value) => -value)
  const out = new Float64Array(input.length)
  visitStates(
    system,
    input,
    1,
    (states, first, rows) => {
      for (let r = 0; r < rows; r++) {
        let sum = (D?.[0] ?? 0) * input[first + r]
        const at = r * 2 * order
        for (let n = 0; n < order; n++) sum += C.re[n] * states[at + n] - C.im[n] * states[at + order + n]
        out[first + r] = sum
      }
    },
    initial,
  )
  return out
}

function differ(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0)
}
