// One live stream through the public SDK, a hop per call, timed. In: a model and a build of the core. Out: per hop times,
// wall and processor time per second of audio, memory. Rounds of different streams are interleaved by the caller, so that
// what slows the machine down slows all of them down.

import { performance } from 'node:perf_hooks'
import { Denoiser, type DenoiserOptions } from '../sdk/index.ts'

/** Hops before the first measured one: V8 has compiled the core with its optimising tier by then. */
const WARM_HOPS = 600
/** Streams opened to measure what a further one costs. */
const FURTHER_STREAMS = 50

export interface StreamResult {
  readonly hopMs: number
  readonly latencyMs: number
  /** Seconds spent per second of audio: the fastest round, by the wall clock and by processor time of the whole process. */
  readonly realTimeFactor: number
  readonly realTimeFactorCpu: number
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly worstUs: number
  readonly stateBytes: number
  /** Growth of the core's memory per further stream. */
  readonly streamBytes: number
  /** In use of the core's linear memory once the stream was open: shared by all streams of that core. */
  readonly usedBytes: number
}

export class TimedStream {
  readonly #rounds: { wallMs: number; cpuMs: number; times: Float64Array }[] = []
  readonly #chunk: Float32Array
  readonly #out: Float32Array

  private constructor(
    private readonly denoiser: Denoiser,
    private readonly samples: Float32Array,
    private readonly usedBytes: number,
  ) {
    const { inputHop, inputRate, outputHop, outputRate } = denoiser.model
    const atRate = (hop: number, own: number, rate: number) => Math.ceil((hop * rate) / own)
    this.#chunk = new Float32Array(atRate(inputHop, inputRate, denoiser.sampleRate))
    // resamplers give a sample more now and then
    this.#out = new Float32Array(atRate(outputHop, outputRate, denoiser.outputRate) + outputHop)
  }

  /** `wasm`: default: the package's. `samples`: (n) at any rate: they are read as `sampleRate`, or the model's own. */
  static async open(
    model: DenoiserOptions['model'],
    wasm: DenoiserOptions['wasm'],
    samples: Float32Array,
    sampleRate?: number,
  ): Promise<TimedStream> {
    const what = { ...(model === undefined ? {} : { model }), ...(wasm === undefined ? {} : { wasm }) }
    const denoiser = await Denoiser.create({ ...what, ...(sampleRate === undefined ? {} : { sampleRate }) })
    const stream = new TimedStream(denoiser, samples, denoiser.stats().memoryBytes)
    for (let hop = 0; hop < WARM_HOPS; hop++) stream.#feed(hop)
    return stream
  }

  /** Of what goes in, Hz. */
  get sampleRate(): number {
    return this.denoiser.sampleRate
  }

  /** One pass over the samples. */
  runRound(): void {
    const times = new Float64Array(Math.floor(this.samples.length / this.#chunk.length))
    const cpu = process.cpuUsage()
    const started = performance.now()
    for (let hop = 0; hop < times.length; hop++) {
      const before = performance.now()
      this.#feed(hop)
      times[hop] = performance.now() - before
    }
    const wallMs = performance.now() - started
    const { user, system } = process.cpuUsage(cpu)
    this.#rounds.push({ wallMs, cpuMs: (user + system) / 1000, times })
  }

  result(): StreamResult {
    const { outputHop, outputRate, stateBytes } = this.denoiser.model
    const times = Float64Array.from(this.#rounds.flatMap((round) => [...round.times])).sort()
    const audioMs = (1000 * this.#rounds[0].times.length * this.#chunk.length) / this.denoiser.sampleRate
    const quantileUs = (share: number) => 1000 * times[Math.min(times.length - 1, Math.floor(share * times.length))]
    const fastest = (of: (round: { wallMs: number; cpuMs: number }) => number) => Math.min(...this.#rounds.map(of))
    return {
      hopMs: (1000 * outputHop) / outputRate,
      latencyMs: this.denoiser.latencyMs,
      realTimeFactor: fastest(({ wallMs }) => wallMs) / audioMs,
      realTimeFactorCpu: fastest(({ cpuMs }) => cpuMs) / audioMs,
      p50Us: quantileUs(0.5),
      p95Us: quantileUs(0.95),
      p99Us: quantileUs(0.99),
      p999Us: quantileUs(0.999),
      worstUs: quantileUs(1),
      stateBytes,
      streamBytes: this.#measureFurther(),
      usedBytes: this.usedBytes,
    }
  }

  close(): void {
    this.denoiser.dispose()
  }

  #feed(hop: number): void {
    const length = this.#chunk.length
    const at = (hop % Math.floor(this.samples.length / length)) * length
    for (let i = 0; i < length; i++) this.#chunk[i] = this.samples[at + i]
    this.denoiser.processInto(this.#chunk, this.#out)
  }

  #measureFurther(): number {
    const before = this.denoiser.stats().memoryBytes
    const others = Array.from({ length: FURTHER_STREAMS }, () => this.denoiser.sibling())
    const bytes = (this.denoiser.stats().memoryBytes - before) / FURTHER_STREAMS
    for (const other of others) other.dispose()
    return bytes
  }
}
