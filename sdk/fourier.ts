// The discrete Fourier transform of a power of two, in place, radix 2 (Cooley and Tukey 1965). In and out: real and imaginary
// parts. Allocates nothing after creation; its angles come from a series, so the numbers are the same on every engine.

import { sinPi } from './series.ts'

export class Fourier {
  readonly size: number
  /** (size / 2) of e^(-2 pi i k / size). */
  readonly #cos: Float64Array
  readonly #sin: Float64Array
  /** (size) where each value goes first: its index with the bits turned round. */
  readonly #places: Uint32Array

  constructor(size: number) {
    const bits = Math.log2(size)
    this.size = size
    this.#cos = Float64Array.from({ length: size / 2 }, (_, k) => sinPi(0.5 - (2 * k) / size))
    this.#sin = Float64Array.from({ length: size / 2 }, (_, k) => -sinPi((2 * k) / size))
    this.#places = Uint32Array.from({ length: size }, (_, i) => turned(i, bits))
  }

  /** X[k] = sum of x[n] e^(-2 pi i k n / size). For the way back exchange `re` and `im` and divide by `size`. */
  transform(re: Float64Array, im: Float64Array): void {
    for (let i = 0; i < this.size; i++) {
      const j = this.#places[i]
      if (j <= i) continue
      const a = re[i]
      const b = im[i]
      re[i] = re[j]
      im[i] = im[j]
      re[j] = a
      im[j] = b
    }
    for (let half = 1; half < this.size; half *= 2) this.#merge(re, im, half)
  }

  /** Pairs of transforms of `half` values each to one of twice as many. */
  #merge(re: Float64Array, im: Float64Array, half: number): void {
    const stride = this.size / 2 / half
    for (let k = 0, at = 0; k < half; k++, at += stride) {
      const c = this.#cos[at]
      const s = this.#sin[at]
      for (let i = k; i < this.size; i += 2 * half) {
        const j = i + half
        const a = c * re[j] - s * im[j]
        const b = c * im[j] + s * re[j]
        re[j] = re[i] - a
        im[j] = im[i] - b
        re[i] += a
        im[i] += b
      }
    }
  }
}

function turned(value: number, bits: number): number {
  let turn = 0
  for (let bit = 0; bit < bits; bit++) if (value & (1 << bit)) turn |= 1 << (bits - 1 - bit)
  return turn
}
