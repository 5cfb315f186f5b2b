// Running level of a signal. In: chunks of samples in -1..1. Out: RMS in dBFS over all of them, and the peak.

import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

const ENERGY = 0
const PEAK = 1

export class Level {
  /** [energy, peak]; an array, as V8 allocates for every number a field is given. */
  readonly #state = new Float64Array(2)
  #samples = 0

  /** Largest magnitude. */
  get peak(): number {
    return this.#state[PEAK]
  }

  /** The first `count` samples. Allocates nothing. */
  take(samples: Float32Array, count: number): void {
    let even = 0
    let odd = 0
    let peak = this.#state[PEAK]
    let i = 0
    // two at a time: a sum alone would wait for itself
    for (; i + 1 < count; i += 2) {
      const a = samples[i]
      const b = samples[i + 1]
      even += a * a
      odd += b * b
      if (a > peak) peak = a
      else if (-a > peak) peak = -a
      if (b > peak) peak = b
      else if (-b > peak) peak = -b
    }
    if (i < count) {
      const last = samples[i]
      even += last * last
      if (Math.abs(last) > peak) peak = Math.abs(last)
    }
    const energy = even + odd
    // one sample that is no number must not spoil the whole measurement
    if (Number.isFinite(energy)) this.#state[ENERGY] += energy
    this.#samples += count
    this.#state[PEAK] = peak
  }

  reset(): void {
    this.#state.fill(0)
    this.#samples = 0
  }

  save(to: SnapshotWriter): void {
    to.f64(this.#state[ENERGY])
    to.f64(this.#samples)
    to.f64(Math.min(this.peak, Number.MAX_VALUE)) // an infinite sample has an infinite peak
  }

  load(from: SnapshotReader): void {
    this.#state[ENERGY] = Math.max(0, from.f64('energy'))
    this.#samples = from.total('samples measured')
    this.#state[PEAK] = Math.max(0, from.f64('peak'))
  }

  /** -Infinity for silence. */
  get rmsDb(): number {
    return this.#samples === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(this.#state[ENERGY] / this.#samples)
  }
}
