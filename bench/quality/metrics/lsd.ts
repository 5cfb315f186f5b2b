// Log-spectral distance in dB within a band: (clean, enhanced), both (samples) at 16 kHz, aligned -> number per band.
// Per 32 ms frame the RMS over bins of the difference of the log powers, averaged over frames (Gray & Markel 1976);
// both spectra are floored 60 dB below the loudest bin of the clean clip, so that silence and absent bands count finitely.
import { analyse, type Spectrum } from '../stft.ts'

export interface Band {
  fromHz: number
  toHz: number
}

export const LOW_BAND: Band = { fromHz: 0, toHz: 2000 } // what a 4 kHz sensor transmits
export const HIGH_BAND: Band = { fromHz: 2000, toHz: 8000 } // what super-resolution has to invent

const RATE = 16000
const SIZE = 512
const HOP = 256
export const FLOOR_DB = -60

const powersOf = ({ re, im }: Spectrum): Float64Array => re.map((v, k) => v * v + im[k] * im[k])

const loudest = (frames: readonly Float64Array[]): number =>
  frames.reduce((most, powers) => powers.reduce((m, p) => Math.max(m, p), most), 0)

/** RMS over the bins of the difference of two floored log powers, dB. */
const compareFrames = (x: Float64Array, y: Float64Array, floor: number, first: number, end: number): number => {
  let squares = 0
  for (let k = first; k < end; k++) squares += (10 * Math.log10(Math.max(floor, x[k]) / Math.max(floor, y[k]))) ** 2
  return Math.sqrt(squares / (end - first))
}

/** One distance per band, from one pair of transforms. */
export const measureLsd = (clean: Float32Array, enhanced: Float32Array, bands: readonly Band[]): number[] => {
  if (clean.length !== enhanced.length)
    throw new Error(`LENGTH_MISMATCH: clean ${clean.length}, enhanced ${enhanced.length}; align and cut them first`)
  const x = analyse(clean, SIZE, HOP).map(powersOf)
  const y = analyse(enhanced, SIZE, HOP).map(powersOf)
  const floor = loudest(x) * 10 ** (FLOOR_DB / 10)
  if (floor === 0) return bands.map(() => Number.NaN) // silent clean clip: no scale to measure on
  return bands.map(({ fromHz, toHz }) => {
    const [first, end] = [fromHz, toHz].map((hz) => Math.round((hz * SIZE) / RATE))
    return x.reduce((sum, frame, t) => sum + compareFrames(frame, y[t], floor, first, end), 0) / x.length
  })
}
