// A way from a microphone to a clean track, as the engine sees it. Variants: cleaner.track.ts, cleaner.frame.ts.

import type { Way } from './protocol.ts'

/** Of the SDK's statistics. */
export interface CleanerStats {
  readonly hops: number
  readonly busyMs: number
  /** Seconds of signal per second spent. */
  readonly speed: number
}

export interface Cleaner {
  readonly way: Way
  readonly track: MediaStreamTrack
  readonly latencyMs: number
  /** dB: -Infinity all that the model does, 0 the input, as late. */
  setStrength(strengthDb: number): void
  stats(): Promise<CleanerStats>
  close(): Promise<void>
}

/** One or two; more is no microphone of a call. */
export function channelsOf(microphone: MediaStreamTrack): number {
  return Math.min(2, microphone.getSettings().channelCount ?? 1)
}
