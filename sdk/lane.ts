// One channel through one model: its state in the core's memory, its frames, its strength. In: samples at the model's
// input rate. Out: samples at its output rate. Every lane of a program shares weights and scratch, so a hop is never left
// half done here.

import type { Model } from '../quantize/modelfile.ts'
import type { Core, Program } from './core.ts'
import { Frames, type HopRunner } from './frames.ts'
import { Strength } from './strength.ts'

export class Lane implements HopRunner {
  readonly frames: Frames
  /** Where input and output have one rate, as only then there is something to blend with. */
  readonly strength: Strength | undefined
  readonly #core: Core
  readonly #program: Program
  readonly #state: number
  #input: Float32Array
  #output: Float32Array

  constructor(core: Core, program: Program, strengthDb: number) {
    const { model } = program
    this.#core = core
    this.#program = program
    this.#state = core.acquireState(program)
    this.#input = this.#view(model.inputOffset, model.inputHop)
    this.#output = this.#view(model.outputOffset, model.outputHop)
    this.frames = new Frames(frameShapeOf(model), this)
    this.strength =
      model.inputRate === model.outputRate ? new Strength(model.outputHop, model.lagSamples, strengthDb) : undefined
  }

  reset(): void {
    this.#core.exports.reset(this.#program.address, this.#state)
    this.frames.reset()
    this.strength?.reset()
  }

  dispose(): void {
    this.#core.releaseState(this.#program, this.#state)
  }

  input(): Float32Array {
    // growth of the memory detaches views: seldom, so that the steady state allocates nothing
    if (this.#input.length === 0)
      this.#input = this.#view(this.#program.model.inputOffset, this.#program.model.inputHop)
    return this.#input
  }

  output(): Float32Array {
    if (this.#output.length === 0)
      this.#output = this.#view(this.#program.model.outputOffset, this.#program.model.outputHop)
    return this.#output
  }

  run(): void {
    this.#core.exports.hop(this.#program.address, this.#state, this.#program.scratch)
    // after the run, as it has replaced what is no number; the input keeps its place in scratch (FORMAT.md)
    this.strength?.blend(this.output(), this.input())
  }

  end(): void {
    this.#core.exports.end(this.#state)
  }

  #view(offset: number, length: number): Float32Array {
    return this.#core.floats(this.#program.scratch + offset, length)
  }
}

export function frameShapeOf(model: Model) {
  const { inputHop, outputHop, lagSamples, lookaheadHops, overlapLag } = model
  return { inputHop, outputHop, lagSamples, lookaheadHops, zeroHops: Math.ceil(overlapLag / outputHop) }
}
