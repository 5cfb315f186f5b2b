// The audio graph. In: a source. Out: what is heard, before or after the denoiser, both at the same moment:
//
//   source -> simulated line -> delay ----> analyser -> gain -> audible -> speakers
//                           \-> denoiser -> analyser -> gain ->/
//
// One number, the mix, drives both gains (1 - mix and mix), so that they add up to one at every sample however late a thread is.

import { createDenoiserNode, type DenoiserNode, type NodeStats } from 'attenuate-edge/worklet'
import { assetUrl, loadCore, modelUrl } from './assets.ts'
import { CHANNEL_PROCESSOR, type ChannelMessage, type ChannelName } from './channel.ts'
import { type BackendName, Stopwatch } from './stopwatch.ts'

/** Of an exponential fade, from wherever the gain is: done to 1 % after 20 ms. Long enough for no click, short enough to compare. */
const FADE_TIME_CONSTANT = 0.0045
/** Of the delay line; hq at 48 kHz needs 0.07. */
const MOST_DELAY_SECONDS = 0.5
const ANALYSER = { fftSize: 1024, smoothingTimeConstant: 0 }
/** 0.17 s at 48 kHz. */
const LEVEL_SAMPLES = 8192

export type Heard = 'before' | 'after'

export class Sound {
  readonly context: AudioContext
  readonly before: AnalyserNode
  readonly after: AnalyserNode
  readonly stopwatch: Stopwatch
  readonly #wasm: WebAssembly.Module
  readonly #line: AudioWorkletNode
  readonly #delay: DelayNode
  /** 0 before, 1 after. */
  readonly #mix: ConstantSourceNode
  readonly #audible: GainNode
  readonly #levels: Readonly<Record<Heard, AnalyserNode>>
  readonly #samples = new Float32Array(LEVEL_SAMPLES)
  #denoiser: DenoiserNode | undefined
  #strengthDb = Number.NEGATIVE_INFINITY
  #isWatched = false
  #model = ''
  #backend: BackendName = 'wasm'

  /** In the course of a click, or the sound does not start (all browsers, Safari above all). */
  static async open(onStopwatchError: (message: string) => void): Promise<Sound> {
    const context = new AudioContext({ latencyHint: 'interactive' })
    const resuming = context.resume()
    if (context.audioWorklet === undefined)
      throw new Error('no AudioWorklet here: serve the page over https or from localhost')
    const [wasm] = await Promise.all([
      loadCore(),
      context.audioWorklet.addModule(assetUrl('channel.processor.js')),
      resuming,
    ])
    return new Sound(context, wasm, onStopwatchError)
  }

  private constructor(context: AudioContext, wasm: WebAssembly.Module, onStopwatchError: (message: string) => void) {
    this.context = context
    this.#wasm = wasm
    this.stopwatch = new Stopwatch(new Worker(assetUrl('stopwatch.worker.js'), { type: 'module' }), onStopwatchError)
    this.#line = new AudioWorkletNode(context, CHANNEL_PROCESSOR, {
      channelCount: 1,
      channelCountMode: 'explicit',
      outputChannelCount: [1],
    })
    this.#delay = new DelayNode(context, { maxDelayTime: MOST_DELAY_SECONDS })
    this.before = new AnalyserNode(context, ANALYSER)
    this.after = new AnalyserNode(context, ANALYSER)
    this.#mix = new ConstantSourceNode(context, { offset: 1 })
    const gains = { before: new GainNode(context), after: new GainNode(context, { gain: 0 }) }
    this.#mix.connect(new GainNode(context, { gain: -1 })).connect(gains.before.gain)
    this.#mix.connect(gains.after.gain)
    this.#mix.start()
    this.#levels = {
      before: new AnalyserNode(context, { fftSize: LEVEL_SAMPLES }),
      after: new AnalyserNode(context, { fftSize: LEVEL_SAMPLES }),
    }
    this.#audible = new GainNode(context)
    this.#line.connect(this.#delay).connect(this.before).connect(gains.before).connect(this.#audible)
    this.after.connect(gains.after).connect(this.#audible)
    this.before.connect(this.#levels.before)
    this.after.connect(this.#levels.after)
    this.#audible.connect(context.destination)
  }

  get latencyMs(): number {
    return this.#denoiser?.latencyMs ?? 0
  }

  /** Where sources are connected. */
  get input(): AudioNode {
    return this.#line
  }

  setHeard(heard: Heard): void {
    this.#fade(this.#mix.offset, heard === 'after' ? 1 : 0)
  }

  setAudible(isAudible: boolean): void {
    this.#fade(this.#audible.gain, isAudible ? 1 : 0)
  }

  setChannel(channel: ChannelName): void {
    this.#line.port.postMessage({ channel } satisfies ChannelMessage)
  }

  /** dB; -Infinity all that the model does. Without effect on a model that widens the band (nano). */
  setStrength(strengthDb: number): void {
    this.#strengthDb = strengthDb
    const parameter = this.#denoiser?.strengthDb
    if (parameter !== undefined) parameter.value = Math.max(parameter.minValue, strengthDb)
  }

  /** The old model is heard until the new one is ready. */
  async setModel(name: string): Promise<void> {
    this.#model = name
    const denoiser = await createDenoiserNode(this.context, {
      wasm: this.#wasm,
      model: modelUrl(name),
      processorUrl: assetUrl('processor.js'),
    })
    if (this.#model !== name) return denoiser.close() // another was chosen meanwhile
    const former = this.#denoiser
    this.#denoiser = denoiser
    this.setStrength(this.#strengthDb)
    this.#delay.delayTime.value = denoiser.latencySamples / this.context.sampleRate
    this.#line.connect(denoiser).connect(this.after)
    this.#watch()
    if (former === undefined) return
    this.#line.disconnect(former)
    await former.close()
  }

  /** Of the hops that are timed; what is heard is made by WASM on the audio thread, which has no GPU. */
  setBackend(backend: BackendName): void {
    if (backend === this.#backend) return
    this.#backend = backend
    if (this.#isWatched) this.#watch()
  }

  stats(): Promise<NodeStats> | undefined {
    return this.#denoiser?.stats()
  }

  /** RMS of the last samples, dBFS. */
  levelDb(of: Heard): number {
    this.#levels[of].getFloatTimeDomainData(this.#samples)
    return 10 * Math.log10(this.#samples.reduce((sum, x) => sum + x * x, 0) / this.#samples.length)
  }

  #fade(parameter: AudioParam, to: number): void {
    parameter.setTargetAtTime(to, this.context.currentTime, FADE_TIME_CONSTANT)
  }

  #watch(): void {
    const { sampleRate } = this.context
    const order = { backend: this.#backend, model: modelUrl(this.#model), wasm: this.#wasm, sampleRate }
    if (this.#isWatched) {
      this.stopwatch.order(order)
      return
    }
    this.#isWatched = true
    const { port1, port2 } = new MessageChannel()
    this.#line.port.postMessage({ stopwatch: port1 } satisfies ChannelMessage, [port1])
    this.stopwatch.order({ ...order, port: port2 })
  }
}
