// Complex FFT of a power-of-two length, in place on separate real and imaginary parts (Cooley-Tukey, radix 2).
// float64 throughout: this is for measuring, where accuracy counts and speed does not.

export interface Fft {
  size: number
  /** exp(-j...) transform of (re, im), unscaled. */
  forward(re: Float64Array, im: Float64Array): void
  /** Inverse, scaled by 1 / size. */
  inverse(re: Float64Array, im: Float64Array): void
}

const bitReversal = (size: number): Uint32Array => {
  const bits = Math.log2(size)
  return Uint32Array.from({ length: size }, (_, i) => {
    let reversed = 0
    for (let b = 0; b < bits; b++) reversed |= ((i >> b) & 1) << (bits - 1 - b)
    return reversed
  })
}

const permute = (x: Float64Array, order: Uint32Array): void => {
  for (let i = 0; i < order.length; i++) {
    const j = order[i]
    if (j <= i) continue
    const t = x[i]
    x[i] = x[j]
    x[j] = t
  }
}

export const createFft = (size: number): Fft => {
  if (size < 2 || !Number.isInteger(Math.log2(size))) throw new Error(`FFT_SIZE: ${size}; use a power of two`)
  const order = bitReversal(size)
  const cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size))
  const sin = Float64Array.from({ length: size / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / size))

  const forward = (re: Float64Array, im: Float64Array): void => {
    permute(re, order)
    permute(im, order)
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half)
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const wr = cos[k * stride]
          const wi = -sin[k * stride]
          const a = start + k
          const b = a + half
          const tr = re[b] * wr - im[b] * wi
          const ti = re[b] * wi + im[b] * wr
          re[b] = re[a] - tr
          im[b] = im[a] - ti
          re[a] += tr
          im[a] += ti
        }
      }
    }
  }

  const inverse = (re: Float64Array, im: Float64Array): void => {
    forward(im, re) // swapping the parts conjugates the transform
    for (let i = 0; i < size; i++) {
      re[i] /= size
      im[i] /= size
    }
  }

  return { size, forward, inverse }
}
