// The shape of a processor that LiveKit's LocalAudioTrack takes (`setProcessor`), without LiveKit: init, restart, destroy,
// processedTrack. In: LiveKit's track and AudioContext. Out: a clean track, which LiveKit publishes.

import type { DenoiserNodeOptions } from './node.ts'
import { type DenoisedTrack, denoiseTrack, type TrackDenoiser } from './track.ts'

/** What LiveKit gives; more is ignored. */
export interface TrackProcessorOptions {
  /** The microphone. */
  readonly track: MediaStreamTrack
  /** LiveKit's own. */
  readonly audioContext?: AudioContext
}

/**
 *     await room.localParticipant.getTrackPublication(Track.Source.Microphone)
 *       .audioTrack.setProcessor(new LiveKitDenoiser({ model: 'base' }))
 */
export class LiveKitDenoiser {
  /** Under which LiveKit knows it. */
  readonly name = 'attenuate-edge'
  readonly #options: DenoiserNodeOptions
  /** What LiveKit sends instead of the microphone. */
  processedTrack: DenoisedTrack | undefined

  constructor(options: DenoiserNodeOptions = {}) {
    this.#options = options
  }

  /** Strength, bypass and stats of the track; undefined before `init` and after `destroy`. */
  get denoiser(): TrackDenoiser | undefined {
    return this.processedTrack?.denoiser
  }

  /** Called by LiveKit. Rejects with an AttenuateError. */
  async init({ track, audioContext }: TrackProcessorOptions): Promise<void> {
    const context = audioContext === undefined ? {} : { context: audioContext }
    const clean = await denoiseTrack(track, { ...this.#options, ...context })
    await this.destroy()
    this.processedTrack = clean
  }

  /** Called by LiveKit with another microphone: the clean track stays the same where it can. */
  async restart(options: TrackProcessorOptions): Promise<void> {
    if (this.processedTrack?.readyState === 'live') this.processedTrack.denoiser.replaceSource(options.track)
    else await this.init(options)
  }

  /** Called by LiveKit. */
  async destroy(): Promise<void> {
    const clean = this.processedTrack
    this.processedTrack = undefined
    await clean?.denoiser.close()
  }
}
