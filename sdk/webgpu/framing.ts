// One stream of a pool between samples and hops, as frames.ts is for a single denoiser: samples of any number in, hops that
// wait to be run, results aligned with the input. Differs in that hops are run elsewhere, later and many streams at a time.

import type { Model } from '../../quantize/modelfile.ts'
import { fail } from '../errors.ts'
import { frameShapeOf } from '../lane.ts'
import { usable } from '../range.ts'
import type { SnapshotReader, SnapshotWriter } from '../snapshot.ts'
import { COMMANDS } from './commands.ts'

/** Samples a stream may be ahead of its hops: more than a minute. */
const MAX_WAITING = 2 ** 20

export class Framing {
  readonly #shape: ReturnType<typeof frameShapeOf>
  /** Samples that wait, from #begin to #end. */
  #samples: Float32Array
  #begin = 0
  #end = 0
  #toDrop: number
  #samplesIn = 0
  /** Given out, or in a batch under way. */
  #samplesOut = 0
  #hops = 0
  /** Hops still to run after the end of the input: those before the end is marked, and all. */
  #closing: { zeroHops: number; all: number; isMarked: boolean } | undefined
  /** Whether the next hop is the first of a stream. */
  #isNew = true

  constructor(model: Model) {
    this.#shape = frameShapeOf(model)
    this.#samples = new Float32Array(4 * model.inputHop)
    this.#toDrop = this.#shape.lagSamples
  }

  get samplesIn(): number {
    return this.#samplesIn
  }

  get hops(): number {
    return this.#hops
  }

  get isNew(): boolean {
    return this.#isNew
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** Whether there is a hop to run. */
  get isDue(): boolean {
    return this.#closing !== undefined || this.#end - this.#begin >= this.#shape.inputHop
  }

  write(samples: Float32Array): void {
    if (this.#closing !== undefined)
      fail('OPTION_INVALID', 'samples after end()', samples.length, 'wait until the stream is drained, or add another')
    if (this.#end + samples.length > this.#samples.length) this.#makeRoom(samples.length)
    for (let i = 0; i < samples.length; i++) this.#samples[this.#end + i] = usable(samples[i])
    this.#end += samples.length
    this.#samplesIn += samples.length
  }

  #makeRoom(count: number): void {
    const waiting = this.#end - this.#begin
    if (waiting + count > MAX_WAITING)
      fail('OPTION_INVALID', 'samples that wait for their hops', waiting + count, 'call hop() as often as samples come')
    const grown = waiting + count > this.#samples.length / 2
    const samples = grown ? new Float32Array(2 * (waiting + count)) : this.#samples
    if (grown) samples.set(this.#samples.subarray(this.#begin, this.#end))
    else samples.copyWithin(0, this.#begin, this.#end)
    this.#samples = samples
    this.#begin = 0
    this.#end = waiting
  }

  /** The input ends here; nothing of it is lost. */
  finish(): void {
    if (this.#closing !== undefined) return
    const { inputHop, zeroHops, lookaheadHops } = this.#shape
    if (this.#samplesIn === 0) return
    const whole = Math.ceil((this.#end - this.#begin) / inputHop)
    this.#closing = { zeroHops: whole + zeroHops, all: whole + zeroHops + lookaheadHops, isMarked: false }
    this.#skipClosed()
  }

  /** Writes the next hop's input; returns its flags. */
  take(inputs: Float32Array, at: number): number {
    const { inputHop } = this.#shape
    const count = Math.min(inputHop, this.#end - this.#begin)
    inputs.set(this.#samples.subarray(this.#begin, this.#begin + count), at)
    if (count < inputHop) inputs.fill(0, at + count, at + inputHop)
    this.#begin += count
    if (this.#begin === this.#end) this.#begin = this.#end = 0
    this.#hops++
    let flags = this.#isNew ? COMMANDS.reset : 0
    this.#isNew = false
    const closing = this.#closing
    if (closing !== undefined) {
      if (closing.zeroHops === 0 && !closing.isMarked) {
        flags |= COMMANDS.end
        closing.isMarked = true
      }
      closing.zeroHops = Math.max(0, closing.zeroHops - 1)
      closing.all--
    }
    return flags
  }

  /** What of the hop just taken belongs to the stream: first sample and how many. Ends a stream that is closing. */
  claim(): readonly [number, number] {
    const { inputHop, outputHop } = this.#shape
    const first = Math.min(this.#toDrop, outputHop)
    this.#toDrop -= first
    const left = Math.ceil((this.#samplesIn * outputHop) / inputHop) - this.#samplesOut
    const count = Math.min(outputHop - first, this.#closing === undefined ? outputHop : left)
    this.#samplesOut += count
    this.#skipClosed()
    return [first, count]
  }

  #skipClosed(): void {
    if (this.#closing?.all === 0) this.reset()
  }

  reset(): void {
    this.#begin = 0
    this.#end = 0
    this.#toDrop = this.#shape.lagSamples
    this.#samplesIn = 0
    this.#samplesOut = 0
    this.#hops = 0
    this.#closing = undefined
    this.#isNew = true
  }

  save(to: SnapshotWriter): void {
    const waiting = this.#samples.subarray(this.#begin, this.#end)
    for (const count of [waiting.length, this.#toDrop, this.#isNew ? 1 : 0]) to.u32(count)
    to.f32s(waiting)
    for (const total of [this.#samplesIn, this.#samplesOut, this.#hops]) to.f64(total)
    const { zeroHops, all, isMarked } = this.#closing ?? { zeroHops: 0, all: 0, isMarked: false }
    for (const count of [zeroHops, all, isMarked ? 1 : 0]) to.u32(count)
  }

  load(from: SnapshotReader): void {
    const { inputHop, outputHop, lagSamples, zeroHops, lookaheadHops } = this.#shape
    const waiting = from.count('samples that wait', MAX_WAITING)
    this.#toDrop = from.count('samples to drop', lagSamples)
    this.#isNew = from.count('whether the stream is new', 1) === 1
    this.#samples = new Float32Array(Math.max(4 * inputHop, waiting))
    from.f32s(this.#samples.subarray(0, waiting))
    this.#begin = 0
    this.#end = waiting
    this.#samplesIn = from.total('samples in')
    this.#samplesOut = from.total('samples out')
    this.#hops = from.total('hops')
    const left = from.count('hops before the end', MAX_WAITING)
    const all = from.count('hops to the end', MAX_WAITING)
    const isMarked = from.count('whether the end is marked', 1) === 1
    if (all > Math.ceil(waiting / inputHop) + zeroHops + lookaheadHops || left > all)
      from.refuse('hops to the end', all)
    this.#closing = all === 0 ? undefined : { zeroHops: left, all, isMarked }
    const made = this.#hops * outputHop - (lagSamples - this.#toDrop)
    if (this.#samplesOut > made || this.#isNew !== (this.#hops === 0)) from.refuse('samples out', this.#samplesOut)
  }
}
