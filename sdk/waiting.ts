// Input that waits, at the stream's own rate, until what the model made of it comes out. In: samples of the channels in step.
// Out: the sample of a moment. A ring; allocates nothing after creation.

import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

export class Waiting {
  readonly #channels: number
  readonly #frames: number
  /** (frames, channels) */
  readonly #ring: Float32Array

  /** `frames`: more are never between in and out. */
  constructor(channels: number, frames: number) {
    this.#channels = channels
    this.#frames = frames
    this.#ring = new Float32Array(frames * channels)
  }

  /** Sample `moment`, counted from the beginning of the stream. */
  put(channel: number, moment: number, sample: number): void {
    this.#ring[(moment % this.#frames) * this.#channels + channel] = sample
  }

  at(channel: number, moment: number): number {
    return this.#ring[(moment % this.#frames) * this.#channels + channel]
  }

  /** The first `count` of the moments `from` to `to` are lost: the rest moves up, silence follows. */
  lose(from: number, to: number, count: number): void {
    for (let c = 0; c < this.#channels; c++)
      for (let moment = from; moment < to; moment++)
        this.put(c, moment, moment + count < to ? this.at(c, moment + count) : 0)
  }

  /** The moments `from` to `to`. */
  save(to: SnapshotWriter, from: number, until: number): void {
    const values = new Float32Array((until - from) * this.#channels)
    for (let i = 0; i < values.length; i++)
      values[i] = this.at(i % this.#channels, from + Math.floor(i / this.#channels))
    to.f32s(values)
  }

  load(from: SnapshotReader, first: number, until: number): void {
    const values = new Float32Array((until - first) * this.#channels)
    from.f32s(values)
    for (const [i, value] of values.entries())
      this.put(i % this.#channels, first + Math.floor(i / this.#channels), value)
  }
}
