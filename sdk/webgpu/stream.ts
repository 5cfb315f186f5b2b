// One stream of a pool, as its user holds it. In: samples of any number at the model's input rate. Out: as many at its output
// rate, in order and aligned with the input, once their hops were run (`DenoiserPool.hop`).

import { fail } from '../errors.ts'
import { checkKind } from '../kinds.ts'
import { Framing } from './framing.ts'
import type { DenoiserPool } from './pool.ts'

/** One stream of a pool. */
export class PoolStream {
  /** The stream sits out while true: its samples wait and its state stays. */
  masked = false
  /** @internal */
  framing: Framing
  /** @internal The state of a snapshot, until the stream's next hop. */
  incoming: Uint8Array | undefined
  /** @internal Its place in the backend, -1 when removed. */
  slot: number
  readonly #pool: DenoiserPool
  #ready: Float32Array[] = []
  #readyCount = 0
  #epoch = 0

  /** @internal Use `DenoiserPool.add`. */
  constructor(pool: DenoiserPool, slot: number) {
    this.#pool = pool
    this.slot = slot
    this.framing = new Framing(pool.model)
  }

  /** Takes samples, -1..1, any number; they are run by the pool's next hops. */
  write(samples: Float32Array): void {
    this.checkAlive()
    checkKind('samples', samples, 'samples')
    this.framing.write(samples)
  }

  /** Samples that `read` would give. */
  get readyCount(): number {
    return this.#readyCount
  }

  /** All samples that are ready; the result is the caller's. */
  read(): Float32Array {
    const all = new Float32Array(this.#readyCount)
    let at = 0
    for (const piece of this.#ready) {
      all.set(piece, at)
      at += piece.length
    }
    this.#ready = []
    this.#readyCount = 0
    return all
  }

  /**
   * The input ends here: the next hops bring out what is still inside, so that N samples in give N samples out (times the
   * ratio of the rates). Then the stream is new and takes samples again.
   */
  end(): void {
    this.checkAlive()
    this.framing.finish()
  }

  /** Whether nothing is left to run: no whole hop waits, and no end is being drained. */
  get isIdle(): boolean {
    return !this.framing.isDue
  }

  /** The next sample is the first of a stream. What was not read is gone. */
  reset(): void {
    this.checkAlive()
    this.framing.reset()
    this.incoming = undefined
    this.#pool.begin(this.slot)
    this.forget()
  }

  /**
   * The stream as bytes, when all hops under way are done: state and samples that wait, not what was not read. `add` of a
   * pool of the same model takes it up, on whichever backend.
   */
  snapshot(): Promise<Uint8Array> {
    this.checkAlive()
    return this.#pool.freeze(this)
  }

  /** Takes up the stream that `snapshot` froze. STATE_INVALID where it does not fit; the stream is then what it was. */
  restore(snapshot: Uint8Array): void {
    this.checkAlive()
    this.#pool.thaw(this, snapshot)
  }

  /** Ends the stream at once and frees its place. */
  remove(): void {
    if (this.slot < 0) return
    this.#pool.release(this)
    this.forget()
  }

  /** @internal Results of hops that were submitted before it belong to what the stream was. */
  get epoch(): number {
    return this.#epoch
  }

  /** @internal */
  forget(): void {
    this.#ready = []
    this.#readyCount = 0
    this.#epoch++
  }

  /** @internal */
  deliver(samples: Float32Array): void {
    this.#ready.push(samples)
    this.#readyCount += samples.length
  }

  /** @internal */
  checkAlive(): void {
    if (this.slot < 0) fail('DISPOSED', 'stream', 'removed', 'add another to the pool')
  }
}
