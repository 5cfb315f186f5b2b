// `attenuate-edge/worklet`: the denoiser where sound lives in browsers. A node for an audio graph, a track for a call, and
// the shape that LiveKit wants.

export { LiveKitDenoiser, type TrackProcessorOptions } from './livekit.ts'
export type { NodeStats } from './messages.ts'
export { createDenoiserNode, DenoiserNode, type DenoiserNodeOptions } from './node.ts'
export type { RouteName } from './route.ts'
export { type DenoisedTrack, type DenoiseTrackOptions, denoiseTrack, TrackDenoiser } from './track.ts'
