// A way from a microphone to a clean track, as the engine sees it. Variants: cleaner.track.ts, cleaner.frame.ts.

import type { Way } from './protocol.ts'

export interface Cleaner {
  readonly way: Way
  readonly track: MediaStreamTrack
  readonly latencyMs: number
  /** dB: -Infinity all that the model does, 0 the input, as late. */
  setStrength(strengthDb: number): void
  /** Render quanta (3 ms) so far for which clean sound was not there in time. */
  gaps(): Promise<number>
  close(): Promise<void>
}

/** One or two; more is no microphone of a call. */
export function channelsOf(microphone: MediaStreamTrack): number {
  return Math.min(2, microphone.getSettings().channelCount ?? 1)
}
