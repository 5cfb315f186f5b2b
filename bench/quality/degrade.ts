// Degraded versions of clean 16 kHz speech, same length and aligned: band-limited as a 8 or 4 kHz recording brought back
// to 16 kHz by sinc interpolation (super-resolution starts there), and quantised to 4 bits (de-quantisation starts there).
// Tasks of the aTENNuate paper, arXiv 2409.03377.
import { peak } from './level.ts'
import { resample } from './resample.ts'
import { SAMPLE_RATE } from './sources.ts'

const MU = 255 // G.711's constant

/** What remains when the clip passes through `sampleRate` Hz: nothing above half of it. */
export const limitBand = (clean: Float32Array, sampleRate: number): Float32Array =>
  resample(resample(clean, SAMPLE_RATE, sampleRate), sampleRate, SAMPLE_RATE).subarray(0, clean.length)

/** mu-law curve [-1, 1] -> [-1, 1] and back (ITU-T G.711, continuous form). */
export const compress = (v: number): number => (Math.sign(v) * Math.log1p(MU * Math.abs(v))) / Math.log1p(MU)
export const expand = (v: number): number => (Math.sign(v) * Math.expm1(Math.abs(v) * Math.log1p(MU))) / MU

/** Mid-rise: 2^bits levels, none of them zero; -> the centre of v's cell in [-1, 1]. */
export const quantiseUniform = (v: number, bits: number): number => {
  const levels = 2 ** bits
  const cell = Math.min(levels - 1, Math.max(0, Math.floor(((v + 1) / 2) * levels)))
  return (2 * (cell + 0.5)) / levels - 1
}

/** mu-law 4-bit with the clip's peak at full scale (unscaled, speech at -26 dBFS would hardly leave the first cell). */
export const quantise4Bit = (clean: Float32Array): Float32Array => {
  const full = peak(clean)
  return full === 0 ? clean.slice() : clean.map((v) => full * expand(quantiseUniform(compress(v / full), 4)))
}
