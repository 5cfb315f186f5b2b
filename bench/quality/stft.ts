// Centred short-time Fourier transform, sqrt-Hann windows on both sides (perfect reconstruction at hop = size / 2).
// x (samples) <-> frames of (bins) real and imaginary parts; frame t is centred on sample t * hop, edges are reflected,
// which is what torch.stft(center=True) does.
import { createFft } from './fft.ts'

export interface Spectrum {
  re: Float64Array // (bins = size / 2 + 1)
  im: Float64Array // (bins)
}

/** Periodic square-root Hann window. */
export const sqrtHann = (size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => Math.sqrt(0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size)))

const reflect = (at: number, length: number): number => {
  if (at < 0) return Math.min(-at, length - 1)
  return at < length ? at : Math.max(0, 2 * (length - 1) - at)
}

export const analyse = (x: Float32Array, size: number, hop: number): Spectrum[] => {
  const fft = createFft(size)
  const window = sqrtHann(size)
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  return Array.from({ length: Math.floor(x.length / hop) + 1 }, (_, t) => {
    const start = t * hop - size / 2
    for (let i = 0; i < size; i++) re[i] = window[i] * x[reflect(start + i, x.length)]
    im.fill(0)
    fft.forward(re, im)
    return { re: re.slice(0, size / 2 + 1), im: im.slice(0, size / 2 + 1) }
  })
}

/** Overlap-add of the inverse, divided by the summed squared window; -> (length) samples. */
export const synthesise = (frames: readonly Spectrum[], size: number, hop: number, length: number): Float32Array => {
  const fft = createFft(size)
  const window = sqrtHann(size)
  const sum = new Float64Array(length)
  const weight = new Float64Array(length)
  for (const [t, frame] of frames.entries()) {
    const re = new Float64Array(size)
    const im = new Float64Array(size)
    for (let k = 0; k <= size / 2; k++) {
      re[k] = frame.re[k]
      im[k] = frame.im[k]
      if (k === 0 || k === size / 2) continue
      re[size - k] = frame.re[k]
      im[size - k] = -frame.im[k]
    }
    fft.inverse(re, im)
    const start = t * hop - size / 2
    for (let i = Math.max(0, -start); i < size && start + i < length; i++) {
      sum[start + i] += window[i] * re[i]
      weight[start + i] += window[i] * window[i]
    }
  }
  return Float32Array.from(sum, (v, i) => (weight[i] > 1e-8 ? v / weight[i] : 0))
}
