// A track through an audio graph: source -> denoiser -> destination. In: a track of any rate (the browser converts it to the
// context's). Out: a track that lives until `close`. A muted track is silence here, and nothing stops.

import type { NodeStats } from './messages.ts'
import { createDenoiserNode, type DenoiserNode, type DenoiserNodeOptions } from './node.ts'
import type { Route } from './route.ts'

/** A context starts only after a gesture, or while the page captures: tried again at each of these. */
const GESTURES = ['pointerdown', 'keydown', 'visibilitychange'] as const

export class GraphRoute implements Route {
  readonly name = 'worklet'
  readonly track: MediaStreamTrack
  readonly #node: DenoiserNode
  readonly #context: AudioContext
  readonly #ownsContext: boolean
  readonly #destination: MediaStreamAudioDestinationNode
  #source: MediaStreamAudioSourceNode

  /** `context`: whose it is stays; without one, one is made and closed again. */
  static async open(
    track: MediaStreamTrack,
    options: DenoiserNodeOptions,
    context?: AudioContext,
  ): Promise<GraphRoute> {
    const used = context ?? new AudioContext({ latencyHint: 'interactive' })
    try {
      return new GraphRoute(track, await createDenoiserNode(used, options), used, context === undefined)
    } catch (error) {
      if (context === undefined) await used.close()
      throw error
    }
  }

  private constructor(track: MediaStreamTrack, node: DenoiserNode, context: AudioContext, ownsContext: boolean) {
    this.#node = node
    this.#context = context
    this.#ownsContext = ownsContext
    this.#destination = new MediaStreamAudioDestinationNode(context, { channelCount: node.channelCount })
    this.track = this.#destination.stream.getAudioTracks()[0]
    node.connect(this.#destination)
    this.#source = this.#connect(track)
    context.addEventListener('statechange', this.#resume)
    for (const gesture of GESTURES) document.addEventListener(gesture, this.#resume, true)
    this.#resume()
  }

  get sampleRate(): number {
    return this.#context.sampleRate
  }

  get latencySamples(): number {
    return this.#node.latencySamples
  }

  replaceSource(track: MediaStreamTrack): void {
    const before = this.#source
    this.#source = this.#connect(track)
    before.disconnect()
  }

  setStrength(strengthDb: number): void {
    this.#node.strengthDb.value = Math.max(this.#node.strengthDb.minValue, strengthDb)
  }

  setBypass(isBypassed: boolean): void {
    this.#node.bypass.value = isBypassed ? 1 : 0
  }

  reset(): Promise<void> {
    return this.#node.reset()
  }

  stats(): Promise<NodeStats> {
    return this.#node.stats()
  }

  async close(): Promise<void> {
    this.#context.removeEventListener('statechange', this.#resume)
    for (const gesture of GESTURES) document.removeEventListener(gesture, this.#resume, true)
    this.#source.disconnect()
    await this.#node.close()
    if (this.#ownsContext) await this.#context.close()
  }

  #connect(track: MediaStreamTrack): MediaStreamAudioSourceNode {
    const source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: new MediaStream([track]) })
    source.connect(this.#node)
    return source
  }

  /** Only its own context: another's may rest on purpose. */
  readonly #resume = (): void => {
    const { state } = this.#context
    if (this.#ownsContext && state !== 'running' && state !== 'closed') this.#context.resume().catch(() => {})
  }
}
