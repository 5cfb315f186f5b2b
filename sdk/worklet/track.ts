// A microphone track in, a clean one out, for RTCPeerConnection, MediaRecorder or whatever takes tracks. The clean track
// speaks for its source (label, settings, constraints, mute), outlives it where another takes its place, and ends with it
// where none does. When the last copy of it is stopped, processor and memory go.

import { AttenuateError, fail } from '../errors.ts'
import { mixtureOf } from '../preset.ts'
import { shareOf } from '../strength.ts'
import { reportUncaught } from '../uncaught.ts'
import { likenAs } from './likeness.ts'
import type { NodeStats } from './messages.ts'
import type { DenoiserNodeOptions } from './node.ts'
import { GraphRoute } from './route.graph.ts'
import { canStream, StreamRoute } from './route.stream.ts'
import type { Route, RouteName } from './route.ts'

/** Of `denoiseTrack`. `channels` is the source's number, 1 or 2, unless said otherwise. */
export interface DenoiseTrackOptions extends DenoiserNodeOptions {
  /**
   * Default: `worklet`, on a thread of its own; `stream` (Chromium only) where the page may not load a worklet. With a route
   * named there is no other.
   */
  readonly route?: RouteName
  /** Used by the route `worklet` and left running; default: one of its own, at the rate of the device that plays. */
  readonly context?: AudioContext
  /** Stop the source with the last copy of the clean track: for who hands out nothing else. Default false. */
  readonly stopsSource?: boolean
  /**
   * Asked when the source has ended by itself (a headset unplugged): give another track, and the clean one goes on with it.
   * Where it gives none, or fails (reported as uncaught), the clean one ends too, as by default. One that comes when the
   * clean track needs it no more is stopped where `stopsSource` was asked for.
   */
  readonly onSourceEnded?: () => MediaStreamTrack | undefined | Promise<MediaStreamTrack | undefined>
}

/** A clean track. */
export interface DenoisedTrack extends MediaStreamTrack {
  /** Controls it. */
  readonly denoiser: TrackDenoiser
}

/**
 * A clean track that follows `track`. Stop it as any track: that frees the processor. Control it by its `denoiser`. Rejects
 * with an AttenuateError, or with the signal's reason; the track that was given is left as it was.
 *
 *     const [microphone] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()
 *     const clean = await denoiseTrack(microphone)
 *     await sender.replaceTrack(clean)       // of an RTCPeerConnection
 *     clean.denoiser.strengthDb = -18
 */
export async function denoiseTrack(track: MediaStreamTrack, options: DenoiseTrackOptions = {}): Promise<DenoisedTrack> {
  checkSource(track)
  const strengthDb = mixtureOf(options).strengthDb
  const channels = options.channels ?? Math.min(2, track.getSettings().channelCount ?? 1)
  const route = await openRoute(track, { ...options, channels })
  if (track.readyState === 'ended') {
    await route.close()
    checkSource(track)
  }
  return new TrackDenoiser(track, route, options, strengthDb).track
}

async function openRoute(
  track: MediaStreamTrack,
  { route, context, stopsSource: _, onSourceEnded: __, ...node }: DenoiseTrackOptions,
): Promise<Route> {
  if (route === 'stream') return StreamRoute.open(track, node)
  try {
    return await GraphRoute.open(track, node, context)
  } catch (error) {
    const isRefused = error instanceof AttenuateError && ['LOAD_FAILED', 'ENVIRONMENT_UNSUPPORTED'].includes(error.code)
    if (route === 'worklet' || !isRefused || !canStream()) throw error
    return StreamRoute.open(track, node)
  }
}

function checkSource(track: MediaStreamTrack): void {
  if (track?.kind !== 'audio') fail('OPTION_INVALID', 'kind of track', track?.kind, 'give an audio track')
  if (track.readyState === 'ended') fail('OPTION_INVALID', 'state of track', 'ended', 'give a track that is live')
}

/** Controls a clean track: `track.denoiser`. */
export class TrackDenoiser {
  /** The clean track. */
  readonly track: DenoisedTrack
  readonly #route: Route
  readonly #options: DenoiseTrackOptions
  /** The clean track and its clones that are not stopped. */
  readonly #live = new Set<MediaStreamTrack>()
  #source: MediaStreamTrack
  #strengthDb: number
  #isBypassed = false
  #isClosed = false
  #closing: Promise<void> | undefined

  /** @internal Use `denoiseTrack`. */
  constructor(source: MediaStreamTrack, route: Route, options: DenoiseTrackOptions, strengthDb: number) {
    this.#route = route
    this.#options = options
    this.#strengthDb = strengthDb
    this.#source = source
    this.track = this.#adopt(route.track)
    this.#follow(source)
  }

  /** The track that is being denoised. */
  get source(): MediaStreamTrack {
    return this.#source
  }

  /** The way that was taken. */
  get route(): RouteName {
    return this.#route.name
  }

  /** What the denoiser adds to the track's own latency. */
  get latencyMs(): number {
    return (1000 * this.#route.latencySamples) / this.#route.sampleRate
  }

  /** dB, -Infinity (all that the model does) to 0 (bypass at the same latency); changes without a click. */
  get strengthDb(): number {
    return this.#strengthDb
  }

  /** dB, 0 or less; models that widen the band (nano) have no strength. */
  set strengthDb(value: number) {
    shareOf(value) // checks
    this.#strengthDb = value
    this.#route.setStrength(value)
  }

  /** The input, as late as the output; changes without a click. */
  get bypass(): boolean {
    return this.#isBypassed
  }

  /** As `strengthDb` 0, which is kept meanwhile. */
  set bypass(value: boolean) {
    this.#isBypassed = value
    this.#route.setBypass(value)
  }

  /**
   * Another microphone takes the place of the source, at any rate; the clean track goes on, and so does what the model knows
   * of voice and noise (`reset` forgets it, and so does the route `stream` at another rate). The former source is the caller's, unless `stopsSource` was asked for.
   */
  replaceSource(track: MediaStreamTrack): void {
    checkSource(track)
    if (this.#isClosed)
      fail('DISPOSED', 'replaceSource after the clean track has ended', 'ended', 'denoise the new track')
    const before = this.#source
    if (track === before) return
    this.#route.replaceSource(track)
    this.#unfollow(before)
    this.#follow(track)
    if (this.#options.stopsSource) before.stop()
    if (before.muted !== track.muted) this.#tell(track.muted ? 'mute' : 'unmute')
  }

  /** Forgets what was heard: for another speaker or room. */
  reset(): Promise<void> {
    return this.#route.reset()
  }

  /** Counters and levels so far. */
  stats(): Promise<NodeStats> {
    return this.#route.stats()
  }

  /** Stops the clean track and its clones, and frees the processor. As when the last of them is stopped. */
  async close(): Promise<void> {
    for (const track of [...this.#live]) track.stop()
    await this.#closing
  }

  /** A track that came out, or a clone of one: it speaks for the source, and its end counts. */
  #adopt(track: MediaStreamTrack): DenoisedTrack {
    const stop = track.stop.bind(track)
    const clone = track.clone.bind(track)
    likenAs(track, () => this.#source)
    this.#live.add(track)
    return Object.defineProperties(track, {
      denoiser: { value: this },
      stop: { value: () => this.#stop(track, stop), configurable: true },
      clone: { value: () => (track.readyState === 'live' ? this.#adopt(clone()) : clone()), configurable: true },
    }) as DenoisedTrack
  }

  #stop(track: MediaStreamTrack, stop: () => void): void {
    stop()
    this.#live.delete(track)
    if (this.#live.size > 0 || this.#isClosed) return
    this.#isClosed = true
    this.#unfollow(this.#source)
    if (this.#options.stopsSource) this.#source.stop()
    this.#closing = this.#route.close()
  }

  #follow(source: MediaStreamTrack): void {
    this.#source = source
    source.addEventListener('mute', this.#pass)
    source.addEventListener('unmute', this.#pass)
    source.addEventListener('ended', this.#end)
  }

  #unfollow(source: MediaStreamTrack): void {
    source.removeEventListener('mute', this.#pass)
    source.removeEventListener('unmute', this.#pass)
    source.removeEventListener('ended', this.#end)
  }

  readonly #pass = ({ type }: Event): void => this.#tell(type)

  readonly #end = async (): Promise<void> => {
    const ended = this.#source
    const isWaiting = () => !this.#isClosed && this.#source === ended
    try {
      const next = await this.#options.onSourceEnded?.()
      if (next !== undefined && isWaiting()) this.replaceSource(next)
      else if (this.#options.stopsSource && next !== this.#source) next?.stop()
    } catch (error) {
      reportUncaught(error)
    }
    if (!isWaiting()) return
    const tracks = [...this.#live]
    for (const track of tracks) track.stop()
    for (const track of tracks) track.dispatchEvent(new Event('ended'))
  }

  #tell(type: string): void {
    for (const track of this.#live) track.dispatchEvent(new Event(type))
  }
}
