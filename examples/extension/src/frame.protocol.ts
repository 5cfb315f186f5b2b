// What the page's documents, the pipe on the audio thread and the worker in the extension's frame say to each other.

/** Frames (a sample of each channel) that the pipe sends at once: 5 ms at 48 kHz. */
export const PIECE = 256

/** Document to frame, with the ports of audio and control. */
export interface Opening {
  readonly sampleRate: number
  readonly channels: number
}

/** Frame to document: ready, or why not. */
export type Reply = { readonly latencySamples: number } | { readonly error: string }

/** Document to worker. */
export type Control = { readonly strengthDb: number } | 'close'

/** Pipe to document, whenever a piece was late. */
export interface PipeState {
  /** From input to output, samples per channel. */
  readonly delay: number
  /** Render quanta without clean sound. */
  readonly gaps: number
}

/** Document to pipe. */
export interface PipeOptions {
  readonly channels: number
  /** From input to output, samples per channel: at first, and at most. */
  readonly delay: number
  readonly mostDelay: number
}

/** Worker to pipe. `spent`: what came, for use again. All interleaved. */
export interface Piece {
  readonly samples: Float32Array<ArrayBuffer>
  readonly spent: Float32Array<ArrayBuffer>
}
