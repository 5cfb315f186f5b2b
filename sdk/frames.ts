// From chunks of any length to hops and back. In: samples as they come. Out: as many samples as are ready, aligned with
// the input: the first `lag` results belong before its beginning and are dropped, and after `drain` exactly
// inputs * outputHop / inputHop samples came out (rounded up). Nothing is allocated after creation.

import { refuse, type SnapshotReader, type SnapshotWriter, type Stateful } from './snapshot.ts'

/** 96 dB above full scale. */
const LARGEST = 65536

/** What runs one hop. The views may be replaced whenever memory grew, so they are asked for each time. */
export interface HopRunner {
  /** (inputHop) where the next hop's samples go. */
  input(): Float32Array
  /** (outputHop) the last result. */
  output(): Float32Array
  run(): void
  /** The stream has ended with the hops run so far. */
  end(): void
}

/** Where one channel lies in a buffer: sample i at first + i * stride. */
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
  /** (inputHop) the hop being filled; the runner's own input is shared between streams. */
  readonly #pending: Float32Array
  #filled = 0
  #toDrop: number
  /** Since the beginning of the stream. */
  samplesIn = 0
  samplesOut = 0
  hops = 0

  constructor(shape: FrameShape, runner: HopRunner) {
    this.#shape = shape
    this.#runner = runner
    this.#pending = new Float32Array(shape.inputHop)
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

  /** `hops` hops pass between the last whole one and the one being filled: in unheard, out unheard. */
  skip(hops: number): void {
    const { inputHop, outputHop } = this.#shape
    const dropped = Math.min(this.#toDrop, hops * outputHop)
    this.#toDrop -= dropped
    this.samplesIn += hops * inputHop
    this.samplesOut += hops * outputHop - dropped
    this.hops += hops
  }

  save(to: SnapshotWriter): void {
    to.u32(this.#filled)
    to.f32s(this.#pending.subarray(0, this.#filled))
    to.u32(this.#toDrop)
    for (const total of [this.samplesIn, this.samplesOut, this.hops]) to.f64(total)
  }

  load(from: SnapshotReader): void {
    const { inputHop, outputHop, lagSamples } = this.#shape
    this.#filled = from.count('samples of an open hop', inputHop - 1)
    from.f32s(this.#pending.subarray(0, this.#filled))
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

  /** Takes `count` samples, writes what is ready to the same place of `out`, returns how many. Allocates nothing. */
  push(samples: Float32Array, count: number, out: Float32Array, place: Place): number {
    const { inputHop } = this.#shape
    const { first, stride } = place
    const before = this.samplesOut
    let taken = 0
    while (taken < count) {
      const some = Math.min(inputHop - this.#filled, count - taken)
      for (let i = 0; i < some; i++) this.#pending[this.#filled + i] = bounded(samples[first + (taken + i) * stride])
      taken += some
      this.#filled += some
      this.samplesIn += some
      if (this.#filled === inputHop) this.#step(out, place, this.samplesOut - before, Number.POSITIVE_INFINITY)
    }
    return this.samplesOut - before
  }

  /** The rest of the stream: writes `pending` samples and returns their number. */
  drain(out: Float32Array, place: Place): number {
    const { zeroHops, lookaheadHops } = this.#shape
    const count = this.pending
    const end = this.samplesOut + count
    const stepZeros = () => {
      this.#pending.fill(0, this.#filled)
      this.#step(out, place, count - (end - this.samplesOut), end - this.samplesOut)
    }
    if (this.#filled > 0) stepZeros()
    for (let hop = 0; hop < zeroHops; hop++) stepZeros()
    this.#runner.end()
    for (let hop = 0; hop < lookaheadHops; hop++) stepZeros()
    return count
  }

  /** One hop; `at` counts samples of this channel in `out`, at most `limit` are written. */
  #step(out: Float32Array, { first, stride }: Place, at: number, limit: number): void {
    this.#runner.input().set(this.#pending)
    this.#runner.run()
    this.#filled = 0
    this.hops++
    const result = this.#runner.output()
    const skip = Math.min(this.#toDrop, result.length)
    const count = Math.min(result.length - skip, limit)
    this.#toDrop -= skip
    if (stride === 1 && count === result.length) out.set(result, first + at)
    else for (let i = 0; i < count; i++) out[first + (at + i) * stride] = result[skip + i]
    this.samplesOut += count
  }
}

/** What is no number would stay in the state for ever, and so would what overflows when squared. */
export function bounded(sample: number): number {
  if (sample >= -LARGEST && sample <= LARGEST) return sample
  return Number.isNaN(sample) ? 0 : Math.sign(sample) * LARGEST
}
