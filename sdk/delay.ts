// A delay of whole samples. In and out: hops of one length, in place.

import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

export class Delay {
  /** (samples + hop) oldest first. */
  readonly #line: Float32Array
  readonly #samples: number

  constructor(samples: number, hop: number) {
    this.#line = new Float32Array(samples + hop)
    this.#samples = samples
  }

  /** `hop` goes in and is replaced by what went in `samples` before. Allocates nothing. */
  pass(hop: Float32Array): void {
    if (this.#samples === 0) return
    this.#line.copyWithin(0, hop.length)
    this.#line.set(hop, this.#samples)
    for (let i = 0; i < hop.length; i++) hop[i] = this.#line[i]
  }

  reset(): void {
    this.#line.fill(0)
  }

  save(to: SnapshotWriter): void {
    if (this.#samples > 0) to.f32s(this.#line)
  }

  load(from: SnapshotReader): void {
    if (this.#samples > 0) from.f32s(this.#line)
  }
}
