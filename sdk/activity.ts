// Is somebody speaking? In: per hop, the mean square of what went in and of what the network left of it. Out: 0..1.
// Three signs, each a soft step in dB: the network left much of the hop, what it left is not far below the loudest of the
// last seconds, and it can be heard at all. It rises with the hop and falls over RELEASE_MS, as words do.
// Held-out speech in noise at 0..20 dB: area under the ROC curve 0.936 with base, 0.897 with lite; above 0.5 are 85 % of the
// hops with speech and 12 % of those without (base, 2026-11; the values depend on how well a model mutes).

import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

/** Decibel at which a sign is worth one half, and how many lead to 0.73. */
const KEPT = { middleDb: -9, widthDb: 1.5 }
const BELOW_LOUDEST = { middleDb: -25, widthDb: 2 }
const AUDIBLE = { middleDb: -70, widthDb: 2 }
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
    const value = signOf(after, before, KEPT) * signOf(after, state[0], BELOW_LOUDEST) * signOf(after, 1, AUDIBLE)
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

/** A soft step over the ratio of two mean squares. */
function signOf(
  power: number,
  reference: number,
  { middleDb, widthDb }: { middleDb: number; widthDb: number },
): number {
  const db = 10 * Math.log10((power + SILENCE) / (reference + SILENCE))
  return 1 / (1 + Math.exp((middleDb - db) / widthDb))
}
