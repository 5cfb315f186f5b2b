// Short-time objective intelligibility, 0..1: (clean, enhanced), both (samples) at 16 kHz, aligned -> number.
// Taal, Hendriks, Heusdens, Jensen, "An algorithm for intelligibility prediction of time-frequency weighted
// noisy speech", IEEE TASLP 19(7), 2011. Equation numbers below are of that paper. NaN when under 30 active frames.
import { createFft } from '../fft.ts'
import { designLowpass, filterPolyphase } from '../resample.ts'

const RATE = 10000 // Hz, the rate the measure is defined at
const FRAME = 256 // 25.6 ms
const HOP = 128
const FFT = 512
const BANDS = 15 // one-third octaves
const LOWEST_HZ = 150 // centre of the lowest band
const SEGMENT = 30 // frames, 384 ms
const CLIP = 1 + 10 ** (15 / 20) // beta = -15 dB, eq. 3
const DYNAMIC_RANGE_DB = 40 // frames further below the loudest are silence
const EPS = 2 ** -52

/** 16 -> 10 kHz with the low-pass of the authors' MATLAB (and Octave) resample: 60 dB, transition a tenth of the cutoff. */
const to10k = (x: Float32Array): Float64Array => {
  const [up, down, attenuationDb] = [5, 8, 60]
  const cutoff = 1 / (2 * down)
  const half = Math.ceil((attenuationDb - 8) / ((28.714 * cutoff) / 10))
  return filterPolyphase(x, designLowpass(cutoff, half, attenuationDb), up, down)
}

/** Symmetric Hann without its zero ends, as the reference uses. */
const WINDOW = Float64Array.from(
  { length: FRAME },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (FRAME + 1)),
)

/** Windowed frames at 0, HOP, ... below `end`. */
const cutFrames = (x: Float64Array, end: number): Float64Array[] => {
  const frames: Float64Array[] = []
  for (let at = 0; at < end; at += HOP) frames.push(WINDOW.map((w, i) => w * x[at + i]))
  return frames
}

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((a, v) => a + v * v, 0))

const overlapAdd = (frames: readonly Float64Array[]): Float64Array => {
  const y = new Float64Array((frames.length - 1) * HOP + FRAME)
  for (const [t, frame] of frames.entries()) {
    for (let i = 0; i < FRAME; i++) y[t * HOP + i] += frame[i]
  }
  return y
}

/** Drops the frames in which the clean signal is silent, from both, and joins the rest (section II-A). */
const removeSilence = (clean: Float64Array, enhanced: Float64Array): [Float64Array, Float64Array] => {
  const end = clean.length - FRAME + 1
  const cleanFrames = cutFrames(clean, end)
  const levels = cleanFrames.map((f) => 20 * Math.log10(norm(f) + 1e-16))
  const threshold = levels.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - DYNAMIC_RANGE_DB
  const audible = (_: unknown, t: number): boolean => levels[t] > threshold
  return [overlapAdd(cleanFrames.filter(audible)), overlapAdd(cutFrames(enhanced, end).filter(audible))]
}

/** First and end bin of each one-third octave band: edges at the bins nearest to 2^(-+1/6) of the centre. */
const bandEdges = (): [first: number, end: number][] => {
  const nearestBin = (hz: number): number => Math.round((hz * FFT) / RATE)
  return Array.from({ length: BANDS }, (_, j) => [
    nearestBin(LOWEST_HZ * 2 ** ((2 * j - 1) / 6)),
    nearestBin(LOWEST_HZ * 2 ** ((2 * j + 1) / 6)),
  ])
}

/** Band magnitudes, eq. 1 -> (BANDS)(frames) */
const bandEnvelopes = (x: Float64Array): Float64Array[] => {
  const fft = createFft(FFT)
  const frames = cutFrames(x, x.length - FRAME)
  const envelopes = Array.from({ length: BANDS }, () => new Float64Array(frames.length))
  const edges = bandEdges()
  for (const [t, frame] of frames.entries()) {
    const re = new Float64Array(FFT)
    const im = new Float64Array(FFT)
    re.set(frame)
    fft.forward(re, im)
    for (const [j, [first, end]] of edges.entries()) {
      let power = 0
      for (let k = first; k < end; k++) power += re[k] * re[k] + im[k] * im[k]
      envelopes[j][t] = Math.sqrt(power)
    }
  }
  return envelopes
}

/** Correlation of one band over the SEGMENT frames before `end`, after level match and clipping, eqs. 3 to 5. */
const correlateSegment = (clean: Float64Array, enhanced: Float64Array, end: number): number => {
  const start = end - SEGMENT
  let cleanEnergy = 0
  let enhancedEnergy = 0
  for (let t = start; t < end; t++) {
    cleanEnergy += clean[t] * clean[t]
    enhancedEnergy += enhanced[t] * enhanced[t]
  }
  const gain = Math.sqrt(cleanEnergy) / (Math.sqrt(enhancedEnergy) + EPS)
  const clipped = (t: number): number => Math.min(enhanced[t] * gain, clean[t] * CLIP)
  let cleanMean = 0
  let clippedMean = 0
  for (let t = start; t < end; t++) {
    cleanMean += clean[t] / SEGMENT
    clippedMean += clipped(t) / SEGMENT
  }
  let [xx, yy, xy] = [0, 0, 0]
  for (let t = start; t < end; t++) {
    const x = clean[t] - cleanMean
    const y = clipped(t) - clippedMean
    xx += x * x
    yy += y * y
    xy += x * y
  }
  return xy / ((Math.sqrt(xx) + EPS) * (Math.sqrt(yy) + EPS))
}

export const measureStoi = (clean: Float32Array, enhanced: Float32Array): number => {
  if (clean.length !== enhanced.length)
    throw new Error(`LENGTH_MISMATCH: clean ${clean.length}, enhanced ${enhanced.length}; align and cut them first`)
  const [activeClean, activeEnhanced] = removeSilence(to10k(clean), to10k(enhanced))
  const [x, y] = [bandEnvelopes(activeClean), bandEnvelopes(activeEnhanced)]
  const frames = x[0].length
  if (frames < SEGMENT) return Number.NaN
  let sum = 0
  for (let end = SEGMENT; end <= frames; end++) {
    for (let j = 0; j < BANDS; j++) sum += correlateSegment(x[j], y[j], end)
  }
  return sum / (BANDS * (frames - SEGMENT + 1)) // eq. 6
}
