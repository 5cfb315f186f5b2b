// Log-spectral distance in dB within a band: (clean, enhanced), both (samples) at 16 kHz, aligned -> number.
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

const powerOf = ({ re, im }: Spectrum, k: number): number => re[k] * re[k] + im[k] * im[k]

const loudestPower = (frames: readonly Spectrum[]): number =>
  frames.reduce((most, frame) => frame.re.reduce((m, _, k) => Math.max(m, powerOf(frame, k)), most), 0)

export const measureLsd = (clean: Float32Array, enhanced: Float32Array, band: Band): number => {
  if (clean.length !== enhanced.length)
    throw new Error(`LENGTH_MISMATCH: clean ${clean.length}, enhanced ${enhanced.length}; align and cut them first`)
  const [x, y] = [analyse(clean, SIZE, HOP), analyse(enhanced, SIZE, HOP)]
  const floor = loudestPower(x) * 10 ** (FLOOR_DB / 10)
  if (floor === 0) return Number.NaN // silent clean clip: no scale to measure on
  const first = Math.round((band.fromHz * SIZE) / RATE)
  const end = Math.round((band.toHz * SIZE) / RATE)
  let sum = 0
  for (const [t, frame] of x.entries()) {
    let squares = 0
    for (let k = first; k < end; k++) {
      const ratio = Math.max(floor, powerOf(frame, k)) / Math.max(floor, powerOf(y[t], k))
      squares += (10 * Math.log10(ratio)) ** 2
    }
    sum += Math.sqrt(squares / (end - first))
  }
  return sum / x.length
}
