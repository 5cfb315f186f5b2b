// Channels apart from one another, as Web Audio and most libraries keep them, and side by side, as files and devices do. In and
// out: one Float32Array for each channel, or one for all; buffers that grow once and are used again.

import { fail } from './errors.ts'
import { checkKind } from './kinds.ts'

export class Planes {
  readonly #channels: number
  /** (samples, channels) */
  #aside = new Float32Array(0)
  #made = new Float32Array(0)

  constructor(channels: number) {
    this.#channels = channels
  }

  /** All channels side by side; valid until the next call. Throws OPTION_INVALID. */
  join(planes: readonly Float32Array[]): Float32Array {
    const samples = this.#check('planes', planes)
    const length = samples * this.#channels
    // seldom: callers keep to one length
    if (this.#aside.length !== length) this.#aside = new Float32Array(length)
    for (let c = 0; c < this.#channels; c++)
      for (let i = 0, at = c; i < samples; i++, at += this.#channels) this.#aside[at] = planes[c][i]
    return this.#aside
  }

  /** Room for `length` values of all channels. */
  room(length: number): Float32Array {
    if (this.#made.length < length) this.#made = new Float32Array(length)
    return this.#made
  }

  /** New planes for `length` values of all channels. */
  open(length: number): Float32Array[] {
    return Array.from({ length: this.#channels }, () => new Float32Array(length / this.#channels))
  }

  /** Throws OPTION_INVALID where `planes` cannot take `length` values of all channels. */
  expectRoom(planes: readonly Float32Array[], length: number): void {
    const room = this.#check('out', planes)
    const each = length / this.#channels
    if (room < each) fail('OPTION_INVALID', 'out is too short', room, `give ${each} samples for each channel`)
  }

  /** The first `count` values of `samples` to the beginning of each plane. */
  split(samples: Float32Array, count: number, planes: readonly Float32Array[]): void {
    const channels = this.#channels
    for (let c = 0; c < channels; c++)
      for (let i = 0, at = c; at < count; i++, at += channels) planes[c][i] = samples[at]
  }

  /** Samples of each. */
  #check(what: string, planes: readonly Float32Array[]): number {
    if (!Array.isArray(planes) || planes.length !== this.#channels)
      fail('OPTION_INVALID', what, planes?.length, `give an array of ${this.#channels}, one for each channel`)
    const [first] = planes
    for (let c = 0; c < planes.length; c++) {
      checkKind(what, planes[c], 'samples', 'give Float32Arrays')
      if (planes[c].length !== first.length)
        fail('OPTION_INVALID', `${what} of unequal length`, planes[c].length, `give ${first.length} samples each`)
    }
    return first.length
  }
}
