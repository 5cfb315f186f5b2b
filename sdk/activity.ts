// Is somebody speaking? In: per hop, the mean square of what went in and of what the network left of it. Out: 0..1.
// Three signs, each a soft step in dB: the network left much of the hop, what it left is not far below the loudest of the
// last seconds, and it can be heard at all. It rises with the hop and falls over RELEASE_MS, as words do.
// Held-out speech in noise at 0..20 dB: area under the ROC curve 0.936 with base, 0.897 with lite; above 0.5 are 85 % of the
// hops with speech and 12 % of those without (base, 2026-11; the values depend on how well a model mutes).

import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

/** Of the three signs (kept, below the loudest, audible): dB at which one is worth one half, and how many lead to 0.73. */
const MIDDLE_DB = [-9, -25, -70]
const WIDTH_DB = [1.5, 2, 2]
/** The loudest is forgotten by so much. */
const FORGET_DB_PER_SECOND = 2
const RELEASE_MS = 60
const SILENCE = 1e-14

/** Places in an array of measurements. */
export const BEFORE = 0
export const AFTER = 1

export class Activity {
  readonly #forget: number
  readonly #release: number
  /** [mean square of the loudest hop, value]; in an array, as V8 allocates for every number a field is given. */
  readonly #state = Float64Array.of(SILENCE, 0)
  /** Mean squares that a hop is compared with: before the network, the loudest, full scale. */
  readonly #references = Float64Array.of(0, 0, 1)

  constructor(hopMs: number) {
    this.#forget = 10 ** ((-FORGET_DB_PER_SECOND * hopMs) / 10000)
    this.#release = Math.exp(-hopMs / RELEASE_MS)
  }

  /** `measured`: mean squares of the same hop at BEFORE and AFTER the network. */
  take(measured: Float64Array): void {
    const state = this.#state
    const before = measured[BEFORE]
    const after = measured[AFTER]
    state[0] = Math.max(after, state[0] * this.#forget, SILENCE)
    const references = this.#references
    references[0] = before
    references[1] = state[0]
    let value = 1
    // each a soft step over the ratio of two mean squares; no function, as V8 allocates for every number one returns
    for (let i = 0; i < references.length; i++) {
      const db = 10 * Math.log10((after + SILENCE) / (references[i] + SILENCE))
      value *= 1 / (1 + Math.exp((MIDDLE_DB[i] - db) / WIDTH_DB[i]))
    }
    state[1] = Math.max(value, state[1] * this.#release)
  }

  /** Of the last hop. */
  get value(): number {
    return this.#state[1]
  }

  reset(): void {
    this.#state.set([SILENCE, 0])
  }

  save(to: SnapshotWriter): void {
    to.f64(this.#state[0])
    to.f64(this.#state[1])
  }

  load(from: SnapshotReader): void {
    this.#state[0] = Math.max(SILENCE, from.f64('loudest hop'))
    this.#state[1] = from.share('voice activity')
  }
}
