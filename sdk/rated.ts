// Frames for a stream whose rates are not the model's. In: samples at the stream's rate, of one channel or several in step.
// Out: as many at the output's rate, aligned with the input: resample, hop, resample; what lies above half of the model's
// rate is added from the input (highBand.ts), or does not come through. Allocates nothing between creation and `drain`.

import type { Model } from '../quantize/modelfile.ts'
import type { Core } from './core.ts'
import type { Frames, Framing, Place } from './frames.ts'
import type { HighBand } from './highBand.ts'
import type { Path } from './latency.ts'
import { usable } from './range.ts'
import { Resampler } from './resampler.ts'
import { refuse, type SnapshotReader, type SnapshotWriter } from './snapshot.ts'
import { Waiting } from './waiting.ts'

/** Samples taken at once. */
const PIECE = 256

export interface RatedOptions extends Path {
  readonly channels: number
  /** More than this is never inside. */
  readonly mostPending: number
  readonly highBand: HighBand | undefined
}

export class RatedFrames implements Framing {
  readonly #frames: Frames
  readonly #options: RatedOptions
  readonly #model: Model
  /** (channels), none where the rate is the model's. */
  readonly #down: readonly Resampler[]
  readonly #up: readonly Resampler[]
  readonly #highBand: HighBand | undefined
  readonly #waiting: Waiting | undefined
  /** (PIECE) samples of one channel as they came. */
  readonly #piece = new Float32Array(PIECE)
  /** Of all channels, side by side: what the model is given of a piece, and what it makes of it. */
  readonly #given: Float32Array
  readonly #made: Float32Array
  readonly #aside: Place
  /** Since the beginning of the stream, at its own rates, and what the model was given. */
  samplesIn = 0
  samplesOut = 0
  #modelIn = 0

  constructor(core: Core, model: Model, frames: Frames, options: RatedOptions) {
    const { sampleRate, outputRate, phase, channels, highBand, mostPending } = options
    this.#frames = frames
    this.#options = options
    this.#model = model
    const each = <T>(make: () => T): readonly T[] => Array.from({ length: channels }, make)
    const between = (from: number, to: number) => (from === to ? [] : each(() => new Resampler(core, from, to, phase)))
    this.#down = between(sampleRate, model.inputRate)
    this.#up = between(model.outputRate, outputRate)
    this.#highBand = highBand
    if (highBand !== undefined) this.#waiting = new Waiting(channels, mostPending + PIECE)
    const modelPiece = Math.ceil((PIECE * model.inputRate) / sampleRate) + 1
    this.#given = new Float32Array(channels * modelPiece)
    this.#made = new Float32Array(channels * (Math.ceil(modelPiece / model.inputHop) + 1) * model.outputHop)
    this.#aside = { first: 0, stride: channels }
  }

  get hops(): number {
    return this.#frames.hops
  }

  get pending(): number {
    return this.#wanted - this.samplesOut
  }

  /** Samples that come out in all when the stream ends here. */
  get #wanted(): number {
    const { sampleRate, outputRate } = this.#options
    return Math.ceil((this.samplesIn * outputRate) / sampleRate)
  }

  get #channels(): number {
    return this.#options.channels
  }

  dispose(): void {
    for (const resampler of this.#down) resampler.dispose()
    for (const resampler of this.#up) resampler.dispose()
  }

  reset(): void {
    this.#frames.reset()
    for (const resampler of this.#down) resampler.reset()
    for (const resampler of this.#up) resampler.reset()
    this.#highBand?.reset()
    this.samplesIn = 0
    this.samplesOut = 0
    this.#modelIn = 0
  }

  readyAfter(count: number): number {
    const given = this.#down[0]?.readyAfter(count) ?? count
    const made = this.#frames.readyAfter(given)
    return this.#up[0]?.readyAfter(made) ?? made
  }

  push(samples: Float32Array, count: number, out: Float32Array, place: Place): number {
    const before = this.samplesOut
    for (let taken = 0; taken < count; taken += PIECE) {
      const some = Math.min(PIECE, count - taken)
      let given = 0
      for (let c = 0; c < this.#channels; c++) given = this.#take(samples, taken, some, place, c)
      this.samplesIn += some
      this.#pass(given, out, place, before)
    }
    return this.samplesOut - before
  }

  /** A piece of one channel to the model's rate; returns how many samples that is. */
  #take(samples: Float32Array, from: number, count: number, { first, stride }: Place, c: number): number {
    const piece = this.#piece
    let at = first + c + from * stride
    for (let i = 0; i < count; i++, at += stride) piece[i] = usable(samples[at])
    if (this.#waiting !== undefined) for (let i = 0; i < count; i++) this.#waiting.put(c, this.samplesIn + i, piece[i])
    const down = this.#down[c]
    const given = down === undefined ? count : down.push(piece, 0, 1, count)
    this.#place(down === undefined ? piece : down.result, given, c)
    return given
  }

  #place(samples: Float32Array, count: number, c: number): void {
    for (let i = 0, at = c; i < count; i++, at += this.#channels) this.#given[at] = samples[i]
  }

  drain(out: Float32Array, place: Place): number {
    const { inputRate } = this.#model
    const before = this.samplesOut
    const modelWanted = Math.ceil((this.samplesIn * inputRate) / this.#options.sampleRate)
    while (this.#modelIn < modelWanted) {
      const most = modelWanted - this.#modelIn
      let given = 0
      for (const [c, down] of this.#down.entries()) {
        given = Math.min(down.pushSilence(PIECE), most)
        this.#place(down.result, given, c)
      }
      this.#pass(given, out, place, before)
    }
    const count = this.#frames.pending
    const rest = new Float32Array(count * this.#channels)
    this.#frames.drain(rest, this.#aside)
    this.#deliver(rest, count, out, place, before)
    while (this.samplesOut < this.#wanted) {
      let ready = 0
      for (const [c, up] of this.#up.entries()) {
        ready = up.pushSilence(16)
        this.#write(up.result, 0, 1, ready, out, place, before, c)
      }
      this.#wrote(ready)
    }
    return this.samplesOut - before
  }

  /** `hops` hops pass unheard: neither in nor out count here, as both skip the same time. */
  skip(hops: number): void {
    if (this.#highBand !== undefined) this.#loseWaiting(hops, this.#highBand)
    this.#frames.skip(hops, true)
  }

  /** Input whose results never come: those that the model still holds, as far as the gap reaches. */
  #loseWaiting(hops: number, highBand: HighBand): void {
    const { outputHop, outputRate } = this.#model
    const ratio = this.#options.outputRate / outputRate
    const run = highBand.hops * outputHop
    const delivered = this.#frames.delivered(highBand.hops)
    const lost = Math.min(hops * outputHop, run - delivered)
    this.#waiting?.lose(Math.ceil(delivered * ratio), Math.ceil(run * ratio), Math.round(lost * ratio))
  }

  save(to: SnapshotWriter): void {
    for (const total of [this.samplesIn, this.samplesOut, this.#modelIn]) to.f64(total)
    for (const resampler of [...this.#down, ...this.#up]) resampler.save(to)
    this.#frames.save(to)
    this.#highBand?.save(to)
    this.#waiting?.save(to, this.samplesOut, this.samplesIn)
  }

  load(from: SnapshotReader): void {
    const { mostPending, sampleRate } = this.#options
    this.samplesIn = from.total('samples in')
    this.samplesOut = from.total('samples out')
    this.#modelIn = from.total('samples of the model')
    if (this.pending < 0 || this.pending > mostPending) refuse('samples out', this.samplesOut)
    const inside = this.samplesIn * (this.#model.inputRate / sampleRate) - this.#modelIn
    if (inside < -1 || inside > mostPending) refuse('samples of the model', this.#modelIn)
    for (const resampler of [...this.#down, ...this.#up]) resampler.load(from)
    this.#frames.load(from)
    this.#highBand?.load(from)
    this.#waiting?.load(from, this.samplesOut, this.samplesIn)
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

  /** What the model was given, through it and on. */
  #pass(given: number, out: Float32Array, place: Place, before: number): void {
    this.#modelIn += given
    this.#deliver(this.#made, this.#frames.push(this.#given, given, this.#made, this.#aside), out, place, before)
  }

  /** What the model made to the output's rate. */
  #deliver(made: Float32Array, count: number, out: Float32Array, place: Place, before: number): void {
    const channels = this.#channels
    for (let at = 0; at < count; at += PIECE) {
      const some = Math.min(PIECE, count - at)
      let ready = some
      for (let c = 0; c < channels; c++) {
        const up = this.#up[c]
        const from = at * channels + c
        if (up !== undefined) ready = up.push(made, from, channels, some)
        if (up === undefined) this.#write(made, from, channels, ready, out, place, before, c)
        else this.#write(up.result, 0, 1, ready, out, place, before, c)
      }
      this.#wrote(ready)
    }
  }

  /** `count` samples of one channel, `result[from]` and every `step`-th after it, with the high band. */
  #write(
    result: Float32Array,
    from: number,
    step: number,
    count: number,
    out: Float32Array,
    { first, stride }: Place,
    before: number,
    c: number,
  ): void {
    const room = Math.min(count, this.#wanted - this.samplesOut)
    const to = first + c + (this.samplesOut - before) * stride
    for (let i = 0; i < room; i++) out[to + i * stride] = result[from + i * step]
    if (this.#highBand !== undefined) this.#addHighBand(this.#highBand, out, to, stride, room, c)
  }

  #addHighBand(highBand: HighBand, out: Float32Array, to: number, stride: number, count: number, c: number): void {
    const waiting = this.#waiting!
    const ratio = this.#model.outputRate / this.#options.outputRate
    for (let i = 0; i < count; i++) {
      const moment = this.samplesOut + i
      out[to + i * stride] += highBand.gainAt(moment * ratio) * waiting.at(c, moment)
    }
  }

  #wrote(count: number): void {
    this.samplesOut += Math.min(count, this.#wanted - this.samplesOut)
  }
}
