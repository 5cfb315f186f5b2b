// How much of the noise is taken away. In: the hop as it went in, the hop as the network made it (lag samples later).
// Out: wet + a (dry - wet), dry delayed by the same lag: attenuation is bounded by 20 log10 a dB (`strengthDb`: -Infinity
// the network alone, 0 bypass at the same latency). A change fades linearly over one hop.

import { fail } from './errors.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

const NOW = 0
const NEXT = 1

export class Strength {
  /** (lag + hop) the last input samples, oldest first. */
  readonly #dry: Float32Array
  /** (lag) those of which the result is still to come: a view. */
  readonly #lag: Float32Array
  readonly #hop: number
  /** [now, after the coming hop]; an array, as V8 allocates for every number a field is given. */
  readonly #shares = new Float64Array(2)

  constructor(hop: number, lagSamples: number, strengthDb: number) {
    this.#dry = new Float32Array(lagSamples + hop)
    this.#lag = this.#dry.subarray(hop)
    this.#hop = hop
    this.#shares.fill(shareOf(strengthDb))
  }

  /** What went in, oldest first: the first hop is the one that the last result stems from. */
  get dry(): Float32Array {
    return this.#dry
  }

  set strengthDb(value: number) {
    this.#shares[NEXT] = shareOf(value)
  }

  reset(): void {
    this.#dry.fill(0)
    this.#shares[NOW] = this.#shares[NEXT]
  }

  /** `hops` hops of silence went by. */
  skip(hops: number): void {
    const samples = Math.min(hops * this.#hop, this.#dry.length)
    this.#dry.copyWithin(0, samples)
    this.#dry.fill(0, this.#dry.length - samples)
    this.#shares[NOW] = this.#shares[NEXT]
  }

  save(to: SnapshotWriter): void {
    to.f32s(this.#lag) // the hop before them has been heard
    for (const share of this.#shares) to.f64(share)
  }

  load(from: SnapshotReader): void {
    from.f32s(this.#lag)
    this.#shares[NOW] = from.share('share of the dry signal')
    this.#shares[NEXT] = from.share('share of the dry signal')
  }

  /** `dry`: (hop) input of this hop. `wet`: (hop) its result, changed in place. */
  blend(wet: Float32Array, dry: Float32Array): void {
    this.#dry.copyWithin(0, this.#hop)
    this.#dry.set(dry, this.#dry.length - this.#hop)
    const share = this.#shares[NOW]
    const target = this.#shares[NEXT]
    if (share === 0 && target === 0) return
    const step = (target - share) / this.#hop
    for (let i = 0; i < this.#hop; i++) {
      const now = i === this.#hop - 1 ? target : share + step * (i + 1)
      // exact at both ends: 0 leaves wet, 1 gives dry to the bit
      wet[i] = now === 1 ? this.#dry[i] : wet[i] + now * (this.#dry[i] - wet[i])
    }
    this.#shares[NOW] = target
  }
}

/** Amplitude of the dry part. */
export function shareOf(strengthDb: number): number {
  if (!(typeof strengthDb === 'number' && strengthDb <= 0))
    fail('OPTION_INVALID', 'strengthDb', strengthDb, 'use 0 (bypass) down to -Infinity (all the model does)')
  return 10 ** (strengthDb / 20)
}
