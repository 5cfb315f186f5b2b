// `attenuate denoise IN OUT`. In: a WAV file or pipe. Out: the same without noise: aligned, of the same length, rate and
// encoding, through the streaming denoiser that users of the SDK get; and a short report.

import { Denoiser } from '../index.ts'
import { encodeSamples, sampleBytes } from '../pcm.ts'
import { encodeWavHeader, type WavFormat } from '../wav.ts'
import { type AudioSource, openAudio } from './audioFile.ts'
import { blaming } from './blame.ts'
import { type Output, openOutput } from './output.ts'
import { showProgress } from './progress.ts'

export interface DenoiseOptions {
  readonly model: string
  readonly strengthDb?: number
  readonly onReport: (report: DenoiseReport) => void
}

export interface DenoiseReport {
  readonly input: string
  readonly output: string
  readonly model: string
  readonly sampleRate: number
  readonly channels: number
  readonly sampleFormat: string
  readonly seconds: number
  readonly latencyMs: number
  readonly latencySamples: number
  /** Seconds spent per second of audio, reading and writing included: wall clock, and processor time of all threads. */
  readonly realTimeFactor: number
  readonly realTimeFactorCpu: number
  /** The denoiser alone. */
  readonly realTimeFactorCore: number
  readonly inputDb: number
  readonly outputDb: number
  readonly clippedSamples: number
}

export async function denoiseFile(input: string, output: string, options: DenoiseOptions): Promise<void> {
  const source = await openAudio(input)
  const denoiser = await blaming(
    options.model,
    () =>
      Denoiser.create({
        model: options.model,
        sampleRate: source.format.sampleRate,
        outputRate: source.format.sampleRate,
        channels: source.format.channels,
        ...(options.strengthDb !== undefined && { strengthDb: options.strengthDb }),
      }),
    ({ code }) => code.startsWith('MODEL'),
  )
  const started = performance.now()
  const cpuBefore = process.cpuUsage()
  const writer = new WavOutput(source.format, source.frames, await openOutput(output))
  try {
    await writer.begin()
    await pump(source, denoiser, writer)
    await writer.finish()
  } catch (error) {
    await writer.abandon()
    throw error
  }
  const wallMs = performance.now() - started
  const cpu = process.cpuUsage(cpuBefore)
  const { format } = source
  const stats = denoiser.stats()
  const seconds = stats.samplesIn / format.sampleRate
  options.onReport({
    input,
    output,
    model: String(denoiser.model.card.name ?? options.model),
    sampleRate: format.sampleRate,
    channels: format.channels,
    sampleFormat: format.sampleFormat,
    seconds,
    latencyMs: denoiser.latencyMs,
    latencySamples: denoiser.latencySamples,
    realTimeFactor: wallMs / 1000 / seconds,
    realTimeFactorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
    realTimeFactorCore: 1 / stats.speed,
    inputDb: stats.inputDb,
    outputDb: stats.outputDb,
    clippedSamples: writer.clippedSamples,
  })
  denoiser.dispose()
}

async function pump(source: AudioSource, denoiser: Denoiser, writer: WavOutput): Promise<void> {
  const progress = showProgress('denoising', source.frames)
  try {
    let frames = 0
    for await (const piece of source.pieces) {
      await writer.write(denoiser.process(piece))
      frames += piece.length / source.format.channels
      progress.update(frames)
    }
    await writer.write(denoiser.flush())
  } finally {
    progress.stop()
  }
}

/** Samples in, a WAV file out. */
class WavOutput {
  clippedSamples = 0
  readonly #format: WavFormat
  readonly #frames: number | undefined
  readonly #output: Output
  readonly #isFloat: boolean
  #bytes = new Uint8Array(0)
  #dataBytes = 0

  constructor(format: WavFormat, frames: number | undefined, output: Output) {
    this.#format = format
    this.#frames = frames
    this.#output = output
    this.#isFloat = format.sampleFormat.startsWith('f')
  }

  get #frameBytes(): number {
    return this.#format.channels * sampleBytes(this.#format.sampleFormat)
  }

  begin(): Promise<void> {
    const stated = this.#frames === undefined ? undefined : this.#frames * this.#frameBytes
    return this.#output.write(encodeWavHeader(this.#format, stated, this.#frames === undefined))
  }

  async write(samples: Float32Array): Promise<void> {
    const { sampleFormat } = this.#format
    const count = samples.length * sampleBytes(sampleFormat)
    if (this.#bytes.length < count) this.#bytes = new Uint8Array(count)
    if (!this.#isFloat) this.#countClipped(samples)
    encodeSamples(sampleFormat, samples, samples.length, this.#bytes)
    this.#dataBytes += count
    await this.#output.write(this.#bytes.subarray(0, count))
  }

  async finish(): Promise<void> {
    if (this.#dataBytes % 2 === 1) await this.#output.write(new Uint8Array(1))
    // the header promised what the input's header said; a file cut short has less
    if (this.#output.isSeekable)
      await this.#output.rewrite(encodeWavHeader(this.#format, this.#dataBytes, this.#frames === undefined))
    await this.#output.finish()
  }

  abandon(): Promise<void> {
    return this.#output.abandon()
  }

  #countClipped(samples: Float32Array): void {
    for (let i = 0; i < samples.length; i++) if (samples[i] > 1 || samples[i] < -1) this.clippedSamples++
  }
}

export function formatDenoiseReport(report: DenoiseReport): string {
  const times = (factor: number) => (factor > 0 ? `${factor.toFixed(4)} (${Math.round(1 / factor)}x)` : '-')
  const db = (value: number) => (Number.isFinite(value) ? `${value.toFixed(1)} dBFS` : 'silence')
  const lines = [
    `${report.output}: ${report.seconds.toFixed(2)} s, ${report.sampleRate} Hz, ${report.channels} ch, ${report.sampleFormat}`,
    `  model             ${report.model}`,
    `  latency           ${report.latencyMs.toFixed(1)} ms (${report.latencySamples} samples); removed from the file`,
    `  real-time factor  ${times(report.realTimeFactor)} wall, ${times(report.realTimeFactorCpu)} CPU, ${times(report.realTimeFactorCore)} denoiser alone`,
    `  level             ${db(report.inputDb)} in, ${db(report.outputDb)} out`,
  ]
  if (report.clippedSamples > 0) lines.push(`  clipped           ${report.clippedSamples} samples`)
  return lines.join('\n')
}
