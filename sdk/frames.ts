// From chunks of any length to hops and back. In: samples as they come, of one channel or several in step. Out: as many
// samples as are ready, aligned with the input: the first `lag` results belong before its beginning and are dropped, and
// after `drain` exactly inputs * outputHop / inputHop samples came out (rounded up). Nothing is allocated after creation.

import { refuse, type SnapshotReader, type SnapshotWriter, type Stateful } from './snapshot.ts'

/** 96 dB above full scale. */
const LARGEST = 65536

/** What runs one hop of every channel. */
export interface HopRunner {
  /** `inputs`: (channels)(inputHop). `outputs`: (channels)(outputHop), to be filled. */
  run(inputs: readonly Float32Array[], outputs: readonly Float32Array[]): void
  /** The stream has ended with the hops run so far. */
  end(): void
}

/** Where channels lie in a buffer: sample i of channel c at first + c + i * stride. */
export interface Place {
  readonly first: number
  readonly stride: number
}

/** Lengths of one model, in samples and hops. */
export interface FrameShape {
  readonly inputHop: number
  readonly outputHop: number
  /** Results before the input's beginning. */
  readonly lagSamples: number
  /** Hops of zeros that follow the last input, then hops after the end was marked. */
  readonly zeroHops: number
  readonly lookaheadHops: number
}

/** Chunks in, samples out: at the model's rates (Frames) or any others (rated.ts). */
export interface Framing extends Stateful {
  /** Since the beginning of the stream. */
  readonly samplesIn: number
  readonly samplesOut: number
  readonly hops: number
  /** Samples that `drain` would give. */
  readonly pending: number
  readyAfter(count: number): number
  push(samples: Float32Array, count: number, out: Float32Array, place: Place): number
  drain(out: Float32Array, place: Place): number
  skip(hops: number): void
  reset(): void
  dispose(): void
  /** At the same place of the same stream as another channel? */
  isAbreast(other: Framing): boolean
}

export class Frames implements Framing {
  readonly #shape: FrameShape
  readonly #runner: HopRunner
  /** (channels)(inputHop) the hop being filled. */
  readonly #pending: readonly Float32Array[]
  /** (channels)(outputHop) the last result. */
  readonly #results: readonly Float32Array[]
  #filled = 0
  #toDrop: number
  /** Since the beginning of the stream. */
  samplesIn = 0
  samplesOut = 0
  hops = 0

  constructor(shape: FrameShape, runner: HopRunner, channels = 1) {
    this.#shape = shape
    this.#runner = runner
    this.#pending = Array.from({ length: channels }, () => new Float32Array(shape.inputHop))
    this.#results = Array.from({ length: channels }, () => new Float32Array(shape.outputHop))
    this.#toDrop = shape.lagSamples
  }

  /** Holds nothing that is not garbage collected. */
  dispose(): void {}

  reset(): void {
    this.#filled = 0
    this.#toDrop = this.#shape.lagSamples
    this.samplesIn = 0
    this.samplesOut = 0
    this.hops = 0
  }

  /**
   * `hops` hops pass between the last whole one and the one being filled: in unheard, out unheard. What is still to be
   * dropped for the lag is among them, unless whoever counts on both sides leaves the gap out (`isApart`).
   */
  skip(hops: number, isApart = false): void {
    const { inputHop, outputHop } = this.#shape
    const dropped = isApart ? 0 : Math.min(this.#toDrop, hops * outputHop)
    this.#toDrop -= dropped
    this.samplesIn += hops * inputHop
    this.samplesOut += hops * outputHop - dropped
    this.hops += hops
  }

  /** Results per channel that so many hops have given. */
  delivered(hops: number): number {
    const { outputHop, lagSamples } = this.#shape
    return hops * outputHop - (lagSamples - this.#toDrop)
  }

  save(to: SnapshotWriter): void {
    to.u32(this.#filled)
    for (const pending of this.#pending) to.f32s(pending.subarray(0, this.#filled))
    to.u32(this.#toDrop)
    for (const total of [this.samplesIn, this.samplesOut, this.hops]) to.f64(total)
  }

  load(from: SnapshotReader): void {
    const { inputHop, outputHop, lagSamples } = this.#shape
    this.#filled = from.count('samples of an open hop', inputHop - 1)
    for (const pending of this.#pending) from.f32s(pending.subarray(0, this.#filled))
    this.#toDrop = from.count('samples to drop', lagSamples)
    this.samplesIn = from.total('samples in')
    this.samplesOut = from.total('samples out')
    this.hops = from.total('hops')
    // three views of one position: `pending` follows from them
    if (this.samplesIn !== this.hops * inputHop + this.#filled) refuse('samples in', this.samplesIn)
    if (this.samplesOut !== this.hops * outputHop - (lagSamples - this.#toDrop)) refuse('samples out', this.samplesOut)
  }

  isAbreast(other: Framing): boolean {
    return this.samplesIn === other.samplesIn && this.samplesOut === other.samplesOut
  }

  /** Samples that come out when `count` more go in. */
  readyAfter(count: number): number {
    const { inputHop, outputHop } = this.#shape
    const hops = Math.floor((this.#filled + count) / inputHop)
    return Math.max(0, hops * outputHop - this.#toDrop)
  }

  /** Samples that `drain` would still give. */
  get pending(): number {
    const { inputHop, outputHop } = this.#shape
    return Math.ceil((this.samplesIn * outputHop) / inputHop) - this.samplesOut
  }

  /** Takes `count` samples of each channel, writes what is ready to the same place of `out`, returns how many. Allocates nothing. */
  push(samples: Float32Array, count: number, out: Float32Array, place: Place): number {
    const { inputHop } = this.#shape
    const before = this.samplesOut
    let taken = 0
    while (taken < count) {
      const some = Math.min(inputHop - this.#filled, count - taken)
      this.#fill(samples, taken, some, place)
      taken += some
      this.#filled += some
      this.samplesIn += some
      if (this.#filled === inputHop) this.#step(out, place, this.samplesOut - before, Number.POSITIVE_INFINITY)
    }
    return this.samplesOut - before
  }

  #fill(samples: Float32Array, from: number, count: number, { first, stride }: Place): void {
    for (let c = 0; c < this.#pending.length; c++) {
      const pending = this.#pending[c]
      let at = first + c + from * stride
      for (let i = 0; i < count; i++, at += stride) pending[this.#filled + i] = bounded(samples[at])
    }
  }

  /** The rest of the stream: writes `pending` samples and returns their number. */
  drain(out: Float32Array, place: Place): number {
    const { zeroHops, lookaheadHops } = this.#shape
    const count = this.pending
    const end = this.samplesOut + count
    const stepZeros = () => {
      for (const pending of this.#pending) pending.fill(0, this.#filled)
      this.#step(out, place, count - (end - this.samplesOut), end - this.samplesOut)
    }
    if (this.#filled > 0) stepZeros()
    for (let hop = 0; hop < zeroHops; hop++) stepZeros()
    this.#runner.end()
    for (let hop = 0; hop < lookaheadHops; hop++) stepZeros()
    return count
  }

  /** One hop; `at` counts samples of a channel in `out`, at most `limit` are written. */
  #step(out: Float32Array, { first, stride }: Place, at: number, limit: number): void {
    this.#runner.run(this.#pending, this.#results)
    this.#filled = 0
    this.hops++
    const { outputHop } = this.#shape
    const skip = Math.min(this.#toDrop, outputHop)
    const count = Math.min(outputHop - skip, limit)
    this.#toDrop -= skip
    for (let c = 0; c < this.#results.length; c++) {
      const result = this.#results[c]
      if (stride === 1 && count === outputHop) out.set(result, first + at)
      else for (let i = 0; i < count; i++) out[first + c + (at + i) * stride] = result[skip + i]
    }
    this.samplesOut += count
  }
}

/** What is no number would stay in the state for ever, and so would what overflows when squared. */
export function bounded(sample: number): number {
  if (sample >= -LARGEST && sample <= LARGEST) return sample
  return Number.isNaN(sample) ? 0 : Math.sign(sample) * LARGEST
}
