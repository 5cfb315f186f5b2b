// Delay from the microphone to the ear, part by part. In: a model, the rates around it. Out: samples at the output rate;
// `deliveredSamples` is what an impulse test measures when chunks are single hops (FORMAT.md, Header).

import type { Model } from '../quantize/modelfile.ts'
import { type FilterPhase, greatestCommonDivisor, shapeFilter } from './resampling.ts'

/** Where the delay comes from, in samples at the output rate; parts may be fractions where that is not the model's. */
export interface Latency {
  /** One hop has to be complete before it can be processed. */
  readonly hopSamples: number
  /** What the network looks ahead, in whole hops. */
  readonly lookaheadSamples: number
  /** Overlap of its frames, and of those that link channels. */
  readonly overlapSamples: number
  /** The filters of both resamplers, and what waits because hops and samples do not divide. */
  readonly resamplingSamples: number
  /** What waits while a hop is run little by little: in a worklet. */
  readonly spreadSamples: number
  /** All of it: what an impulse takes from in to out. */
  readonly deliveredSamples: number
  /** The same in milliseconds. */
  readonly deliveredMs: number
}

/** Of a stream, Hz. */
export interface Rates {
  readonly sampleRate: number
  readonly outputRate: number
}

/** What the delay depends on beside the model. */
export interface Path extends Rates {
  /** Channels share one filter, which takes a hop more. */
  readonly linked: boolean
  /** Of the filters between the rates. */
  readonly phase: FilterPhase
  /** Samples at the model's rate over which a hop is run (frames.ts). Default 0. */
  readonly spreadSamples?: number
}

export function latencyOf(model: Model, path: Path): Latency {
  const { sampleRate, outputRate, linked, spreadSamples = 0 } = path
  const scale = outputRate / model.outputRate
  const linking = linked ? model.outputHop : 0
  const isNative = sampleRate === model.inputRate && outputRate === model.outputRate
  const spread = (spreadSamples * outputRate) / model.inputRate
  const delivered = isNative
    ? model.latencySamples + linking + spread
    : worstDelay(model, path, model.lagSamples + linking)
  return {
    hopSamples: model.outputHop * scale,
    lookaheadSamples: model.lookaheadHops * model.outputHop * scale,
    overlapSamples: (model.overlapLag + linking) * scale,
    resamplingSamples: delivered - (model.latencySamples + linking) * scale - spread,
    spreadSamples: spread,
    deliveredSamples: delivered,
    deliveredMs: (1000 * delivered) / outputRate,
  }
}

/** Hops after which hops and samples of all rates begin together again. */
export function periodOf({ inputHop, outputHop, ...model }: Model, { sampleRate, outputRate }: Rates): number {
  const before = model.inputRate / greatestCommonDivisor(model.inputRate, inputHop * sampleRate)
  const after = model.outputRate / greatestCommonDivisor(model.outputRate, outputHop * outputRate)
  return (before * after) / greatestCommonDivisor(before, after)
}

/** The most that an output waits for inputs, in whole samples at the output rate: what each stage needs, from the end on. */
function worstDelay(model: Model, path: Path, lagSamples: number): number {
  const { sampleRate, outputRate, phase, spreadSamples = 0 } = path
  const { inputRate, inputHop, outputHop } = model
  const up = inputsNeeded(model.outputRate, outputRate, phase)
  const down = inputsNeeded(sampleRate, inputRate, phase)
  const outputs = (periodOf(model, path) * outputHop * outputRate) / model.outputRate
  let worst = 0
  for (let n = 0; n < outputs; n++) {
    const hops = Math.ceil((up(n) + lagSamples) / outputHop)
    const inputs = down(hops * inputHop + spreadSamples - 1)
    worst = Math.max(worst, (inputs * outputRate) / sampleRate - n)
  }
  return Math.ceil(worst)
}

/** Inputs that must be there before output n is (resampler.ts). */
function inputsNeeded(from: number, to: number, phase: FilterPhase): (n: number) => number {
  if (from === to) return (n) => n + 1
  const { ahead, inputs, outputs } = shapeFilter(from, to, phase)
  return (n) => Math.floor((n * inputs) / outputs) + ahead + 1
}
