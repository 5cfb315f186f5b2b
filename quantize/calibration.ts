// What an SSM sees in practice. In: a system and its recorded input (T steps of P positions). Out: the covariance of its
// states for that input, which weights the balancing towards signals that occur (Enns 1984), and a readout fitted to
// the recorded output. A share of white input keeps both honest about what was not recorded.

import { Matrix, solve } from 'ml-matrix'
import { type ComplexArray, gainAtRest, type LinearSystem, oneMinusExp } from './discretise.ts'
import { fail } from './errors.ts'
import { reachability, type Square } from './hankel.ts'

/** The recorded input and output of one SSM. */
export interface Recording {
  readonly positions: number
  /** (T, positions, inputs) */
  readonly input: Float32Array
  /** (T, positions, outputs), without D */
  readonly output: Float32Array
}

/** Share of white input, relative to the recorded power. */
const WHITE_SHARE = 0.01
/** States looked at, spread over the recording: enough for a covariance of 512. */
const SAMPLES = 3000

/** (2N, 2N): covariance of (Re x, Im x) over the recording, and the white share. */
export function recordedReachability(system: LinearSystem, { input, positions }: Recording): Square {
  const n = 2 * system.order
  const sum = new Float64Array(n * n)
  let count = 0
  visitStates(system, input, positions, (state) => {
    count++
    for (let i = 0; i < n; i++) {
      const a = state[i]
      if (a !== 0) for (let j = 0; j <= i; j++) sum[i * n + j] += a * state[j]
    }
  })
  const white = reachability(system).data
  const share = WHITE_SHARE * meanPower(input)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) sum[i * n + j] = sum[j * n + i] = sum[i * n + j] / count + share * white[i * n + j]
  }
  return { size: n, data: sum }
}

/** Calls `visit` with (Re x, Im x) and the row it belongs to, for an even choice of steps and positions. */
function visitStates(
  { order: N, inputs, decay, angle, B }: LinearSystem,
  input: Float32Array,
  positions: number,
  visit: (state: Float64Array, row: number) => void,
): void {
  const steps = input.length / (positions * inputs)
  const [re, im] = [
    decay.map((d, n) => Math.exp(-d) * Math.cos(angle[n])),
    decay.map((d, n) => Math.exp(-d) * Math.sin(angle[n])),
  ]
  const complex = B.im.some((value) => value !== 0)
  const state = new Float64Array(2 * N)
  // few positions in full rather than all in part: a state needs its whole past
  const chosen = Math.min(positions, Math.max(1, Math.ceil(SAMPLES / steps)))
  const every = Math.max(1, Math.floor((steps * chosen) / SAMPLES))
  for (let k = 0; k < chosen; k++) {
    const p = Math.floor(((k + 0.5) * positions) / chosen)
    state.fill(0)
    for (let t = 0; t < steps; t++) {
      const row = t * positions + p
      for (let n = 0; n < N; n++) {
        let bre = 0
        let bim = 0
        for (let c = 0; c < inputs; c++) bre += B.re[n * inputs + c] * input[row * inputs + c]
        if (complex) for (let c = 0; c < inputs; c++) bim += B.im[n * inputs + c] * input[row * inputs + c]
        const [a, b] = [state[n], state[N + n]]
        state[n] = re[n] * a - im[n] * b + bre
        state[N + n] = im[n] * a + re[n] * b + bim
      }
      if ((t + k) % every === 0) visit(state, row)
    }
  }
}

export function meanPower(signal: Float32Array): number {
  let sum = 0
  for (const value of signal) sum += value * value
  return sum / Math.max(1, signal.length)
}

/**
 * The reduced system with C (and D where it has one) refitted: least squares of the recorded output on its own states,
 * plus the white share, for which both sides are known in closed form.
 */
export function refitReadout(
  full: LinearSystem,
  reduced: LinearSystem,
  { input, output, positions }: Recording,
): LinearSystem {
  const { order: N, inputs, outputs } = reduced
  const live = [...Array(2 * N).keys()].filter(
    (i) => i < N || reduced.angle[i - N] % Math.PI !== 0 || hasImaginary(reduced.B, i - N, inputs),
  )
  const direct = reduced.D && inputs === 1 ? 1 : 0
  const width = live.length + direct
  const normal = Matrix.zeros(width, width)
  const target = Matrix.zeros(width, outputs)
  const regressors = new Float64Array(width)
  let count = 0
  visitStates(reduced, input, positions, (state, row) => {
    count++
    for (let i = 0; i < live.length; i++) regressors[i] = state[live[i]]
    if (direct) regressors[live.length] = input[row]
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) normal.set(i, j, normal.get(i, j) + regressors[i] * regressors[j])
      for (let d = 0; d < outputs; d++) target.set(i, d, target.get(i, d) + regressors[i] * output[row * outputs + d])
    }
  })
  addWhite(normal, target, full, reduced, live, direct, WHITE_SHARE * meanPower(input) * count)
  for (let i = 0; i < width; i++) normal.set(i, i, normal.get(i, i) * (1 + 1e-9) + 1e-30)
  const fitted = solve(normal, target)
  const C: ComplexArray = { re: new Float64Array(outputs * N), im: new Float64Array(outputs * N) }
  for (const [k, i] of live.entries()) {
    for (let d = 0; d < outputs; d++) {
      if (i < N) C.re[d * N + i] = fitted.get(k, d)
      else C.im[d * N + i - N] = -fitted.get(k, d)
    }
  }
  const D = direct ? Float64Array.of(fitted.get(live.length, 0)) : reduced.D
  return { ...reduced, C, D }
}

function hasImaginary({ im }: ComplexArray, n: number, inputs: number): boolean {
  for (let c = 0; c < inputs; c++) if (im[n * inputs + c] !== 0) return true
  return false
}

/** What `weight` samples of white input of unit variance would add to the normal equations. */
function addWhite(
  normal: Matrix,
  target: Matrix,
  full: LinearSystem,
  reduced: LinearSystem,
  live: number[],
  direct: number,
  weight: number,
): void {
  const { order: N, inputs, outputs } = reduced
  const own = crossCovariance(reduced, reduced)
  const cross = crossCovariance(full, reduced)
  for (const [k, i] of live.entries()) {
    for (const [l, j] of live.entries()) normal.set(k, l, normal.get(k, l) + weight * own.get(i, j))
    for (let d = 0; d < outputs; d++) {
      let sum = 0
      for (let n = 0; n < full.order; n++) {
        sum +=
          full.C.re[d * full.order + n] * cross.get(n, i) - full.C.im[d * full.order + n] * cross.get(full.order + n, i)
      }
      target.set(k, d, target.get(k, d) + weight * sum)
    }
    if (!direct) continue
    const b = i < N ? reduced.B.re[i] : reduced.B.im[i - N]
    normal.set(k, live.length, normal.get(k, live.length) + weight * b)
    normal.set(live.length, k, normal.get(live.length, k) + weight * b)
  }
  if (!direct) return
  const last = live.length
  normal.set(last, last, normal.get(last, last) + weight)
  let first = 0
  for (let n = 0; n < full.order; n++)
    first += full.C.re[n] * full.B.re[n * inputs] - full.C.im[n] * full.B.im[n * inputs]
  target.set(last, 0, target.get(last, 0) + weight * first)
}

/** E[(Re x, Im x) (Re z, Im z)^T] of two systems driven by one white input, (2N, 2M). */
function crossCovariance(a: LinearSystem, b: LinearSystem): Matrix {
  const [N, M, inputs] = [a.order, b.order, a.inputs]
  const out = Matrix.zeros(2 * N, 2 * M)
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < M; j++) {
      let rr = 0
      let ii = 0
      let ri = 0
      let ir = 0
      for (let k = 0; k < inputs; k++) {
        rr += a.B.re[i * inputs + k] * b.B.re[j * inputs + k]
        ii += a.B.im[i * inputs + k] * b.B.im[j * inputs + k]
        ri += a.B.re[i * inputs + k] * b.B.im[j * inputs + k]
        ir += a.B.im[i * inputs + k] * b.B.re[j * inputs + k]
      }
      const decay = -a.decay[i] - b.decay[j]
      const [sre, sim] = quotient(rr + ii, ir - ri, oneMinusExp(decay, a.angle[i] - b.angle[j]))
      const [tre, tim] = quotient(rr - ii, ir + ri, oneMinusExp(decay, a.angle[i] + b.angle[j]))
      out.set(i, j, (sre + tre) / 2)
      out.set(N + i, M + j, (sre - tre) / 2)
      out.set(i, M + j, (tim - sim) / 2)
      out.set(N + i, j, (tim + sim) / 2)
    }
  }
  return out
}

function quotient(a: number, b: number, [c, d]: [number, number]): [number, number] {
  const size = c * c + d * d
  return [(a * c + b * d) / size, (b * c - a * d) / size]
}

/**
 * The reduced system with C corrected so that it answers a constant input `rest` (inputs) exactly as the full one:
 * biases enter at every step. The smallest change of C, states taken as of equal size.
 */
export function matchRest(full: LinearSystem, reduced: LinearSystem, rest: Float64Array): LinearSystem {
  const { order: N, inputs, outputs, decay, angle, B } = reduced
  if (rest.every((value) => value === 0)) return reduced
  const state = new Float64Array(2 * N)
  for (let n = 0; n < N; n++) {
    let [bre, bim] = [0, 0]
    for (let c = 0; c < inputs; c++) {
      bre += B.re[n * inputs + c] * rest[c]
      bim += B.im[n * inputs + c] * rest[c]
    }
    const [re, im] = quotient(bre, bim, oneMinusExp(-decay[n], angle[n]))
    state[n] = re
    state[N + n] = im
  }
  const size = state.reduce((sum, value) => sum + value * value, 0)
  if (!(size > 0)) return reduced
  const [wanted, held] = [gainAtRest(full), gainAtRest(reduced)]
  const C = { re: reduced.C.re.slice(), im: reduced.C.im.slice() }
  for (let d = 0; d < outputs; d++) {
    let miss = 0
    for (let c = 0; c < inputs; c++) miss += (wanted[d * inputs + c] - held[d * inputs + c]) * rest[c]
    // what D adds beyond the full system's own
    if (inputs === 1 && reduced.D) miss += ((full.D?.[d] ?? 0) - reduced.D[d]) * rest[0]
    for (let n = 0; n < N; n++) {
      C.re[d * N + n] += (miss * state[n]) / size
      C.im[d * N + n] -= (miss * state[N + n]) / size
    }
  }
  return { ...reduced, C }
}

/** Mean of each input channel over the recording. */
export function meanInput({ input }: Recording, inputs: number): Float64Array {
  const mean = new Float64Array(inputs)
  for (let i = 0; i < input.length; i++) mean[i % inputs] += input[i]
  return mean.map((sum) => (sum * inputs) / Math.max(1, input.length))
}

export function checkCalibration(samples: Float32Array): void {
  const broken = samples.findIndex((value) => !Number.isFinite(value))
  if (broken >= 0)
    fail('AUDIO_INVALID', `calibration audio at sample ${broken}`, samples[broken], 'give it finite samples')
  if (!(meanPower(samples) > 1e-12))
    fail('AUDIO_INVALID', 'calibration audio is silent: mean power', meanPower(samples), 'give it noisy speech')
}
