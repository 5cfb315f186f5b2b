// One network and the channels it serves: one, or several in step that share what it does (image.ts). In: samples at the
// stream's rate. Out: samples at the output's rate, blended and with the high band as the options say.

import type { Model } from '../quantize/modelfile.ts'
import type { Core, Program } from './core.ts'
import type { Engine } from './engine.ts'
import { Frames, type Framing, type HopRunner, type Place } from './frames.ts'
import { HighBand, type HighBandMode } from './highBand.ts'
import { Image } from './image.ts'
import { Ladder } from './ladder.ts'
import type { Latency, Path } from './latency.ts'
import { Mixture, type MixtureOptions } from './mixture.ts'
import { Network } from './network.ts'
import { RatedFrames } from './rated.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'
import { shareOf } from './strength.ts'
import { reportUncaught } from './uncaught.ts'

export interface LaneOptions extends MixtureOptions, Path {
  readonly latency: Latency
  readonly governor: unknown
  /** Of the ladder below the program. */
  readonly lighter: readonly Program[]
  readonly highBand: HighBandMode
  /** Doublings of the input before the network, taken back after it. */
  readonly gainSteps: number
  readonly onVoice: ((voiceActivity: number, channel: number) => void) | undefined
}

/** Of rounding between rates. */
const PENDING_MARGIN = 16
/** Results that come at once, beyond the model's own lag: a piece of rated.ts, the filters' tails. */
const HIGH_BAND_REACH = 512

export class Lane implements HopRunner {
  readonly frames: Framing
  /** (channels) */
  readonly mixtures: readonly Mixture[]
  /** Where its channels lie among all. */
  readonly place: Place
  /** The input of hops that end now never came (Denoiser.conceal). */
  isLost = false
  /** The network has its input, and may have run some of it. */
  #hasBegun = false
  readonly #engine: Engine
  readonly #ladder: Ladder | undefined
  readonly #image: Image | undefined
  readonly #highBand: HighBand | undefined
  /** (channels) what went in, oldest first. */
  readonly #drys: readonly Float32Array[]
  /** A power of two, so that it can be taken back to the bit. */
  readonly #gain: number
  readonly #onVoice: LaneOptions['onVoice']

  /** `place`: of its channels, `channels` of them. */
  constructor(core: Core, program: Program, options: LaneOptions, place: Place, channels: number) {
    const { model } = program
    const { outputHop, lagSamples } = model
    this.place = place
    this.#gain = 2 ** options.gainSteps
    this.#onVoice = options.onVoice
    const network = new Network(core, program, (options.spreadSamples ?? 0) > 0)
    if (options.governor !== undefined)
      this.#ladder = new Ladder([network, ...options.lighter.map((each) => new Network(core, each))])
    this.#engine = this.#ladder ?? network
    if (options.linked) this.#image = new Image(channels, outputHop, lagSamples)
    const shape = { ...frameShapeOf(model, options.linked), spreadSamples: options.spreadSamples ?? 0 }
    this.mixtures = Array.from({ length: channels }, () => new Mixture(model, options, shape.lagSamples))
    this.#highBand = openHighBand(model, options, shape.lagSamples, channels)
    this.#drys = this.#highBand === undefined ? [] : this.mixtures.map(({ dry }) => dry)
    const frames = new Frames(shape, this, channels)
    this.frames = isNative(model, options) ? frames : rate(core, model, frames, options, channels, this.#highBand)
  }

  /** Of the ladder, where there is one. */
  set rung(rung: number) {
    if (this.#ladder !== undefined) this.#ladder.rung = rung
  }

  /** Fades over the next hop. */
  set strengthDb(value: number) {
    for (const mixture of this.mixtures) mixture.strengthDb = value
    if (this.#highBand !== undefined) this.#highBand.first = shareOf(value)
  }

  /** Fades over the next hop. */
  set comfortNoiseDb(value: number) {
    for (const mixture of this.mixtures) mixture.comfortNoiseDb = value
  }

  reset(mode: 'cold' | 'warm' = 'cold'): void {
    if (mode === 'warm') this.#engine.settle()
    else this.#engine.reset()
    this.#hasBegun = false
    this.#image?.reset()
    this.frames.reset()
    for (const mixture of this.mixtures) mixture.reset()
  }

  dispose(): void {
    this.#engine.dispose()
    this.frames.dispose()
  }

  /** `inputs`: (channels)(inputHop). `outputs`: (channels)(outputHop). Allocates nothing. */
  run(inputs: readonly Float32Array[], outputs: readonly Float32Array[]): void {
    if (!this.#hasBegun) this.#give(inputs)
    this.#hasBegun = false
    this.#engine.run(this.isLost)
    const result = this.#engine.output()
    if (this.#gain !== 1) scale(result, 1 / this.#gain)
    if (this.#image === undefined) outputs[0].set(result)
    else this.#image.take(result, inputs, outputs)
    for (let c = 0; c < outputs.length; c++) {
      this.mixtures[c].take(outputs[c], inputs[c], this.#ladder?.isDry)
      this.#tellVoice(c)
    }
    this.#highBand?.take(outputs, this.#drys)
  }

  #tellVoice(c: number): void {
    try {
      this.#onVoice?.(this.mixtures[c].voiceActivity, this.place.first + c)
    } catch (error) {
      reportUncaught(error)
    }
  }

  /** As much of the network's part of the coming run as `share`. */
  proceed(inputs: readonly Float32Array[], share: number): void {
    if (!this.#hasBegun) this.#give(inputs)
    this.#hasBegun = true
    this.#engine.proceed(share)
  }

  #give(inputs: readonly Float32Array[]): void {
    const input = this.#engine.input()
    average(inputs, input)
    if (this.#gain !== 1) scale(input, this.#gain)
  }

  end(): void {
    this.#engine.end()
  }

  /** `hops` hops pass unheard (Denoiser.advance). */
  advance(hops: number): void {
    this.#engine.advance(hops)
    this.#image?.reset()
    this.frames.skip(hops)
    for (const mixture of this.mixtures) mixture.skip(hops)
  }

  save(to: SnapshotWriter): void {
    this.#engine.save(to)
    this.#image?.save(to)
    this.frames.save(to)
    for (const mixture of this.mixtures) mixture.save(to)
  }

  load(from: SnapshotReader): void {
    this.#engine.load(from)
    this.#image?.load(from)
    this.frames.load(from)
    for (const mixture of this.mixtures) mixture.load(from)
  }
}

/** The mean of the channels. */
function average(inputs: readonly Float32Array[], to: Float32Array): void {
  to.set(inputs[0])
  if (inputs.length === 1) return
  for (let c = 1; c < inputs.length; c++) for (let i = 0; i < to.length; i++) to[i] += inputs[c][i]
  for (let i = 0; i < to.length; i++) to[i] /= inputs.length
}

function scale(samples: Float32Array, by: number): void {
  for (let i = 0; i < samples.length; i++) samples[i] *= by
}

function isNative(model: Model, { sampleRate, outputRate }: Path): boolean {
  return sampleRate === model.inputRate && outputRate === model.outputRate
}

function rate(
  core: Core,
  model: Model,
  frames: Frames,
  options: LaneOptions,
  channels: number,
  highBand: HighBand | undefined,
): Framing {
  // the delay, and a hop that has begun
  const mostPending = Math.ceil(2 * options.latency.deliveredSamples) + PENDING_MARGIN
  return new RatedFrames(core, model, frames, { ...options, channels, mostPending, highBand })
}

function openHighBand(
  model: Model,
  { highBand: mode, strengthDb }: LaneOptions,
  lagSamples: number,
  channels: number,
): HighBand | undefined {
  if (mode === 'drop') return undefined
  const { outputHop: hop, outputRate } = model
  const reachSamples = HIGH_BAND_REACH + lagSamples + 2 * hop
  const shape = { mode, channels, hop, hopMs: (1000 * hop) / outputRate, lagSamples, reachSamples }
  return new HighBand(shape, shareOf(strengthDb))
}

export function frameShapeOf(model: Model, linked = false) {
  const { inputHop, outputHop, lagSamples, lookaheadHops, overlapLag } = model
  const zeroHops = Math.ceil(overlapLag / outputHop)
  const apart = { inputHop, outputHop, lagSamples, lookaheadHops, zeroHops }
  if (!linked) return apart
  // Linked channels come out a hop later, so one hop more is run at the end. A network that looks ahead sees the end coming:
  // it is marked where it is for channels apart. Of one that does not, the decay is heard and shapes the last filter.
  const closing = lookaheadHops > 0 ? { lookaheadHops: lookaheadHops + 1 } : { zeroHops: zeroHops + 1 }
  return { ...apart, lagSamples: lagSamples + outputHop, ...closing }
}
