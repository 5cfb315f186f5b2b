// Samples of one rate in, of another out, in any pieces: output n lies at the moment of input n * inputs / outputs and comes
// as soon as the inputs around that moment are there. Before the first input there was silence. The arithmetic is the core's
// (assembly/resample.ts); here is what it needs to know of memory. Allocates nothing after creation.

import type { Core, Filter } from './core.ts'
import { freeWith } from './dropped.ts'
import type { FilterPhase } from './resampling.ts'
import type { SnapshotReader, SnapshotWriter, Stateful } from './snapshot.ts'

/** Inputs taken at once. */
const PIECE = 256
const WINDOW_BYTES = 16

export class Resampler implements Stateful {
  readonly #core: Core
  readonly #filter: Filter
  readonly #window: number
  readonly #free: () => void
  /** Views that growth of the memory replaces. */
  #header = new Int32Array(0)
  #samples = new Float32Array(0)
  #result = new Float32Array(0)
  /** Inputs and outputs so far, whole periods taken off both. */
  #in = 0
  #out = 0

  constructor(core: Core, inputRate: number, outputRate: number, phase: FilterPhase = 'linear') {
    this.#core = core
    const filter = core.acquireFilter(inputRate, outputRate, PIECE, phase)
    const windowBytes = WINDOW_BYTES + 4 * (filter.shape.taps + PIECE)
    const window = core.allocate(windowBytes)
    this.#filter = filter
    this.#window = window
    this.#free = freeWith(this, () => {
      core.release(window, windowBytes)
      core.releaseFilter(filter)
    })
    this.reset()
  }

  dispose(): void {
    this.#free()
  }

  reset(): void {
    this.#in = 0
    this.#out = 0
    this.#look()
    this.#samples.fill(0)
    this.#place()
  }

  /** Outputs that come when `count` more inputs do. */
  readyAfter(count: number): number {
    const { ahead, outputs, inputs } = this.#filter.shape
    const complete = this.#in + count - ahead
    return Math.max(this.#out, Math.ceil((complete * outputs) / inputs)) - this.#out
  }

  /** Most inputs that `push` takes. */
  get piece(): number {
    return PIECE
  }

  /** Where the outputs of the last `push` begin. */
  get result(): Float32Array {
    this.#look()
    return this.#result
  }

  /** Takes samples `from`, `from + stride`, ..., at most `piece` of them; returns how many outputs that made. */
  push(samples: Float32Array, from: number, stride: number, count: number): number {
    this.#look()
    const held = this.#header[0]
    for (let i = 0; i < count; i++) this.#samples[held + i] = samples[from + i * stride]
    return this.#run(count)
  }

  /** As `push`, of silence. */
  pushSilence(count: number): number {
    this.#look()
    const held = this.#header[0]
    this.#samples.fill(0, held, held + count)
    return this.#run(count)
  }

  #run(count: number): number {
    const { address, result, shape } = this.#filter
    const made = this.#core.exports.resample(address, this.#window, count, result)
    this.#in += count
    this.#out += made
    const periods = Math.floor(this.#in / shape.inputs)
    this.#in -= periods * shape.inputs
    this.#out -= periods * shape.outputs
    return made
  }

  save(to: SnapshotWriter): void {
    this.#look()
    to.f64(this.#in)
    to.f64(this.#out)
    to.f32s(this.#samples.subarray(0, this.#header[0]))
  }

  load(from: SnapshotReader): void {
    const { taps, ahead, outputs, inputs } = this.#filter.shape
    const behind = taps - ahead - 1
    this.#in = from.total('samples in a period')
    this.#out = from.bounded('samples out of a period', 2 ** 32)
    const held = this.#in - Math.floor((this.#out * inputs) / outputs) + behind
    const isPossible = this.#in < inputs && Number.isInteger(this.#out) && held >= behind && held < taps
    if (!isPossible) from.refuse('place between two rates', this.#out)
    this.#look()
    this.#place()
    from.f32s(this.#samples.subarray(0, held))
  }

  /** The window's header follows from what came in and went out. */
  #place(): void {
    const { taps, ahead, outputs, inputs } = this.#filter.shape
    const first = Math.floor((this.#out * inputs) / outputs) - (taps - ahead) + 1
    const phase = this.#out * inputs - Math.floor((this.#out * inputs) / outputs) * outputs
    this.#header.set([this.#in - first, 0, phase, 0])
  }

  #look(): void {
    const { buffer } = this.#core.memory
    if (this.#header.buffer === buffer) return
    const { result, resultFloats, shape } = this.#filter
    this.#header = new Int32Array(buffer, this.#window, 4)
    this.#samples = new Float32Array(buffer, this.#window + WINDOW_BYTES, shape.taps + PIECE)
    this.#result = new Float32Array(buffer, result, resultFloats)
  }
}
