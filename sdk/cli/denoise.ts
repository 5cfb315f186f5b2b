// `attenuate denoise IN OUT`. In: a WAV file, or a pipe of WAV or raw samples. Out: the same without noise: aligned, of the
// same length, rate and encoding, through the streaming denoiser that users of the SDK get; and a short report.

import { printable } from '../../quantize/errors.ts'
import { Denoiser, type DenoiserOptions, loadModel, type ParsedModel } from '../index.ts'
import { encodeSamples, sampleBytes } from '../pcm.ts'
import { encodeWavHeader, type WavFormat } from '../wav.ts'
import { type AudioSource, openAudio } from './audioFile.ts'
import { blamingModel } from './blame.ts'
import { type Output, openOutput } from './output.ts'
import { keepInputs } from './place.ts'

/** Of the denoiser, and what the command line adds. */
export interface DenoiseOptions
  extends Pick<DenoiserOptions, 'preset' | 'strengthDb' | 'comfortNoiseDb' | 'linked' | 'highBand' | 'inputGainDb'> {
  readonly model: string
  /** `model`, where it has been loaded. */
  readonly loaded?: ParsedModel
  /** The output's folder is made where it is missing. */
  readonly makesFolder?: boolean
  /** What the samples are, in and out, where there is no header. */
  readonly raw?: WavFormat
  /** Frames so far, and in all where that is known; bytes of a frame. */
  readonly onProgress?: (frames: number, total: number | undefined, frameBytes: number) => void
}

export interface DenoiseReport {
  readonly input: string
  readonly output: string
  readonly model: string
  readonly sampleRate: number
  readonly channels: number
  readonly sampleFormat: string
  readonly seconds: number
  /** That the header of the input promises and a file that was cut short lacks; else 0. */
  readonly missingSeconds: number
  readonly latencyMs: number
  readonly latencySamples: number
  /**
   * Seconds spent per second of audio, reading and writing included: wall clock, and processor time of all threads. Not
   * finite (in JSON null) where there is no audio.
   */
  readonly realTimeFactor: number
  readonly realTimeFactorCpu: number
  /** The denoiser alone. */
  readonly realTimeFactorCore: number
  readonly inputDb: number
  readonly outputDb: number
  readonly clippedSamples: number
}

/** For many files: loads the model, and throws here what would be wrong with every one of them. */
export async function prepareDenoising(options: DenoiseOptions): Promise<DenoiseOptions> {
  const { model } = options
  const prepared = { ...options, loaded: await blamingModel(model, () => loadModel(model)) }
  const trial = await createDenoiser(prepared)
  trial.dispose()
  return prepared
}

function createDenoiser(options: DenoiseOptions, format?: WavFormat): Promise<Denoiser> {
  const { model, loaded = model, raw, makesFolder, onProgress, ...choice } = options
  const rates = format && { sampleRate: format.sampleRate, outputRate: format.sampleRate, channels: format.channels }
  return blamingModel(model, () => Denoiser.create({ ...choice, ...rates, model: loaded }))
}

export async function denoiseFile(input: string, output: string, options: DenoiseOptions): Promise<DenoiseReport> {
  await keepInputs([input], [output])
  const source = await openAudio(input, options.raw)
  let denoiser: Denoiser | undefined
  try {
    denoiser = await createDenoiser(options, source.format)
    return { input, output, ...(await denoiseAudio(source, denoiser, output, options)) }
  } finally {
    denoiser?.dispose()
    source.close()
  }
}

async function denoiseAudio(
  source: AudioSource,
  denoiser: Denoiser,
  output: string,
  { model, raw, makesFolder, onProgress }: DenoiseOptions,
): Promise<Omit<DenoiseReport, 'input' | 'output'>> {
  const started = performance.now()
  const cpuBefore = process.cpuUsage()
  const writer = new AudioOutput(source, raw === undefined, await openOutput(output, makesFolder))
  try {
    await writer.begin()
    await pump(source, denoiser, writer, onProgress)
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
  return {
    model: printable(denoiser.model.card.name ?? model),
    sampleRate: format.sampleRate,
    channels: format.channels,
    sampleFormat: format.sampleFormat,
    seconds,
    missingSeconds: Math.max(0, (source.frames ?? 0) - stats.samplesIn) / format.sampleRate,
    latencyMs: denoiser.latencyMs,
    latencySamples: denoiser.latencySamples,
    realTimeFactor: wallMs / 1000 / seconds,
    realTimeFactorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
    realTimeFactorCore: 1 / stats.speed,
    inputDb: stats.inputDb,
    outputDb: stats.outputDb,
    clippedSamples: writer.clippedSamples,
  }
}

async function pump(
  { pieces, frames: total, format }: AudioSource,
  denoiser: Denoiser,
  writer: AudioOutput,
  onProgress: DenoiseOptions['onProgress'],
): Promise<void> {
  const frameBytes = format.channels * sampleBytes(format.sampleFormat)
  let frames = 0
  for await (const piece of pieces) {
    await writer.write(denoiser.process(piece))
    frames += piece.length / format.channels
    onProgress?.(frames, total, frameBytes)
  }
  await writer.write(denoiser.flush())
}

/** Samples in, a WAV file out, or the samples alone. */
class AudioOutput {
  clippedSamples = 0
  readonly #format: WavFormat
  readonly #frames: number | undefined
  readonly #hasHeader: boolean
  readonly #output: Output
  readonly #isFloat: boolean
  #bytes = new Uint8Array(0)
  #dataBytes = 0

  constructor({ format, frames }: AudioSource, hasHeader: boolean, output: Output) {
    this.#format = format
    this.#frames = frames
    this.#hasHeader = hasHeader
    this.#output = output
    this.#isFloat = format.sampleFormat.startsWith('f')
  }

  get #frameBytes(): number {
    return this.#format.channels * sampleBytes(this.#format.sampleFormat)
  }

  async begin(): Promise<void> {
    if (!this.#hasHeader) return
    const stated = this.#frames === undefined ? undefined : this.#frames * this.#frameBytes
    await this.#output.write(encodeWavHeader(this.#format, stated, this.#frames === undefined))
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
    if (this.#hasHeader) await this.#finishWav()
    await this.#output.finish()
  }

  async #finishWav(): Promise<void> {
    if (this.#dataBytes % 2 === 1) await this.#output.write(new Uint8Array(1))
    // the header promised what the input's header said; a file cut short has less
    if (this.#output.isSeekable)
      await this.#output.rewrite(encodeWavHeader(this.#format, this.#dataBytes, this.#frames === undefined))
  }

  abandon(): Promise<void> {
    return this.#output.abandon()
  }

  #countClipped(samples: Float32Array): void {
    for (let i = 0; i < samples.length; i++) if (samples[i] > 1 || samples[i] < -1) this.clippedSamples++
  }
}

export function formatDenoiseReport(report: DenoiseReport): string {
  const times = (factor: number) => (isMeasured(factor) ? `${factor.toFixed(4)} (${Math.round(1 / factor)}x)` : '-')
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

/** Without audio, or with a clock too coarse for it, a real-time factor says nothing. */
export function isMeasured(factor: number): boolean {
  return factor > 0 && Number.isFinite(factor)
}

/** What is said of a file that ends before its header does, whatever the report looks like. */
export function formatCut({ input, seconds, missingSeconds }: DenoiseReport): string | undefined {
  if (missingSeconds === 0) return undefined
  return `${input}: cut short: ${seconds.toFixed(2)} of ${(seconds + missingSeconds).toFixed(2)} s`
}
