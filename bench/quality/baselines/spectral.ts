// Classic spectral subtraction: noisy (samples, 16 kHz) -> enhanced, same length and aligned.
// Power subtraction with over-subtraction and a floor (Berouti, Schwartz, Makhoul 1979); noise tracked by
// minimum statistics of the smoothed power (after Martin 2001, fixed bias), so it needs no silent start.
import { analyse, type Spectrum, synthesise } from '../stft.ts'
import type { System } from './system.ts'

const SIZE = 512 // 32 ms
const HOP = 256 // 16 ms
const MEMORY = 94 // frames, 1.5 s: longer than a syllable, so that speech does not count as noise
const SMOOTHING = 0.8
const BIAS = 2.27 // mean over running minimum of the power smoothed as above, measured on white noise
const FLOOR_GAIN = 0.1 // -20 dB, masks musical noise

/** Over-subtraction 4 at 0 dB frame SNR, 1 from 20 dB on (Berouti et al., eq. 4). */
export const overSubtraction = (snrDb: number): number => Math.min(4.75, Math.max(1, 4 - (3 / 20) * snrDb))

const powersOf = ({ re, im }: Spectrum): Float64Array => re.map((v, k) => v * v + im[k] * im[k])

/** Running minimum per bin over the last MEMORY smoothed frames, times the bias. -> (frames)(bins) */
const trackNoise = (powers: readonly Float64Array[]): Float64Array[] => {
  const smoothed: Float64Array[] = []
  return powers.map((power, t) => {
    const last = smoothed[t - 1]
    smoothed.push(last ? power.map((p, k) => SMOOTHING * last[k] + (1 - SMOOTHING) * p) : power)
    const recent = smoothed.slice(Math.max(0, t - MEMORY + 1))
    return power.map((_, k) => {
      let least = Number.POSITIVE_INFINITY
      for (const frame of recent) least = Math.min(least, frame[k])
      return BIAS * least
    })
  })
}

const sum = (x: Float64Array): number => x.reduce((a, b) => a + b, 0)

const attenuate = (frame: Spectrum, power: Float64Array, noise: Float64Array): Spectrum => {
  const snrDb = 10 * Math.log10((sum(power) + 1e-20) / (sum(noise) + 1e-20))
  const alpha = overSubtraction(snrDb)
  const gain = power.map((p, k) => Math.max(FLOOR_GAIN, Math.sqrt(Math.max(0, 1 - (alpha * noise[k]) / (p + 1e-20)))))
  return { re: frame.re.map((v, k) => v * gain[k]), im: frame.im.map((v, k) => v * gain[k]) }
}

export const subtractSpectrum = (x: Float32Array): Float32Array => {
  const frames = analyse(x, SIZE, HOP)
  const powers = frames.map(powersOf)
  const noise = trackNoise(powers)
  const cleaned = frames.map((frame, t) => attenuate(frame, powers[t], noise[t]))
  return synthesise(cleaned, SIZE, HOP, x.length)
}

export const spectral: System = { name: 'spectral subtraction', enhance: async (x) => subtractSpectrum(x) }
