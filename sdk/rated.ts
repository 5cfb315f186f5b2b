// Frames for a stream whose rates are not the model's. In: samples at the stream's rate. Out: as many at the output's rate,
// aligned with the input: resample, hop, resample. Above half of the model's rate nothing comes through. Allocates
// nothing between creation and `drain`.

import type { Model } from '../quantize/modelfile.ts'
import type { Core } from './core.ts'
import { bounded, type Frames, type Framing, type Place } from './frames.ts'
import type { Rates } from './latency.ts'
import { Resampler } from './resampler.ts'
import { refuse, type SnapshotReader, type SnapshotWriter } from './snapshot.ts'

/** Samples taken at once. */
const PIECE = 256
const ALONE: Place = { first: 0, stride: 1 }

export class RatedFrames implements Framing {
  readonly #frames: Frames
  readonly #rates: Rates
  readonly #model: Model
  /** Absent where the rate is the model's. */
  readonly #down: Resampler | undefined
  readonly #up: Resampler | undefined
  /** More than this is never inside. */
  readonly #mostPending: number
  /** (PIECE) samples of one channel as they came. */
  readonly #piece = new Float32Array(PIECE)
  /** What the model made of a piece. */
  #made: Float32Array
  /** Since the beginning of the stream, at its own rates, and what the model was given. */
  samplesIn = 0
  samplesOut = 0
  #modelIn = 0

  constructor(core: Core, model: Model, frames: Frames, rates: Rates, mostPending: number) {
    this.#frames = frames
    this.#rates = rates
    this.#model = model
    this.#mostPending = mostPending
    const { sampleRate, outputRate } = rates
    if (sampleRate !== model.inputRate) this.#down = new Resampler(core, sampleRate, model.inputRate)
    if (outputRate !== model.outputRate) this.#up = new Resampler(core, model.outputRate, outputRate)
    const modelPiece = Math.ceil((PIECE * model.inputRate) / sampleRate) + 1
    this.#made = new Float32Array((Math.ceil(modelPiece / model.inputHop) + 1) * model.outputHop)
  }

  get hops(): number {
    return this.#frames.hops
  }

  get pending(): number {
    return this.#wanted - this.samplesOut
  }

  /** Samples that come out in all when the stream ends here. */
  get #wanted(): number {
    const { sampleRate, outputRate } = this.#rates
    return Math.ceil((this.samplesIn * outputRate) / sampleRate)
  }

  dispose(): void {
    this.#down?.dispose()
    this.#up?.dispose()
  }

  reset(): void {
    this.#frames.reset()
    this.#down?.reset()
    this.#up?.reset()
    this.samplesIn = 0
    this.samplesOut = 0
    this.#modelIn = 0
  }

  readyAfter(count: number): number {
    const given = this.#down?.readyAfter(count) ?? count
    const made = this.#frames.readyAfter(given)
    return this.#up?.readyAfter(made) ?? made
  }

  push(samples: Float32Array, count: number, out: Float32Array, place: Place): number {
    const before = this.samplesOut
    for (let taken = 0; taken < count; taken += PIECE) {
      const some = Math.min(PIECE, count - taken)
      for (let i = 0; i < some; i++) this.#piece[i] = bounded(samples[place.first + (taken + i) * place.stride])
      const given = this.#down === undefined ? some : this.#down.push(this.#piece, 0, 1, some)
      this.samplesIn += some
      this.#pass(this.#down?.result ?? this.#piece, given, out, place, before)
    }
    return this.samplesOut - before
  }

  drain(out: Float32Array, place: Place): number {
    const { inputRate } = this.#model
    const before = this.samplesOut
    const modelWanted = Math.ceil((this.samplesIn * inputRate) / this.#rates.sampleRate)
    while (this.#modelIn < modelWanted) {
      const given = Math.min(this.#down!.pushSilence(PIECE), modelWanted - this.#modelIn)
      this.#pass(this.#down!.result, given, out, place, before)
    }
    const rest = new Float32Array(this.#frames.pending)
    this.#deliver(rest, this.#frames.drain(rest, ALONE), out, place, before)
    while (this.samplesOut < this.#wanted) this.#write(this.#up!.result, this.#up!.pushSilence(16), out, place, before)
    return this.samplesOut - before
  }

  /** `hops` hops pass unheard: neither in nor out count here, as both skip the same time. */
  skip(hops: number): void {
    this.#frames.skip(hops)
  }

  save(to: SnapshotWriter): void {
    for (const total of [this.samplesIn, this.samplesOut, this.#modelIn]) to.f64(total)
    this.#down?.save(to)
    this.#up?.save(to)
    this.#frames.save(to)
  }

  load(from: SnapshotReader): void {
    this.samplesIn = from.total('samples in')
    this.samplesOut = from.total('samples out')
    this.#modelIn = from.total('samples of the model')
    if (this.pending < 0 || this.pending > this.#mostPending) refuse('samples out', this.samplesOut)
    const inside = this.samplesIn * (this.#model.inputRate / this.#rates.sampleRate) - this.#modelIn
    if (inside < -1 || inside > this.#mostPending) refuse('samples of the model', this.#modelIn)
    this.#down?.load(from)
    this.#up?.load(from)
    this.#frames.load(from)
  }

  isAbreast(other: Framing): boolean {
    return (
      other instanceof RatedFrames &&
      this.samplesIn === other.samplesIn &&
      this.samplesOut === other.samplesOut &&
      this.#modelIn === other.#modelIn &&
      this.#frames.isAbreast(other.#frames)
    )
  }

  /** `given` samples at the model's rate through the model and on. */
  #pass(samples: Float32Array, given: number, out: Float32Array, place: Place, before: number): void {
    this.#modelIn += given
    // a run of the model may grow the memory that `samples` is a view of: they are copied hop by hop before it
    this.#deliver(this.#made, this.#frames.push(samples, given, this.#made, ALONE), out, place, before)
  }

  /** What the model made to the output's rate. */
  #deliver(made: Float32Array, count: number, out: Float32Array, place: Place, before: number): void {
    if (this.#up === undefined) {
      this.#write(made, count, out, place, before)
      return
    }
    for (let at = 0; at < count; at += PIECE) {
      const ready = this.#up.push(made, at, 1, Math.min(PIECE, count - at))
      this.#write(this.#up.result, ready, out, place, before)
    }
  }

  #write(result: Float32Array, count: number, out: Float32Array, { first, stride }: Place, before: number): void {
    const room = Math.min(count, this.#wanted - this.samplesOut)
    let to = first + (this.samplesOut - before) * stride
    for (let i = 0; i < room; i++, to += stride) out[to] = result[i]
    this.samplesOut += room
  }
}
