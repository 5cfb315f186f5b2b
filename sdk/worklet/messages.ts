// What a node and its processor say to each other: questions with a number one way, answers with the same number back.

import type { Stats } from '../denoiser.ts'
import type { HighBandMode } from '../highBand.ts'
import type { Latency } from '../latency.ts'
import type { FilterPhase } from '../resampling.ts'

/** Given to the processor when it is made. */
export interface ProcessorOptions {
  readonly wasm: WebAssembly.Module
  /** The same for the same module. */
  readonly wasmName: string
  /** A model file, checked again before it runs. */
  readonly model: Uint8Array
  readonly channels: number
  readonly linked: boolean
  /** Default: the denoiser's. */
  readonly highBand?: HighBandMode
  readonly phase?: FilterPhase
  readonly comfortNoiseDb: number
  readonly strengthDb: number
  /** Samples of a render quantum. */
  readonly quantum: number
  /** Quanta over which a hop is spread. */
  readonly spreadQuanta: number
}

export type Question = { readonly id: number; readonly kind: 'stats' | 'reset' | 'close' }

/** With number 0: ready, or why not. */
export type Answer =
  | { readonly id: 0; readonly ready: Ready }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } }
  | { readonly id: number; readonly stats?: NodeStats }

export interface Ready {
  readonly latency: Latency
  /** From the node's input to its output, in samples of the context. */
  readonly latencySamples: number
}

/** What a node has done so far. */
export interface NodeStats extends Stats {
  /** Render quanta processed. */
  readonly quanta: number
  /** Quanta that found too little to play: silence. */
  readonly underruns: number
  /** Time spent per time of sound: 0.01 is 1 % of a core. By a clock of milliseconds in most browsers: let seconds pass. */
  readonly cpuShare: number
}

/** Parameters cannot be infinite: this and less is all that the model does. */
export const LEAST_STRENGTH_DB = -120
export const PROCESSOR_NAME = 'attenuate-denoiser'
