// Delay from the microphone to the ear, part by part. In: a model, the rates around it. Out: samples at the output rate;
// `deliveredSamples` is what an impulse test measures when chunks are single hops (FORMAT.md, Header).

import type { Model } from '../quantize/modelfile.ts'

/** Where the delay comes from, in samples at the output rate. */
export interface Latency {
  /** One hop has to be complete before it can be processed. */
  readonly hopSamples: number
  /** What the network looks ahead, in whole hops. */
  readonly lookaheadSamples: number
  /** Overlap of its frames. */
  readonly overlapSamples: number
  /** All of it: what an impulse takes from in to out. */
  readonly deliveredSamples: number
  /** The same in milliseconds. */
  readonly deliveredMs: number
}

export function latencyOf(model: Model): Latency {
  return {
    hopSamples: model.outputHop,
    lookaheadSamples: model.lookaheadHops * model.outputHop,
    overlapSamples: model.overlapLag,
    deliveredSamples: model.latencySamples,
    deliveredMs: (1000 * model.latencySamples) / model.outputRate,
  }
}
