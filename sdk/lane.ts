// One channel through one model: its network, its frames, its strength. In: samples at the model's input rate. Out:
// samples at its output rate.

import type { Model } from '../quantize/modelfile.ts'
import type { Core, Program } from './core.ts'
import { Frames, type HopRunner } from './frames.ts'
import { Network } from './network.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'
import { Strength } from './strength.ts'

export class Lane implements HopRunner {
  readonly frames: Frames
  /** Where input and output have one rate, as only then there is something to blend with. */
  readonly strength: Strength | undefined
  /** The input of hops that end now never came (Denoiser.conceal). */
  isLost = false
  readonly #network: Network

  constructor(core: Core, program: Program, strengthDb: number) {
    const { model } = program
    this.#network = new Network(core, program)
    this.frames = new Frames(frameShapeOf(model), this)
    this.strength =
      model.inputRate === model.outputRate ? new Strength(model.outputHop, model.lagSamples, strengthDb) : undefined
  }

  reset(): void {
    this.#network.reset()
    this.frames.reset()
    this.strength?.reset()
  }

  dispose(): void {
    this.#network.dispose()
  }

  input(): Float32Array {
    return this.#network.input()
  }

  output(): Float32Array {
    return this.#network.output()
  }

  run(): void {
    this.#network.run(this.isLost)
    // after the run, as it has replaced what is no number; the input keeps its place in scratch (FORMAT.md)
    this.strength?.blend(this.#network.output(), this.#network.input())
  }

  end(): void {
    this.#network.end()
  }

  /** `hops` hops pass unheard (Denoiser.advance). */
  advance(hops: number): void {
    this.#network.advance(hops)
    this.frames.skip(hops)
    this.strength?.skip(hops)
  }

  save(to: SnapshotWriter): void {
    this.#network.save(to)
    this.frames.save(to)
    this.strength?.save(to)
  }

  load(from: SnapshotReader): void {
    this.#network.load(from)
    this.frames.load(from)
    this.strength?.load(from)
  }
}

export function frameShapeOf(model: Model) {
  const { inputHop, outputHop, lagSamples, lookaheadHops, overlapLag } = model
  return { inputHop, outputHop, lagSamples, lookaheadHops, zeroHops: Math.ceil(overlapLag / outputHop) }
}
