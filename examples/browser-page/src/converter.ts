// One rate to another for the simulated lines: a windowed sinc for each of the few positions that two rates have to one
// another. In: f32 samples, any number. Out: those that are ready. (The SDK's own resampling needs its WASM core; a phone line
// should not.)

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 16
/** Of the narrower band: what passes. */
const BAND = 0.92

export class Converter {
  /** For `up` outputs `down` inputs. */
  readonly #up: number
  readonly #down: number
  readonly #taps: number
  /** (up, taps) */
  readonly #filters: Float32Array
  /** (2 taps) the last inputs, twice, so that a window never wraps. */
  readonly #window: Float32Array
  #at = 0
  /** Position of the next output, in 1 / up of an input after the newest. */
  #phase = 0

  constructor(from: number, to: number) {
    const divisor = gcd(from, to)
    this.#up = to / divisor
    this.#down = from / divisor
    const cutoff = BAND * Math.min(1, to / from)
    this.#taps = 2 * Math.ceil(CROSSINGS / cutoff)
    this.#filters = design(this.#up, this.#taps, cutoff)
    this.#window = new Float32Array(2 * this.#taps)
  }

  /** Calls `take` with each output. */
  push(sample: number, take: (sample: number) => void): void {
    const taps = this.#taps
    this.#window[this.#at] = sample
    this.#window[this.#at + taps] = sample
    this.#at = (this.#at + 1) % taps
    for (; this.#phase < this.#up; this.#phase += this.#down) take(this.#output(this.#phase))
    this.#phase -= this.#up
  }

  #output(phase: number): number {
    const from = phase * this.#taps
    let sum = 0
    for (let i = 0; i < this.#taps; i++) sum += this.#filters[from + i] * this.#window[this.#at + i]
    return sum
  }
}

function design(up: number, taps: number, cutoff: number): Float32Array {
  const filters = new Float32Array(up * taps)
  for (let phase = 0; phase < up; phase++) {
    const filter = filters.subarray(phase * taps, (phase + 1) * taps)
    for (let i = 0; i < taps; i++) {
      const t = i - taps / 2 + 1 - phase / up
      filter[i] = sinc(cutoff * t) * Math.cos((Math.PI * t) / (taps + 2)) ** 2
    }
    const gain = filter.reduce((sum, x) => sum + x, 0)
    for (let i = 0; i < taps; i++) filter[i] /= gain
  }
  return filters
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
