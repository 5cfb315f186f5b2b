// One channel through one model: its network, its frames, its mixture. In: samples at the model's input rate. Out:
// samples at its output rate.

import type { Model } from '../quantize/modelfile.ts'
import type { Core, Program } from './core.ts'
import type { Engine } from './engine.ts'
import { Frames, type Framing, type HopRunner } from './frames.ts'
import { Ladder } from './ladder.ts'
import { latencyOf, type Rates } from './latency.ts'
import { Mixture, type MixtureOptions } from './mixture.ts'
import { Network } from './network.ts'
import { RatedFrames } from './rated.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

export interface LaneOptions extends MixtureOptions, Rates {
  readonly governor: unknown
  /** Of the ladder below the program. */
  readonly lighter: readonly Program[]
  readonly onVoice: ((voiceActivity: number, channel: number) => void) | undefined
}

/** Of rounding between rates. */
const PENDING_MARGIN = 16

export class Lane implements HopRunner {
  readonly frames: Framing
  readonly mixture: Mixture
  /** The input of hops that end now never came (Denoiser.conceal). */
  isLost = false
  readonly #engine: Engine
  readonly #ladder: Ladder | undefined
  readonly #channel: number
  readonly #onVoice: LaneOptions['onVoice']

  constructor(core: Core, program: Program, options: LaneOptions, channel: number) {
    const { model } = program
    this.#channel = channel
    this.#onVoice = options.onVoice
    const network = new Network(core, program)
    if (options.governor !== undefined)
      this.#ladder = new Ladder([network, ...options.lighter.map((each) => new Network(core, each))])
    this.#engine = this.#ladder ?? network
    this.frames = frame(core, model, this, options)
    this.mixture = new Mixture(model, options)
  }

  /** Of the ladder, where there is one. */
  set rung(rung: number) {
    if (this.#ladder !== undefined) this.#ladder.rung = rung
  }

  reset(mode: 'cold' | 'warm' = 'cold'): void {
    if (mode === 'warm') this.#engine.settle()
    else this.#engine.reset()
    this.frames.reset()
    this.mixture.reset()
  }

  dispose(): void {
    this.#engine.dispose()
    this.frames.dispose()
  }

  input(): Float32Array {
    return this.#engine.input()
  }

  output(): Float32Array {
    return this.#engine.output()
  }

  run(): void {
    this.#engine.run(this.isLost)
    // after the run, as it has replaced what is no number; the input keeps its place in scratch (FORMAT.md)
    this.mixture.take(this.#engine.output(), this.#engine.input(), this.#ladder?.isDry)
    this.#onVoice?.(this.mixture.voiceActivity, this.#channel)
  }

  end(): void {
    this.#engine.end()
  }

  /** `hops` hops pass unheard (Denoiser.advance). */
  advance(hops: number): void {
    this.#engine.advance(hops)
    this.frames.skip(hops)
    this.mixture.skip(hops)
  }

  save(to: SnapshotWriter): void {
    this.#engine.save(to)
    this.frames.save(to)
    this.mixture.save(to)
  }

  load(from: SnapshotReader): void {
    this.#engine.load(from)
    this.frames.load(from)
    this.mixture.load(from)
  }
}

function frame(core: Core, model: Model, runner: HopRunner, rates: Rates): Framing {
  const frames = new Frames(frameShapeOf(model), runner)
  if (rates.sampleRate === model.inputRate && rates.outputRate === model.outputRate) return frames
  // the delay, and a hop that has begun
  const mostPending = Math.ceil(2 * latencyOf(model, rates).deliveredSamples) + PENDING_MARGIN
  return new RatedFrames(core, model, frames, rates, mostPending)
}

export function frameShapeOf(model: Model) {
  const { inputHop, outputHop, lagSamples, lookaheadHops, overlapLag } = model
  return { inputHop, outputHop, lagSamples, lookaheadHops, zeroHops: Math.ceil(overlapLag / outputHop) }
}
