// The low-pass filter between two sample rates, as the core's table (assembly/resample.ts). In: two rates. Out: a windowed
// sinc, Kaiser's window (Oppenheim and Schafer, section 7.6): flat within 0.01 dB up to 0.45 of the lower rate, 85 dB and
// more down from 0.55 of it on, so that what folds stays above 0.45. Only +, -, *, / and square roots are used: the
// same table on every engine.

import { type MinimumPhase, minimumPhaseOf } from './minimumPhase.ts'
import { besselI0, sinPi } from './series.ts'

/** How far down images and aliases are meant to be; what rounding and interpolation leave is measured in the tests. */
const ATTENUATION_DB = 92
/** Of the lower rate, half below and half above its Nyquist frequency. */
const TRANSITION = 0.1
const BETA = 0.1102 * (ATTENUATION_DB - 8.7)
/** Samples of the lower rate on each side. */
const HALF = (ATTENUATION_DB - 7.95) / (14.36 * TRANSITION) / 2
/** Rows of a table at most; beyond, rows are interpolated between. */
const MAX_PHASES = 512
const INTERPOLATED_PHASES = 256
const HEADER_BYTES = 64

/** How both sides of a moment weigh: alike, or what was before alone, which is sooner there but bends phases. */
export const PHASES = ['linear', 'minimum'] as const
/** One of `PHASES`. */
export type FilterPhase = (typeof PHASES)[number]

export interface FilterShape {
  readonly phase: FilterPhase
  /** Samples for each output. */
  readonly taps: number
  /** Those after its moment: half of them, or few. */
  readonly ahead: number
  /** Outputs for so many `inputs`, without a common factor. */
  readonly outputs: number
  readonly inputs: number
  readonly phases: number
}

export function shapeFilter(inputRate: number, outputRate: number, phase: FilterPhase = 'linear'): FilterShape {
  const common = greatestCommonDivisor(inputRate, outputRate)
  const [outputs, inputs] = [outputRate / common, inputRate / common]
  const perLower = inputRate / Math.min(inputRate, outputRate)
  const phases = outputs > MAX_PHASES ? INTERPOLATED_PHASES : outputs
  if (phase === 'linear') {
    const taps = 4 * Math.ceil((2 * HALF * perLower) / 4)
    return { phase, taps, ahead: taps / 2, outputs, inputs, phases }
  }
  const { delay, length } = minimumPhase()
  const ahead = Math.ceil(delay * perLower)
  const taps = 4 * Math.ceil((ahead + (length - delay) * perLower + 1) / 4)
  return { phase, taps, ahead, outputs, inputs, phases }
}

/** Bytes of the block that the core reads. */
export function filterBytes({ taps, outputs, phases }: FilterShape): number {
  return HEADER_BYTES + 4 * taps * (phases === outputs ? phases : phases + 1)
}

export function writeFilter(shape: FilterShape, to: Uint8Array): void {
  const { taps, outputs, inputs, phases } = shape
  new Int32Array(to.buffer, to.byteOffset, 4).set([taps, outputs, inputs, phases])
  const rows = phases === outputs ? phases : phases + 1
  for (let row = 0; row < rows; row++) {
    const weights = weightsAt(shape, row / phases)
    new Float32Array(to.buffer, to.byteOffset + HEADER_BYTES + 4 * taps * row, taps).set(weights)
  }
}

/** (taps) for an output that lies `past` (0..1) of a sample after the last input that is not ahead. Their sum is 1. */
function weightsAt({ phase, taps, ahead, outputs, inputs }: FilterShape, past: number): Float64Array {
  const perLower = Math.max(1, inputs / outputs)
  const weights = new Float64Array(taps)
  let sum = 0
  for (let k = 0; k < taps; k++) {
    // of the output's moment after that of the input
    const time = past - (k - (taps - ahead) + 1)
    weights[k] = phase === 'linear' ? linearAt(time / perLower, taps / 2 / perLower) : minimumAt(time / perLower)
    sum += weights[k]
  }
  return weights.map((weight) => weight / sum)
}

/** Of the symmetrical filter, `time` in samples of the lower rate, 0 from `half` on. */
function linearAt(time: number, half: number): number {
  const x = time / half
  return sinc(time) * besselI0(BETA * Math.sqrt(Math.max(0, 1 - x * x)))
}

/** Of its twin, so placed that what is slow is in time. */
function minimumAt(time: number): number {
  const { delay, at } = minimumPhase()
  return at(time + delay)
}

function minimumPhase(): MinimumPhase {
  return minimumPhaseOf(Math.ceil(HALF), (time) => linearAt(time, Math.ceil(HALF)) / besselI0(BETA))
}

/** sin(pi x) / (pi x) */
function sinc(x: number): number {
  return x === 0 ? 1 : sinPi(x) / (Math.PI * x)
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
