// What an SSM sees in practice. In: a system and its recorded input (T steps of P positions). Out: the covariance of its
// states for that input, which weights the balancing towards signals that occur (Enns 1984), and a readout fitted to
// the recorded output. Both look at deviations from the mean input: what the mean itself gives is kept exactly. A share
// of white input keeps both honest about what was not recorded.

import { Matrix, solve } from 'ml-matrix'
import { type ComplexArray, gainAtRest, type LinearSystem, oneMinusExp } from './discretise.ts'
import { fail } from './errors.ts'
import { reachability, type Square } from './hankel.ts'
import { multiplyRows } from './product.ts'
import { visitStates } from './recurrence.ts'

/** The input and output of one SSM over the calibration audio. */
export interface Recording {
  readonly positions: number
  /** (T, positions, inputs): deviations from `mean` */
  readonly input: Float32Array
  /** The system reduced takes its input a step late. */
  readonly late: boolean
  /** (T, positions, outputs), what x[t] reads out, without D; whole, not deviations */
  readonly output: Float32Array
  /** (inputs) */
  readonly mean: Float64Array
}

/** Share of white input, relative to the recorded power. */
export const WHITE_SHARE = 0.01
/** States looked at, spread over the recording: enough for a covariance of 512. */
const SAMPLES = 3000

/** (2N, 2N): covariance of (Re x, Im x) over the recording, and the white share. */
export function recordedReachability(system: LinearSystem, recording: Recording): Square {
  const n = 2 * system.order
  const sampled = sampleStates(system, recording)
  const data = new Float64Array(n * n)
  multiplyRows(sampled.states, sampled.states, data, { rows: n, K: sampled.count, d: n })
  const white = reachability(system).data
  const share = WHITE_SHARE * meanPower(recording.input)
  for (let i = 0; i < n * n; i++) data[i] = data[i] / sampled.count + share * white[i]
  return { size: n, data }
}

interface Sampled {
  readonly count: number
  /** (2N, count) */
  readonly states: Float64Array
  /** (count): rows of the recording they belong to */
  readonly rows: Int32Array
}

/** States at an even choice of steps and positions; few positions in full rather than all in part. */
function sampleStates(system: LinearSystem, recording: Recording, initial?: Float64Array): Sampled {
  const { positions, mean } = recording
  const { inputs, order } = system
  const input = recording.late ? delay(recording.input, positions, mean) : recording.input
  const steps = input.length / (positions * inputs)
  const chosen = Math.min(positions, Math.max(1, Math.ceil(SAMPLES / steps)))
  const places = Array.from({ length: chosen }, (_, k) => Math.floor(((k + 0.5) * positions) / chosen))
  const every = Math.max(1, Math.floor((steps * chosen) / SAMPLES))
  const picked: number[] = []
  for (let t = 0; t < steps; t++)
    for (let k = 0; k < chosen; k++) if ((t + k) % every === 0) picked.push(t * chosen + k)
  const [n, count] = [2 * order, picked.length]
  const states = new Float64Array(n * count)
  let at = 0
  visitStates(
    system,
    takePositions(input, steps, positions, inputs, places),
    chosen,
    (block, first, rows) => {
      for (; at < count && picked[at] < first + rows; at++) {
        const from = (picked[at] - first) * n
        for (let i = 0; i < n; i++) states[i * count + at] = block[from + i]
      }
    },
    initial,
  )
  const rows = Int32Array.from(picked, (row) => Math.floor(row / chosen) * positions + places[row % chosen])
  return { count, states, rows }
}

/** Before the start the input is zero, that is minus its mean. */
function delay(input: Float32Array, positions: number, mean: Float64Array): Float32Array {
  const step = positions * mean.length
  const out = new Float32Array(input.length)
  for (let i = 0; i < step; i++) out[i] = -mean[i % mean.length]
  out.set(input.subarray(0, input.length - step), step)
  return out
}

/** (steps, places, inputs) of (steps, positions, inputs). */
function takePositions(
  input: Float32Array,
  steps: number,
  positions: number,
  inputs: number,
  places: number[],
): Float32Array {
  if (places.length === positions) return input
  const out = new Float32Array(steps * places.length * inputs)
  for (let t = 0; t < steps; t++) {
    for (const [k, p] of places.entries()) {
      const from = (t * positions + p) * inputs
      out.set(input.subarray(from, from + inputs), (t * places.length + k) * inputs)
    }
  }
  return out
}

export function meanPower(signal: Float32Array): number {
  let sum = 0
  for (const value of signal) sum += value * value
  return sum / Math.max(1, signal.length)
}

/** Sums for a least-squares readout of recorded output from states. */
export interface Moments {
  /** Coordinates of (Re x, Im x) that take part. */
  readonly live: number[]
  /** (live, live) and (live, outputs), the white share included. */
  readonly normal: Matrix
  readonly wanted: Matrix
  /** Where those coordinates settle under the mean input, and what must then come out. */
  readonly rest: number[]
  readonly settled: Float64Array
  /** Energy of the output's deviations. */
  readonly energy: number
  /** (2N): root mean square over the recording, mean included. */
  readonly rms: Float64Array
}

/** Moments of the states of `system` with the recorded output of `full`; `real` leaves the imaginary parts out. */
export function measureMoments(full: LinearSystem, system: LinearSystem, recording: Recording, real = false): Moments {
  const { order: N, outputs } = system
  const { mean, output, input } = recording
  const atRest = stateAtRest(system, mean)
  // deviations start where the mean would already have settled: the network starts from nothing
  const { count, states, rows } = sampleStates(
    system,
    recording,
    atRest.map((value) => -value),
  )
  const settled = multiplyGain(full, mean)
  const targets = new Float64Array(outputs * count)
  for (let k = 0; k < count; k++)
    for (let d = 0; d < outputs; d++) targets[d * count + k] = output[rows[k] * outputs + d] - settled[d]
  const live = liveStates(system).filter((i) => !real || i < N)
  const gathered = new Float64Array(live.length * count)
  for (const [k, i] of live.entries()) gathered.set(states.subarray(i * count, (i + 1) * count), k * count)
  const normal = crossProduct(gathered, gathered, live.length, live.length, count)
  const wanted = crossProduct(gathered, targets, live.length, outputs, count)
  const energy = targets.reduce((sum, value) => sum + value * value, 0)
  addWhite(normal, wanted, full, system, live, WHITE_SHARE * meanPower(input) * count)
  return { live, normal, wanted, rest: live.map((i) => atRest[i]), settled, energy, rms: rmsOf(states, atRest, count) }
}

function rmsOf(states: Float64Array, rest: Float64Array, count: number): Float64Array {
  return rest.map((value, i) => {
    let sum = 0
    for (let k = i * count; k < (i + 1) * count; k++) sum += states[k] ** 2
    return Math.sqrt(sum / count + value ** 2)
  })
}

/**
 * The reduced system with C fitted: least squares of the recorded output on its own states, plus the white share, for
 * which both sides are known in closed form, under the condition that the mean input gives exactly what the full
 * system makes of it. Every state is scaled to unit RMS over the recording. `real`: C has no imaginary part.
 */
export function refitReadout(
  full: LinearSystem,
  reduced: LinearSystem,
  recording: Recording,
  real = false,
): LinearSystem {
  const { live, normal, wanted, rest, settled, rms } = measureMoments(full, reduced, recording, real)
  const fitted = solveAtRest(normal, wanted, rest, settled)
  return scaleStates({ ...reduced, C: readoutOf(fitted, live, reduced.order, reduced.outputs) }, rms)
}

/** C of fitted coefficients: y = Re C Re x - Im C Im x. */
function readoutOf(fitted: Matrix, live: number[], N: number, outputs: number): ComplexArray {
  const C: ComplexArray = { re: new Float64Array(outputs * N), im: new Float64Array(outputs * N) }
  for (const [k, i] of live.entries()) {
    for (let d = 0; d < outputs; d++) {
      if (i < N) C.re[d * N + i] = fitted.get(k, d)
      else C.im[d * N + i - N] = -fitted.get(k, d)
    }
  }
  return C
}

/** Coordinates that move at all: real states have no imaginary part. */
function liveStates({ order: N, inputs, angle, B }: LinearSystem): number[] {
  const hasImaginary = (n: number) => {
    for (let c = 0; c < inputs; c++) if (B.im[n * inputs + c] !== 0) return true
    return false
  }
  return [...Array(2 * N).keys()].filter((i) => i < N || angle[i - N] % Math.PI !== 0 || hasImaginary(i - N))
}

/** (rows, columns) of a (rows, count) b (columns, count)^T. */
function crossProduct(a: Float64Array, b: Float64Array, rows: number, columns: number, count: number): Matrix {
  const out = new Float64Array(rows * columns)
  multiplyRows(a, b, out, { rows, K: count, d: columns })
  return Matrix.from1DArray(rows, columns, out)
}

/** Every state divided by its size; (2N) of real and imaginary parts. */
function scaleStates(system: LinearSystem, rms: Float64Array): LinearSystem {
  const { order: N, inputs } = system
  const sizes = Float64Array.from({ length: N }, (_, n) => Math.hypot(rms[n], rms[N + n]) || 1)
  return {
    ...system,
    B: mapParts(system.B, (value, at) => value / sizes[Math.floor(at / inputs)]),
    C: mapParts(system.C, (value, at) => value * sizes[at % N]),
  }
}

function mapParts({ re, im }: ComplexArray, change: (value: number, at: number) => number): ComplexArray {
  return { re: re.map(change), im: im.map(change) }
}

/** Any system with every state scaled to unit RMS over the recording; real matrices stay real. */
export function scaleToRecording(system: LinearSystem, recording: Recording): LinearSystem {
  const { count, states } = sampleStates(system, recording)
  return scaleStates(system, rmsOf(states, stateAtRest(system, recording.mean), count))
}

/** What `weight` samples of white input of unit variance would add to the normal equations. */
function addWhite(
  normal: Matrix,
  wanted: Matrix,
  full: LinearSystem,
  reduced: LinearSystem,
  live: number[],
  weight: number,
): void {
  const { outputs } = reduced
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
      wanted.set(k, d, wanted.get(k, d) + weight * sum)
    }
  }
}

/** X (k, outputs) with normal X = wanted as nearly as rest^T X = settled allows. */
function solveAtRest(normal: Matrix, wanted: Matrix, rest: number[], settled: Float64Array): Matrix {
  steady(normal)
  return correctAtRest(normal, solve(normal, wanted), rest, settled)
}

/** Keeps a nearly singular matrix solvable. */
function steady(normal: Matrix): void {
  for (let i = 0; i < normal.rows; i++) normal.set(i, i, normal.get(i, i) * (1 + 1e-9) + 1e-30)
}

/** The least change of X, in the norm of `normal`, that gives rest^T X = settled; none where `rest` is zero. */
export function correctAtRest(normal: Matrix, X: Matrix, rest: number[], settled: Float64Array): Matrix {
  const direction = solve(normal, Matrix.columnVector(rest))
  const strength = rest.reduce((sum, value, i) => sum + value * direction.get(i, 0), 0)
  if (!(strength > 0)) return X
  for (let d = 0; d < X.columns; d++) {
    const held = rest.reduce((sum, value, i) => sum + value * X.get(i, d), 0)
    const step = (settled[d] - held) / strength
    for (let i = 0; i < X.rows; i++) X.set(i, d, X.get(i, d) + step * direction.get(i, 0))
  }
  return X
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

/** (2N): where the states settle under a constant input (inputs). */
export function stateAtRest({ order: N, inputs, decay, angle, B }: LinearSystem, input: Float64Array): Float64Array {
  const state = new Float64Array(2 * N)
  for (let n = 0; n < N; n++) {
    let [bre, bim] = [0, 0]
    for (let c = 0; c < inputs; c++) {
      bre += B.re[n * inputs + c] * input[c]
      bim += B.im[n * inputs + c] * input[c]
    }
    const [re, im] = quotient(bre, bim, oneMinusExp(-decay[n], angle[n]))
    state[n] = re
    state[N + n] = im
  }
  return state
}

/** What the states read out under a constant input, (outputs). */
function multiplyGain(system: LinearSystem, input: Float64Array): Float64Array {
  const gain = gainAtRest(system)
  return Float64Array.from({ length: system.outputs }, (_, d) =>
    input.reduce((sum, value, c) => sum + gain[d * system.inputs + c] * value, 0),
  )
}

/**
 * The reduced system with C corrected so that it answers a constant input (inputs) exactly as the full one: biases enter
 * at every step. The least change for white input.
 */
export function matchRest(full: LinearSystem, reduced: LinearSystem, input: Float64Array): LinearSystem {
  const { order: N, outputs, C } = reduced
  const live = liveStates(reduced)
  const { size, data } = reachability(reduced)
  const normal = Matrix.zeros(live.length, live.length)
  for (const [k, i] of live.entries()) for (const [l, j] of live.entries()) normal.set(k, l, data[i * size + j])
  const held = Matrix.zeros(live.length, outputs)
  for (const [k, i] of live.entries())
    for (let d = 0; d < outputs; d++) held.set(k, d, i < N ? C.re[d * N + i] : -C.im[d * N + i - N])
  const rest = stateAtRest(reduced, input)
  steady(normal)
  const fitted = correctAtRest(
    normal,
    held,
    live.map((i) => rest[i]),
    multiplyGain(full, input),
  )
  return { ...reduced, C: readoutOf(fitted, live, N, outputs) }
}

/** Mean of each channel of (rows, channels). */
export function meanOfChannels(signal: Float32Array, channels: number): Float64Array {
  const mean = new Float64Array(channels)
  for (let i = 0; i < signal.length; i++) mean[i % channels] += signal[i]
  return mean.map((sum) => (sum * channels) / Math.max(1, signal.length))
}

export function checkCalibration(samples: Float32Array): void {
  const broken = samples.findIndex((value) => !Number.isFinite(value))
  if (broken >= 0)
    fail('AUDIO_INVALID', `calibration audio at sample ${broken}`, samples[broken], 'give it finite samples')
  if (!(meanPower(samples) > 1e-12))
    fail('AUDIO_INVALID', 'calibration audio is silent: mean power', meanPower(samples), 'give it noisy speech')
}
