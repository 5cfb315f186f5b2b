// What users hold: a stream of samples in, the same stream without noise out. In: chunks of f32 in -1..1, any length,
// channels side by side. Out: f32, aligned with the input; N samples in give N samples out after `flush` (times the ratio
// of the rates). One denoiser is one stream; a process may hold thousands, which share module, memory and weights.

import type { Model } from '../quantize/modelfile.ts'
import { checkComfort, MAX_COMFORT_DB } from './comfort.ts'
import type { Core, Program } from './core.ts'
import { freeWith } from './dropped.ts'
import { fail } from './errors.ts'
import { expectForm, type Form, saveForm } from './form.ts'
import type { HighBandMode } from './highBand.ts'
import { checkKind, checkKinds } from './kinds.ts'
import { Lane } from './lane.ts'
import { type Latency, latencyOf, type Path } from './latency.ts'
import { Level } from './level.ts'
import type { LadderOptions, SiblingOptions } from './options.ts'
import type { SampleFormat } from './pcm.ts'
import { Planes } from './planes.ts'
import { checkChannels, checkMixture, checkStrength, chooseLinking } from './preparation.ts'
import { mixtureOf } from './preset.ts'
import type { Profile } from './profile.ts'
import { Recorder } from './recorder.ts'
import type { FilterPhase } from './resampling.ts'
import { refuse, SnapshotReader, SnapshotWriter } from './snapshot.ts'
import { type ChunkChanger, changeChunks, iterateChunks, type StreamOptions, toTransformStream } from './stream.ts'
import { Supervision, type SupervisionStats } from './supervision.ts'

/** More than a minute at any rate. */
const MAX_CONCEAL_SAMPLES = 2 ** 23
/** Two years of 16 ms. */
const MAX_ADVANCE_HOPS = 2 ** 32 - 1

/** What a stream has done so far. */
export interface Stats {
  /** Per channel, since creation or `reset`. */
  readonly samplesIn: number
  /** Per channel. */
  readonly samplesOut: number
  /** Over all channels, lost ones included. */
  readonly hops: number
  /** Per channel, passed over by `advance`. */
  readonly lostHops: number
  /** Spent in `process`, `processInto` and `flush`. */
  readonly busyMs: number
  /** Seconds of signal per second spent: above 1 is faster than real time. */
  readonly speed: number
  /** dBFS over all channels; -Infinity for silence. */
  readonly inputDb: number
  /** As `inputDb`, of what came out. */
  readonly outputDb: number
  /** Largest magnitude that went in, and that came out. */
  readonly inputPeak: number
  /** Largest magnitude that came out. */
  readonly outputPeak: number
  /** Bytes of state per channel, and of the memory shared by all streams of this core. */
  readonly stateBytes: number
  /** Of the memory shared by all streams of this core. */
  readonly memoryBytes: number
  /** With a governor: what it sees and does. */
  readonly governor: SupervisionStats | undefined
}

/** What `create` of an entry hands to the constructor. */
export interface Parts extends Path {
  readonly core: Core
  readonly program: Program
  /** Of the ladder below it. */
  readonly lighter: readonly Program[]
  readonly governor: LadderOptions | undefined
  readonly profile: Profile | undefined
  readonly channels: number
  readonly highBand: HighBandMode
  /** Doublings of the input before the network. */
  readonly gainSteps: number
  readonly strengthDb: number
  readonly comfortNoiseDb: number
  readonly recordSeconds: number | undefined
  readonly onVoice: ((voiceActivity: number, channel: number) => void) | undefined
  readonly now: () => number
}

export class Denoiser {
  /** Of what goes in, Hz. */
  readonly sampleRate: number
  /** Of what comes out, Hz. */
  readonly outputRate: number
  /** Side by side, in and out. */
  readonly channels: number
  /** Are they denoised alike? */
  readonly linked: boolean
  /** What becomes of the band above the model's. */
  readonly highBand: HighBandMode
  /** Of the filters between the rates. */
  readonly phase: FilterPhase
  /** The validated model: sizes, rates, card. */
  readonly model: Model
  /** Where the delay comes from. */
  readonly latency: Latency
  /** What chose the model, with its reasons, where `profile` did. */
  readonly profile: Profile | undefined
  readonly #parts: Parts
  readonly #lanes: readonly Lane[]
  readonly #supervision: Supervision | undefined
  readonly #recorder: Recorder | undefined
  readonly #planes: Planes
  readonly #inputLevel = new Level()
  readonly #outputLevel = new Level()
  #strengthDb: number
  #comfortNoiseDb: number
  /** Per channel, since creation or `reset`. */
  #samplesIn = 0
  #samplesOut = 0
  /** Of streams already flushed. */
  #hops = 0
  #lostHops = 0
  #busyMs = 0
  readonly #freePrograms: () => void
  #disposed = false

  /** @internal Use `Denoiser.create`. */
  constructor(parts: Parts) {
    const { core, program, channels } = parts
    this.#parts = parts
    this.#freePrograms = freeWith(this, releasing(core, [program, ...parts.lighter]))
    this.model = program.model
    this.profile = parts.profile
    this.sampleRate = parts.sampleRate
    this.outputRate = parts.outputRate
    this.channels = channels
    this.linked = parts.linked
    this.highBand = parts.highBand
    this.phase = parts.phase
    this.latency = latencyOf(program.model, parts)
    this.#strengthDb = parts.strengthDb
    this.#comfortNoiseDb = parts.comfortNoiseDb
    if (parts.governor !== undefined) {
      const models = [program, ...parts.lighter].map(({ model }) => model)
      this.#supervision = new Supervision(models, parts.sampleRate, parts.governor, parts.now)
    }
    const [lanes, width] = parts.linked ? [1, channels] : [channels, 1]
    this.#lanes = Array.from({ length: lanes }, (_, first) => {
      return new Lane(core, program, { ...parts, latency: this.latency }, { first, stride: channels }, width)
    })
    this.#planes = new Planes(channels)
    if (parts.recordSeconds !== undefined) {
      const { sampleRate: inputRate, outputRate } = this
      const shape = { channels, inputRate, outputRate, seconds: parts.recordSeconds }
      this.#recorder = new Recorder(shape, () => this.snapshot())
    }
  }

  /** Delivered latency in samples at the output rate: as `latency.deliveredSamples`. */
  get latencySamples(): number {
    return this.latency.deliveredSamples
  }

  /** Delivered latency in milliseconds. */
  get latencyMs(): number {
    return this.latency.deliveredMs
  }

  /** Samples (all channels) that `process` returns for a chunk of so many; `out` of `processInto` needs as much room. */
  readyAfter(samples: number): number {
    checkKind('samples', samples, 'number')
    return this.#lanes[0].frames.readyAfter(Math.floor(samples / this.channels)) * this.channels
  }

  /** Samples (all channels) that `flush` would return. */
  get pendingSamples(): number {
    return this.#lanes[0].frames.pending * this.channels
  }

  /** As many samples as are ready: none while the first hop fills. The result is the caller's. */
  process(chunk: Float32Array): Float32Array {
    checkKind('chunk', chunk, 'samples')
    const out = new Float32Array(this.readyAfter(chunk.length))
    this.processInto(chunk, out)
    return out
  }

  /**
   * As `process`, into `out`, which is other memory than `chunk`; returns the number of samples written. Allocates nothing but
   * what the clock does.
   */
  processInto(chunk: Float32Array, out: Float32Array): number {
    this.#checkChunk(chunk, out)
    return this.#recorder === undefined ? this.#denoise(chunk, out) : this.#denoiseRecorded(this.#recorder, chunk, out)
  }

  /**
   * As `process`, with a Float32Array for each channel in and out: `planes[c]` holds channel c, all of one length. The
   * results are the caller's.
   */
  processPlanar(planes: readonly Float32Array[]): Float32Array[] {
    const out = this.#planes.open(this.readyAfter(this.#planes.join(planes).length))
    this.processPlanarInto(planes, out)
    return out
  }

  /** As `processInto`, with planes; returns samples per channel. Allocates nothing while chunks keep to one length. */
  processPlanarInto(planes: readonly Float32Array[], out: readonly Float32Array[]): number {
    const chunk = this.#planes.join(planes)
    const ready = this.readyAfter(chunk.length)
    const room = this.#planes.room(ready)
    this.#planes.expectRoom(out, ready)
    const wrote = this.processInto(chunk, room)
    this.#planes.split(room, wrote, out)
    return wrote / this.channels
  }

  /** As `flush`, a Float32Array for each channel. */
  flushPlanar(): Float32Array[] {
    const samples = this.flush()
    const out = this.#planes.open(samples.length)
    this.#planes.split(samples, samples.length, out)
    return out
  }

  /** Views are garbage: only what is longer than a whole recording is cut. */
  #denoiseRecorded(recorder: Recorder, chunk: Float32Array, out: Float32Array): number {
    if (chunk.length <= recorder.capacity) return this.#denoisePiece(recorder, chunk, out)
    let wrote = 0
    for (let at = 0; at < chunk.length; at += recorder.capacity)
      wrote += this.#denoisePiece(recorder, chunk.subarray(at, at + recorder.capacity), out.subarray(wrote))
    return wrote
  }

  #denoisePiece(recorder: Recorder, piece: Float32Array, out: Float32Array): number {
    recorder.samples(piece)
    const made = this.#denoise(piece, out)
    recorder.outputs(out, made)
    return made
  }

  #denoise(chunk: Float32Array, out: Float32Array): number {
    const { now } = this.#parts
    const started = now()
    const count = chunk.length / this.channels
    const hops = this.#lanes[0].frames.hops
    if (this.#supervision !== undefined) this.#setRung(this.#supervision.begin(count))
    let wrote = 0
    for (let i = 0; i < this.#lanes.length; i++) {
      const { frames, place } = this.#lanes[i]
      wrote = frames.push(chunk, count, out, place) * this.channels
    }
    this.#inputLevel.take(chunk, chunk.length)
    this.#outputLevel.take(out, wrote)
    this.#samplesIn += count
    this.#samplesOut += wrote / this.channels
    this.#supervision?.end(this.#lanes[0].frames.hops - hops)
    this.#busyMs += now() - started
    return wrote
  }

  /** The end of the stream: what is still inside comes out. The next chunk begins a new stream. */
  flush(): Float32Array {
    this.#checkAlive()
    this.#recorder?.call('flush', 0)
    const { now } = this.#parts
    const started = now()
    const out = new Float32Array(this.pendingSamples)
    for (const { frames, place } of this.#lanes) frames.drain(out, place)
    this.#hops += this.#lanes[0].frames.hops
    for (const lane of this.#lanes) lane.reset()
    this.#outputLevel.take(out, out.length)
    this.#samplesOut += out.length / this.channels
    this.#recorder?.outputs(out, out.length)
    this.#busyMs += now() - started
    return out
  }

  /**
   * The next sample is the first of a stream, and `stats` begin again. `cold`: as new. `warm`: as after two seconds of a
   * quiet room, so that the first words are not taken for noise; the first time for a model this takes some milliseconds.
   */
  reset(mode: 'cold' | 'warm' = 'cold'): void {
    this.#checkAlive()
    if (mode !== 'cold' && mode !== 'warm') fail('OPTION_INVALID', 'reset mode', mode, "use 'cold' or 'warm'")
    this.#recorder?.call('reset', mode === 'warm' ? 1 : 0)
    this.#supervision?.reset()
    this.#setRung(0)
    for (const lane of this.#lanes) lane.reset(mode)
    this.#inputLevel.reset()
    this.#outputLevel.reset()
    this.#samplesIn = 0
    this.#samplesOut = 0
    this.#hops = 0
    this.#lostHops = 0
    this.#busyMs = 0
  }

  /**
   * For `governor.by: 'arrival'`: so many more samples per channel have come and wait to be given to `process`. Those that
   * `conceal` and `advance` stand for are not among them.
   */
  arrived(samples: number): void {
    checkKind('samples', samples, 'number')
    // what is no number would make every later comparison false
    if (!(samples >= 0 && samples < Number.POSITIVE_INFINITY))
      fail('OPTION_INVALID', 'samples that arrived', samples, 'give how many')
    this.#supervision?.arrived(samples)
  }

  /**
   * The stream as bytes, at any point between two calls: about the model's state per channel (base 24 kB, lite 9 kB at 16
   * kHz). Restored anywhere, by the same model and the same build of the core, the stream goes on to the bit.
   */
  snapshot(): Uint8Array {
    this.#checkAlive()
    const to = new SnapshotWriter()
    saveForm(this.#form, to)
    for (const db of [this.#strengthDb, this.#comfortNoiseDb]) to.f64(Math.max(db, -Number.MAX_VALUE))
    for (const total of [this.#samplesIn, this.#samplesOut, this.#hops, this.#lostHops]) to.f64(total)
    this.#inputLevel.save(to)
    this.#outputLevel.save(to)
    for (const lane of this.#lanes) lane.save(to)
    return to.seal(this.#owner)
  }

  /**
   * Takes up the stream that `snapshot` froze, in this or another process: state, strength and counters, all but the time
   * spent. Throws STATE_INVALID on the snapshot of another model, build, version or number of channels, and on a damaged
   * one; the stream is then what it was.
   */
  restore(snapshot: Uint8Array): void {
    this.#checkAlive()
    const from = new SnapshotReader(snapshot, this.#owner)
    const before = this.snapshot()
    try {
      this.#load(from)
    } catch (error) {
      this.#load(new SnapshotReader(before, this.#owner))
      throw error
    }
    this.#recorder?.forget()
  }

  /**
   * The last seconds (`recordSeconds`) as bytes: input, calls and the state before them. `attenuate replay`, or `replay`
   * with a denoiser of the same model, makes the output again to the bit.
   */
  recording(): Uint8Array {
    this.#checkAlive()
    if (this.#recorder === undefined)
      fail('OPTION_INVALID', 'recordSeconds', this.#parts.recordSeconds, 'create the denoiser with recordSeconds')
    return this.#recorder.encode()
  }

  /**
   * `hops` hops were lost on the way in and nobody waits for them: the state moves past them as over announced silence, at
   * a cost that does not grow with their number (coast.ts says how well). In and out skip the same time: nothing comes
   * out for them. Samples of a hop not yet complete stay and count as after the gap.
   */
  advance(hops: number): void {
    this.#checkAlive()
    if (!Number.isInteger(hops) || hops < 0 || hops > MAX_ADVANCE_HOPS)
      fail('OPTION_INVALID', 'hops to advance', hops, `use 0..${MAX_ADVANCE_HOPS}`)
    if (hops === 0) return
    this.#recorder?.call('advance', hops)
    for (const lane of this.#lanes) lane.advance(hops)
    this.#lostHops += hops
    const { inputHop, inputRate } = this.model
    this.#supervision?.lost((hops * inputHop * this.sampleRate) / inputRate)
  }

  /**
   * So many samples per channel were lost on the way in, and somebody waits for them: what comes out in their place. A model
   * with a `flag` (nano) is told, and says what it expects; to others it is silence. For short gaps; see `advance`.
   */
  conceal(samples: number): Float32Array {
    this.#checkAlive()
    if (!Number.isInteger(samples) || samples < 0 || samples > MAX_CONCEAL_SAMPLES)
      fail('OPTION_INVALID', 'samples to conceal', samples, `use 0..${MAX_CONCEAL_SAMPLES}`)
    this.#recorder?.call('conceal', samples)
    const nothing = new Float32Array(samples * this.channels)
    const out = new Float32Array(this.readyAfter(nothing.length))
    this.#supervision?.arrived(samples) // or what comes after would seem to wait less
    for (const lane of this.#lanes) lane.isLost = true
    try {
      this.#denoise(nothing, out)
      this.#recorder?.outputs(out, out.length)
      return out
    } finally {
      for (const lane of this.#lanes) lane.isLost = false
    }
  }

  /** The most that is taken away, dB: 0 nothing, -Infinity all. */
  get strengthDb(): number {
    return this.#strengthDb
  }

  /** Takes effect over the next hop, without a click. */
  set strengthDb(value: number) {
    checkStrength(value, this.model)
    this.#recorder?.call('strengthDb', value)
    this.#strengthDb = value
    for (const lane of this.#lanes) lane.strengthDb = value
  }

  /** Level of the noise put in place of what was taken, dBFS. */
  get comfortNoiseDb(): number {
    return this.#comfortNoiseDb
  }

  /** dBFS; takes effect over the next hop. */
  set comfortNoiseDb(value: number) {
    checkComfort(value)
    this.#recorder?.call('comfortNoiseDb', value)
    this.#comfortNoiseDb = value
    for (const lane of this.#lanes) lane.comfortNoiseDb = value
  }

  /** How much voice the last hop held, 0..1; of several channels the most. */
  get voiceActivity(): number {
    let most = 0
    for (const { mixtures } of this.#lanes)
      for (const { voiceActivity } of mixtures) most = Math.max(most, voiceActivity)
    return most
  }

  /** Counters and levels since creation or `reset`. */
  stats(): Stats {
    return {
      samplesIn: this.#samplesIn,
      samplesOut: this.#samplesOut,
      hops: (this.#hops + this.#lanes[0].frames.hops) * this.channels,
      lostHops: this.#lostHops,
      busyMs: this.#busyMs,
      speed: (1000 * this.#samplesIn) / this.sampleRate / this.#busyMs,
      inputDb: this.#inputLevel.rmsDb,
      outputDb: this.#outputLevel.rmsDb,
      inputPeak: this.#inputLevel.peak,
      outputPeak: this.#outputLevel.peak,
      stateBytes: this.model.stateBytes,
      memoryBytes: this.#parts.core.usedBytes,
      governor: this.#supervision?.stats(),
    }
  }

  /**
   * A Web transform stream: Float32Array in and out, or bytes with `format`. One chunk waits, none is denoised before
   * the reader asks (back-pressure). At the end of the source the stream is flushed; the denoiser stays open and may be used again
   * (where a reader or a source gives up, after `reset`).
   */
  stream(options?: { readonly format?: undefined }): TransformStream<Float32Array, Float32Array>
  stream(options: { readonly format: SampleFormat }): TransformStream<Uint8Array, Uint8Array>
  stream(options?: StreamOptions): TransformStream {
    this.#checkAlive()
    return toTransformStream(changeChunks(this, options) as ChunkChanger<Float32Array>)
  }

  /** The same as an async iterator over any iterable of chunks; the source is asked when the result is. */
  iterate(
    source: AsyncIterable<Float32Array> | Iterable<Float32Array>,
    options?: { readonly format?: undefined },
  ): AsyncGenerator<Float32Array, void, undefined>
  iterate(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: { readonly format: SampleFormat },
  ): AsyncGenerator<Uint8Array, void, undefined>
  iterate(source: AsyncIterable<never> | Iterable<never>, options?: StreamOptions): AsyncGenerator<never> {
    this.#checkAlive()
    checkKind('source', source, 'source')
    return iterateChunks(changeChunks(this, options) as ChunkChanger<never>, source)
  }

  /** Another stream of the same model: at once, and it costs only its state. */
  sibling(options: SiblingOptions = {}): this {
    this.#checkAlive()
    checkKinds(options)
    const { channels = this.channels, linked: wanted = this.linked, onVoice = this.#parts.onVoice, ...choice } = options
    const inherited = choice.preset ? {} : { strengthDb: this.#strengthDb, comfortNoiseDb: this.#comfortNoiseDb }
    const mixture = mixtureOf({ ...inherited, ...choice })
    checkChannels(channels)
    checkMixture(mixture, this.model)
    const linked = chooseLinking(wanted, channels, this.model)
    const { core, program } = this.#parts
    for (const each of [program, ...this.#parts.lighter]) core.shareProgram(each)
    const Same = this.constructor as new (parts: Parts) => this
    return new Same({ ...this.#parts, ...mixture, channels, linked, onVoice })
  }

  /**
   * Frees the state; the weights too when no other stream uses them. May be called twice. Of a denoiser that was dropped without
   * it, the memory comes back some time after the garbage collector has found it.
   */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const lane of this.#lanes) lane.dispose()
    this.#freePrograms()
  }

  /** As `dispose`: for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** As `dispose`: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose()
  }

  /** Networks of the ladder; 0 without a governor. */
  get #rungs(): number {
    return this.#supervision === undefined ? 0 : 1 + this.#parts.lighter.length
  }

  #setRung(rung: number): void {
    for (let i = 0; i < this.#lanes.length; i++) this.#lanes[i].rung = rung
  }

  get #form(): Form {
    const { channels, sampleRate, outputRate, linked, highBand, phase } = this
    const { gainSteps } = this.#parts
    return { channels, sampleRate, outputRate, linked, highBand, phase, gainSteps, rungs: this.#rungs }
  }

  get #owner() {
    return { sha256: this.model.sha256, numericVersion: this.#parts.core.numericVersion }
  }

  #load(from: SnapshotReader): void {
    expectForm(this.#form, from)
    this.#strengthDb = loadDb(from, 0)
    this.#comfortNoiseDb = loadDb(from, MAX_COMFORT_DB)
    this.#samplesIn = from.total('samples in')
    this.#samplesOut = from.total('samples out')
    this.#hops = from.total('hops')
    this.#lostHops = from.total('lost hops')
    this.#inputLevel.load(from)
    this.#outputLevel.load(from)
    for (const lane of this.#lanes) {
      lane.load(from)
      lane.comfortNoiseDb = this.#comfortNoiseDb // strength has its fade among the lane's own values
    }
    from.end()
    const [first, ...others] = this.#lanes
    for (const { frames } of others)
      if (!frames.isAbreast(first.frames)) refuse('channels at different positions', frames.samplesIn)
  }

  #checkAlive(): void {
    if (this.#disposed) fail('DISPOSED', 'denoiser used after dispose', 'disposed', 'create another one')
  }

  #checkChunk(chunk: Float32Array, out: Float32Array): void {
    this.#checkAlive()
    checkKind('chunk', chunk, 'samples')
    checkKind('out', out, 'samples')
    if (chunk.length % this.channels !== 0)
      fail('OPTION_INVALID', 'chunk length', chunk.length, `use whole frames of ${this.channels} channels`)
    const ready = this.readyAfter(chunk.length)
    if (out.length < ready) fail('OPTION_INVALID', 'out is too short', out.length, `give ${ready} samples`)
    if (overlap(chunk, out)) fail('OPTION_INVALID', 'out overlaps chunk', out.byteOffset, 'give other memory')
  }
}

/** Results would be written over input that is still to be read. */
function overlap(a: Float32Array, b: Float32Array): boolean {
  const isApart = a.byteOffset + a.byteLength <= b.byteOffset || b.byteOffset + b.byteLength <= a.byteOffset
  return !isApart && a.buffer === b.buffer
}

/** A function of its own: what is made in the constructor would hold the denoiser. */
function releasing(core: Core, programs: readonly Program[]): () => void {
  return () => {
    for (const program of programs) core.releaseProgram(program)
  }
}

/** dB, where the most negative number stands for -Infinity. */
function loadDb(from: SnapshotReader, most: number): number {
  const value = from.f64('dB')
  if (value > most) refuse('dB', value)
  return value === -Number.MAX_VALUE ? Number.NEGATIVE_INFINITY : value
}
