// Running level of a signal. In: chunks of samples in -1..1. Out: RMS in dBFS over all of them, and the peak.

import { isUsable, LARGEST } from './range.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

const ENERGY = 0
const PEAK = 1

export class Level {
  /** [energy, peak]; an array, as V8 allocates for every number that a field or a function is given. */
  readonly #state = new Float64Array(2)
  #samples = 0

  /** Largest magnitude. */
  get peak(): number {
    return this.#state[PEAK]
  }

  /** The first `count` samples; what is none counts as the silence that is heard in its place (range.ts). Allocates nothing. */
  take(samples: Float32Array, count: number): void {
    // nearly always all are samples: they are asked one by one only where their sum or their peak says that some are not
    if (!this.#takeUsable(samples, count)) this.#takeEach(samples, count)
    this.#samples += count
  }

  /** Takes all or, where any is no sample, nothing; returns which. */
  #takeUsable(samples: Float32Array, count: number): boolean {
    let even = 0
    let odd = 0
    // the square of an f32 is exact in f64, and so is its root: one comparison where two by sign would be
    let top = 0
    let i = 0
    // two sums, as one alone would wait for itself; four at a time, as counting costs as much as a square
    for (; i + 3 < count; i += 4) {
      const a = samples[i] * samples[i]
      const b = samples[i + 1] * samples[i + 1]
      const c = samples[i + 2] * samples[i + 2]
      const d = samples[i + 3] * samples[i + 3]
      even += a
      odd += b
      even += c
      odd += d
      if (a > top) top = a
      if (b > top) top = b
      if (c > top) top = c
      if (d > top) top = d
    }
    for (; i < count; i++) {
      const a = samples[i] * samples[i]
      if (i % 2 === 0) even += a
      else odd += a
      if (a > top) top = a
    }
    const energy = even + odd
    if (!(top <= LARGEST * LARGEST && energy >= 0)) return false
    const state = this.#state
    state[ENERGY] += energy
    state[PEAK] = Math.max(state[PEAK], Math.sqrt(top))
    return true
  }

  #takeEach(samples: Float32Array, count: number): void {
    const state = this.#state
    for (let i = 0; i < count; i++) {
      if (!isUsable(samples[i])) continue
      state[ENERGY] += samples[i] * samples[i]
      state[PEAK] = Math.max(state[PEAK], Math.abs(samples[i]))
    }
  }

  reset(): void {
    this.#state.fill(0)
    this.#samples = 0
  }

  save(to: SnapshotWriter): void {
    to.f64(this.#state[ENERGY])
    to.f64(this.#samples)
    to.f64(this.peak)
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
