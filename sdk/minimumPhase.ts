// A low-pass filter that answers as soon as its frequency response allows. In: nothing; it is made once, for all pairs of rates.
// Out: its impulse response at any time, in samples of the lower of two rates. From the linear-phase one (resampling.ts) by
// the real cepstrum (Oppenheim and Schafer, section 13.5): same response, all zeros inside the unit circle. On a grid of
// GRID points a sample, between which it is interpolated. Sums, products and series alone: the same on every engine.

import { Fourier } from './fourier.ts'
import { exp, ln, sinPi } from './series.ts'

/** Points per sample of the lower rate. */
const GRID = 8
/** Long enough that the cepstrum has faded. */
const SIZE = 16384
/** Added to the power response, so that its zeros have a logarithm: 115 dB down. */
const FLOOR = 10 ** (-115 / 10)
/** Points on each side that interpolation uses: the filter fills a seventh of the grid's band. */
const REACH = 12

export interface MinimumPhase {
  /** By how much slow signals are late, in samples of the lower rate. */
  readonly delay: number
  /** Samples of the lower rate until it has died down. */
  readonly length: number
  at(time: number): number
}

let made: MinimumPhase | undefined

/** `linear`: the linear-phase response at a time from -`half` to `half`, in samples of the lower rate. */
export function minimumPhaseOf(half: number, linear: (time: number) => number): MinimumPhase {
  made ??= design(half, linear)
  return made
}

function design(half: number, linear: (time: number) => number): MinimumPhase {
  const points = fold(Float64Array.from({ length: 2 * half * GRID + 1 }, (_, i) => linear(i / GRID - half) / GRID))
  let [sum, moment] = [0, 0]
  for (const [i, weight] of points.entries()) {
    sum += weight
    moment += i * weight
  }
  const at = (time: number) => interpolate(points, time * GRID)
  return { delay: moment / sum / GRID, length: points.length / GRID + REACH / GRID, at }
}

/** The minimum-phase response with the frequency response of `linear`, as many points. */
function fold(linear: Float64Array): Float64Array {
  const fourier = new Fourier(SIZE)
  const [re, im] = [new Float64Array(SIZE), new Float64Array(SIZE)]
  re.set(linear)
  fourier.transform(re, im)
  for (let k = 0; k < SIZE; k++) {
    re[k] = ln(re[k] * re[k] + im[k] * im[k] + FLOOR) / 2
    im[k] = 0
  }
  fourier.transform(im, re) // exchanged: back; the cepstrum, SIZE times
  for (let n = 0; n < SIZE; n++) {
    const share = n === 0 || n === SIZE / 2 ? 1 : n < SIZE / 2 ? 2 : 0
    re[n] *= share / SIZE
    im[n] = 0
  }
  fourier.transform(re, im)
  for (let k = 0; k < SIZE; k++) {
    const size = exp(re[k])
    const turns = im[k] / Math.PI
    re[k] = size * sinPi(turns + 0.5)
    im[k] = size * sinPi(turns)
  }
  fourier.transform(im, re)
  return re.subarray(0, linear.length).map((x) => x / SIZE)
}

/** Windowed sinc between points, 0 outside. */
function interpolate(points: Float64Array, place: number): number {
  const first = Math.floor(place) - REACH + 1
  let sum = 0
  for (let i = Math.max(0, first); i < Math.min(points.length, first + 2 * REACH); i++) {
    const distance = place - i
    const x = distance / REACH
    const sinc = distance === 0 ? 1 : sinPi(distance) / (Math.PI * distance)
    // cos^2 suffices: what it leaves lies where the filter has nothing
    const window = sinPi(0.5 + x / 2)
    sum += points[i] * sinc * window * window
  }
  return sum
}
