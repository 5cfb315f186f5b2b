// One channel through one model: its network, its frames, its mixture. In: samples at the model's input rate. Out:
// samples at its output rate.

import type { Model } from '../quantize/modelfile.ts'
import type { Core, Program } from './core.ts'
import { Frames, type HopRunner } from './frames.ts'
import { Mixture, type MixtureOptions } from './mixture.ts'
import { Network } from './network.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

export interface LaneOptions extends MixtureOptions {
  readonly onVoice: ((voiceActivity: number, channel: number) => void) | undefined
}

export class Lane implements HopRunner {
  readonly frames: Frames
  readonly mixture: Mixture
  /** The input of hops that end now never came (Denoiser.conceal). */
  isLost = false
  readonly #network: Network
  readonly #channel: number
  readonly #onVoice: LaneOptions['onVoice']

  constructor(core: Core, program: Program, options: LaneOptions, channel: number) {
    const { model } = program
    this.#channel = channel
    this.#onVoice = options.onVoice
    this.#network = new Network(core, program)
    this.frames = new Frames(frameShapeOf(model), this)
    this.mixture = new Mixture(model, options)
  }

  reset(): void {
    this.#network.reset()
    this.frames.reset()
    this.mixture.reset()
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
    this.mixture.take(this.#network.output(), this.#network.input())
    this.#onVoice?.(this.mixture.voiceActivity, this.#channel)
  }

  end(): void {
    this.#network.end()
  }

  /** `hops` hops pass unheard (Denoiser.advance). */
  advance(hops: number): void {
    this.#network.advance(hops)
    this.frames.skip(hops)
    this.mixture.skip(hops)
  }

  save(to: SnapshotWriter): void {
    this.#network.save(to)
    this.frames.save(to)
    this.mixture.save(to)
  }

  load(from: SnapshotReader): void {
    this.#network.load(from)
    this.frames.load(from)
    this.mixture.load(from)
  }
}

export function frameShapeOf(model: Model) {
  const { inputHop, outputHop, lagSamples, lookaheadHops, overlapLag } = model
  return { inputHop, outputHop, lagSamples, lookaheadHops, zeroHops: Math.ceil(overlapLag / outputHop) }
}
