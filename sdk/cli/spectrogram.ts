// Short-time spectra for figures. In: samples. Out: (columns, bins) levels in dB, 0 dB a sine at full scale, Hann window
// of about 32 ms; long signals average a few windows per column.

export interface Spectrogram {
  readonly columns: number
  /** 0 Hz .. half the sample rate. */
  readonly bins: number
  /** (columns, bins) dB. */
  readonly levels: Float32Array
}

const WINDOW_SECONDS = 0.032
const WINDOWS_PER_COLUMN = 4
const FLOOR = 1e-12

export function measureSpectrogram(samples: Float32Array, sampleRate: number, columns: number): Spectrogram {
  const size = 2 ** Math.max(4, Math.round(Math.log2(WINDOW_SECONDS * sampleRate)))
  const bins = size / 2 + 1
  const window = Float64Array.from({ length: size }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / size) ** 2)
  const full = window.reduce((sum, value) => sum + value, 0) / 2
  const levels = new Float32Array(columns * bins)
  const power = new Float64Array(bins)
  const perColumn = Math.max(1, Math.min(WINDOWS_PER_COLUMN, Math.ceil(samples.length / columns / (size / 2))))
  for (let column = 0; column < columns; column++) {
    power.fill(0)
    for (let k = 0; k < perColumn; k++) {
      const centre = ((column + (k + 0.5) / perColumn) / columns) * samples.length
      addPower(samples, Math.round(centre - size / 2), window, power)
    }
    for (let bin = 0; bin < bins; bin++)
      levels[column * bins + bin] = 10 * Math.log10(power[bin] / perColumn / full ** 2 + FLOOR)
  }
  return { columns, bins, levels }
}

/** Adds |X|^2 of one windowed stretch; samples outside the signal are zero. */
function addPower(samples: Float32Array, from: number, window: Float64Array, power: Float64Array): void {
  const size = window.length
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  for (let i = 0; i < size; i++) re[i] = (samples[from + i] ?? 0) * window[i]
  transform(re, im)
  for (let bin = 0; bin < power.length; bin++) power[bin] += re[bin] ** 2 + im[bin] ** 2
}

/** Fourier transform in place, radix 2 (Cooley-Tukey). */
function transform(re: Float64Array, im: Float64Array): void {
  const size = re.length
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      ;[re[i], re[j]] = [re[j], re[i]]
      ;[im[i], im[j]] = [im[j], im[i]]
    }
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const c = Math.cos((Math.PI * k) / half)
      const s = -Math.sin((Math.PI * k) / half)
      for (let a = k; a < size; a += 2 * half) {
        const b = a + half
        const turnedRe = re[b] * c - im[b] * s
        const turnedIm = re[b] * s + im[b] * c
        re[b] = re[a] - turnedRe
        im[b] = im[a] - turnedIm
        re[a] += turnedRe
        im[a] += turnedIm
      }
    }
  }
}
