// A track through its own streams: MediaStreamTrackProcessor -> denoiser -> MediaStreamTrackGenerator, on the thread of the
// page. In: AudioData as the device gives it; another rate or number of channels makes another denoiser. Out: AudioData with
// the time at which its sound was captured, so that pictures stay with it.

import { Denoiser } from '../denoiser.ts'
import { fail } from '../errors.ts'
import { browserHost } from '../host.browser.ts'
import { parseModel } from '../model.ts'
import { prepareParts } from '../preparation.ts'
import { mixtureOf } from '../preset.ts'
import { LEAST_STRENGTH_DB, type NodeStats } from './messages.ts'
import type { DenoiserNodeOptions } from './node.ts'
import { Quanta } from './quanta.ts'
import type { Route } from './route.ts'

declare class MediaStreamTrackProcessor {
  constructor(init: { track: MediaStreamTrack; maxBufferSize: number })
  readonly readable: ReadableStream<AudioData>
}
interface MediaStreamTrackGenerator extends MediaStreamTrack {
  readonly writable: WritableStream<AudioData>
}
declare const MediaStreamTrackGenerator: new (init: { kind: 'audio' }) => MediaStreamTrackGenerator

/** Longest piece that is provided for at first; devices give 10 ms. */
const USUAL_PIECE_MS = 20
/** Pieces that wait while the page is busy, a second of 10 ms; what comes beyond is lost. */
const MOST_WAITING = 100
/** What a page can be told about a stream before its first sound. */
const USUAL_RATE = 48000

/** Are both ends there? */
export function canStream(): boolean {
  return 'MediaStreamTrackProcessor' in globalThis && 'MediaStreamTrackGenerator' in globalThis
}

/** A denoiser for one rate and number of channels, with its bridge from pieces to hops. */
interface Stage {
  readonly denoiser: Denoiser
  readonly quanta: Quanta
  /** (channels) a piece in and out. */
  readonly input: Float32Array[]
  readonly output: Float32Array[]
}

export class StreamRoute implements Route {
  readonly name = 'stream'
  readonly track: MediaStreamTrack
  readonly #options: DenoiserNodeOptions
  readonly #writer: WritableStreamDefaultWriter<AudioData>
  #reader: ReadableStreamDefaultReader<AudioData> | undefined
  #stage: Stage
  #strengthDb: number
  #isBypassed = false
  #isClosed = false

  static async open(track: MediaStreamTrack, options: DenoiserNodeOptions): Promise<StreamRoute> {
    if (!canStream())
      fail('ENVIRONMENT_UNSUPPORTED', 'MediaStreamTrackProcessor', 'absent', "use the route 'worklet', or Chromium")
    const { sampleRate = USUAL_RATE } = track.getSettings()
    // read once, whatever rates come
    const model = await parseModel(browserHost, options.model, options)
    const ready = { ...options, model }
    return new StreamRoute(track, ready, await openStage(ready, sampleRate, options.channels ?? 1))
  }

  private constructor(track: MediaStreamTrack, options: DenoiserNodeOptions, stage: Stage) {
    const generator = new MediaStreamTrackGenerator({ kind: 'audio' })
    this.track = generator
    this.#writer = generator.writable.getWriter()
    this.#options = options
    this.#stage = stage
    this.#strengthDb = mixtureOf(options).strengthDb
    this.replaceSource(track)
  }

  get sampleRate(): number {
    return this.#stage.denoiser.sampleRate
  }

  get latencySamples(): number {
    return this.#stage.quanta.latencySamples
  }

  replaceSource(track: MediaStreamTrack): void {
    this.#reader?.cancel().catch(() => {})
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: MOST_WAITING }).readable.getReader()
    this.#reader = reader
    // a track that ends, or a sink that closes, ends the pump; the track that comes out is ended by its owner
    this.#pump(reader).catch((error) => {
      if (!this.#isClosed && reader === this.#reader) console.error(error)
    })
  }

  setStrength(strengthDb: number): void {
    this.#strengthDb = strengthDb
    this.#follow()
  }

  setBypass(isBypassed: boolean): void {
    this.#isBypassed = isBypassed
    this.#follow()
  }

  async reset(): Promise<void> {
    this.#stage.quanta.reset()
  }

  async stats(): Promise<NodeStats> {
    return this.#stage.quanta.stats()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#reader?.cancel().catch(() => {})
    await this.#writer.close().catch(() => {})
    this.#stage.denoiser.dispose()
  }

  async #pump(reader: ReadableStreamDefaultReader<AudioData>): Promise<void> {
    for (;;) {
      const { value: data, done } = await reader.read()
      if (done) return
      const clean = await this.#denoise(data).finally(() => data.close())
      if (this.#isClosed || reader !== this.#reader) return clean.close()
      await this.#writer.write(clean)
    }
  }

  async #denoise(data: AudioData): Promise<AudioData> {
    const { sampleRate, numberOfChannels, numberOfFrames } = data
    const { denoiser, quanta } = this.#stage
    if (sampleRate !== denoiser.sampleRate || numberOfFrames > quanta.length) {
      this.#stage = await openStage(this.#options, sampleRate, denoiser.channels, numberOfFrames)
      denoiser.dispose()
      this.#follow()
    }
    const { input, output, quanta: now } = this.#stage
    const channels = output.length
    const planes = input
      .slice(0, Math.min(channels, numberOfChannels))
      .map((plane) => plane.subarray(0, numberOfFrames))
    const results = output.map((plane) => plane.subarray(0, numberOfFrames))
    for (const [planeIndex, plane] of planes.entries()) data.copyTo(plane, { planeIndex, format: 'f32-planar' })
    now.process(planes, results)
    const samples = new Float32Array(channels * numberOfFrames)
    for (const [c, result] of results.entries()) samples.set(result, c * numberOfFrames)
    return new AudioData({
      format: 'f32-planar',
      sampleRate,
      numberOfFrames,
      numberOfChannels: channels,
      timestamp: data.timestamp - Math.round((1e6 * now.latencySamples) / sampleRate),
      data: samples,
    })
  }

  #follow(): void {
    const { denoiser } = this.#stage
    if (denoiser.model.inputRate !== denoiser.model.outputRate) return
    const wanted = this.#isBypassed ? 0 : this.#strengthDb
    denoiser.strengthDb = wanted <= LEAST_STRENGTH_DB ? Number.NEGATIVE_INFINITY : wanted
  }
}

async function openStage(
  { wasm, model, linked, highBand, phase, preset, strengthDb, comfortNoiseDb }: DenoiserNodeOptions,
  sampleRate: number,
  channels: number,
  frames = Math.ceil((USUAL_PIECE_MS * sampleRate) / 1000),
): Promise<Stage> {
  const mixture = { preset, strengthDb, comfortNoiseDb }
  const options = { wasm, model, linked, highBand, phase, ...mixture, channels, sampleRate, outputRate: sampleRate }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const denoiser = new Denoiser(await prepareParts(browserHost, given))
  const planes = () => Array.from({ length: channels }, () => new Float32Array(frames))
  return { denoiser, quanta: new Quanta(denoiser, frames, 1), input: planes(), output: planes() }
}
