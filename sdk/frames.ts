// From chunks of any length to hops and back. In: samples as they come, of one channel or several in step. Out: as many
// samples as are ready, aligned with the input: the first `lag` results belong before its beginning and are dropped, and
// after `drain` exactly inputs * outputHop / inputHop samples came out (rounded up). Nothing is allocated after creation.

import { isUsable } from './range.ts'
import { refuse, type SnapshotReader, type SnapshotWriter, type Stateful } from './snapshot.ts'

/** Share of a call that the last one of a hop needs for what follows the network: blending, resampling (bench/quanta.ts). */
const LAST_CALL = 0.4
const NO_LIMIT = Number.POSITIVE_INFINITY

/** What runs one hop of every channel. */
export interface HopRunner {
  /** `inputs`: (channels)(inputHop). `outputs`: (channels)(outputHop), to be filled. */
  run(inputs: readonly Float32Array[], outputs: readonly Float32Array[]): void
  /** Does so much (0..1) of the coming run of these inputs, so that `run` has less to do; asked for where hops are spread. */
  proceed?(inputs: readonly Float32Array[], share: number): void
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
  /** 0 (default) to a hop: a hop is run little by little while so many more samples come, and its result is given then. */
  readonly spreadSamples?: number
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
  #pending: readonly Float32Array[]
  /** (channels)(inputHop) the hop being run; the same where hops are not spread. */
  #running: readonly Float32Array[]
  /** (channels)(outputHop) the last result. */
  readonly #results: readonly Float32Array[]
  readonly #spread: number
  #filled = 0
  /** A hop has begun to run, and so much of it is done. */
  #isDue = false
  #done = 0
  #toDrop: number
  /** Since the beginning of the stream. */
  samplesIn = 0
  samplesOut = 0
  hops = 0

  constructor(shape: FrameShape, runner: HopRunner, channels = 1) {
    this.#shape = shape
    this.#runner = runner
    const planes = (length: number) => Array.from({ length: channels }, () => new Float32Array(length))
    this.#spread = shape.spreadSamples ?? 0
    this.#pending = planes(shape.inputHop)
    this.#running = this.#spread > 0 ? planes(shape.inputHop) : this.#pending
    this.#results = planes(shape.outputHop)
    this.#toDrop = shape.lagSamples
  }

  /** Holds nothing that is not garbage collected. */
  dispose(): void {}

  reset(): void {
    this.#filled = 0
    this.#isDue = false
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
    const begun = this.#isDue ? inputHop : 0
    const hops = Math.floor((begun + this.#filled + count - this.#spread) / inputHop)
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
      const end = this.#isDue ? this.#spread : inputHop
      const some = Math.min(end - this.#filled, count - taken)
      this.#fill(samples, taken, some, place)
      taken += some
      this.#filled += some
      this.samplesIn += some
      if (this.#isDue && this.#filled === this.#spread) this.#finish(out, place, this.samplesOut - before, NO_LIMIT)
      if (this.#filled < inputHop) continue
      this.#begin()
      if (this.#spread === 0) this.#finish(out, place, this.samplesOut - before, NO_LIMIT)
    }
    if (this.#isDue) this.#proceed(count)
    return this.samplesOut - before
  }

  /** The hop that is whole changes places with the one before. */
  #begin(): void {
    const whole = this.#pending
    this.#pending = this.#running
    this.#running = whole
    this.#filled = 0
    this.#isDue = true
    this.#done = 0
  }

  /** In calls of `count` samples until the result is due, an equal part of the work that is left in each, less in the last. */
  #proceed(count: number): void {
    const calls = 1 + Math.ceil((this.#spread - this.#filled) / count)
    this.#done += (1 - this.#done) / (calls - LAST_CALL)
    this.#runner.proceed?.(this.#running, this.#done)
  }

  #fill(samples: Float32Array, from: number, count: number, { first, stride }: Place): void {
    for (let c = 0; c < this.#pending.length; c++) {
      const pending = this.#pending[c]
      const end = this.#filled + count
      let at = first + c + from * stride
      if (stride === 1 && count === samples.length) pending.set(samples, this.#filled)
      else for (let i = this.#filled; i < end; i++, at += stride) pending[i] = samples[at]
      for (let i = this.#filled; i < end; i++) if (!isUsable(pending[i])) pending[i] = 0
    }
  }

  /** The rest of the stream: writes `pending` samples and returns their number. */
  drain(out: Float32Array, place: Place): number {
    const { zeroHops, lookaheadHops } = this.#shape
    const count = this.pending
    const end = this.samplesOut + count
    const finish = () => this.#finish(out, place, count - (end - this.samplesOut), end - this.samplesOut)
    const stepZeros = () => {
      for (const pending of this.#pending) pending.fill(0, this.#filled)
      this.#begin()
      finish()
    }
    if (this.#isDue) finish()
    if (this.#filled > 0) stepZeros()
    for (let hop = 0; hop < zeroHops; hop++) stepZeros()
    this.#runner.end()
    for (let hop = 0; hop < lookaheadHops; hop++) stepZeros()
    return count
  }

  /** The hop that has begun; `at` counts samples of a channel in `out`, at most `limit` are written. */
  #finish(out: Float32Array, { first, stride }: Place, at: number, limit: number): void {
    this.#runner.run(this.#running, this.#results)
    this.#isDue = false
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
