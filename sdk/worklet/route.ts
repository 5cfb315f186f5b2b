// The two ways of a track through a denoiser, as track.ts sees them: an audio graph (route.graph.ts), which has a thread of
// its own, and the streams of a track (route.stream.ts), which need no AudioContext and no worklet.

import type { NodeStats } from './messages.ts'

/** `worklet`: an AudioContext and an AudioWorkletNode. `stream`: MediaStreamTrackProcessor and -Generator (Chromium). */
export type RouteName = 'worklet' | 'stream'

export interface Route {
  readonly name: RouteName
  /** What comes out. */
  readonly track: MediaStreamTrack
  /** From in to out, samples of `sampleRate`: what an impulse takes between the two ends of this route. */
  readonly latencySamples: number
  /** Hz; of the last sound, where that changes. */
  readonly sampleRate: number
  /** Samples come from this track from now on; what came out goes on. */
  replaceSource(track: MediaStreamTrack): void
  setStrength(strengthDb: number): void
  setBypass(isBypassed: boolean): void
  reset(): Promise<void>
  stats(): Promise<NodeStats>
  close(): Promise<void>
}
