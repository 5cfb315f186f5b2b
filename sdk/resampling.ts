// The low-pass filter between two sample rates, as the core's table (assembly/resample.ts). In: two rates. Out: a windowed
// sinc, Kaiser's window (Oppenheim and Schafer, section 7.6): flat within 0.01 dB up to 0.45 of the lower rate, 85 dB and
// more down from 0.55 of it on, so that what folds stays above 0.45. Only +, -, *, / and square roots are used: the
// same table on every engine.

import { besselI0, sinPi } from './series.ts'

/** How far down images and aliases are meant to be; what rounding and interpolation leave is measured in the tests. */
const ATTENUATION_DB = 92
/** Of the lower rate, half below and half above its Nyquist frequency. */
const TRANSITION = 0.1
/** Rows of a table at most; beyond, rows are interpolated between. */
const MAX_PHASES = 512
const INTERPOLATED_PHASES = 256
const HEADER_BYTES = 64

export interface FilterShape {
  /** Samples for each output: an equal number before and after its moment, an even one each. */
  readonly taps: number
  /** Outputs for so many `inputs`, without a common factor. */
  readonly outputs: number
  readonly inputs: number
  readonly phases: number
}

export function shapeFilter(inputRate: number, outputRate: number): FilterShape {
  const common = greatestCommonDivisor(inputRate, outputRate)
  const [outputs, inputs] = [outputRate / common, inputRate / common]
  const lower = Math.min(inputRate, outputRate) / inputRate
  const length = (ATTENUATION_DB - 7.95) / (14.36 * TRANSITION * lower)
  const taps = 4 * Math.ceil(length / 4)
  return { taps, outputs, inputs, phases: outputs > MAX_PHASES ? INTERPOLATED_PHASES : outputs }
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

/** (taps) for an output that lies `past` (0..1) of a sample after the middle pair's first. Their sum is 1. */
function weightsAt({ taps, outputs, inputs }: FilterShape, past: number): Float64Array {
  const half = taps / 2
  const band = Math.min(1, outputs / inputs)
  const beta = 0.1102 * (ATTENUATION_DB - 8.7)
  const weights = new Float64Array(taps)
  let sum = 0
  for (let k = 0; k < taps; k++) {
    const time = k - half + 1 - past
    const x = time / half
    const window = besselI0(beta * Math.sqrt(Math.max(0, 1 - x * x)))
    weights[k] = sinc(band * time) * window
    sum += weights[k]
  }
  return weights.map((weight) => weight / sum)
}

/** sin(pi x) / (pi x) */
function sinc(x: number): number {
  return x === 0 ? 1 : sinPi(x) / (Math.PI * x)
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
