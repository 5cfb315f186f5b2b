// `attenuate replay RECORDING`. In: what a flight recorder kept, and the model it was made with: a shipped one is found by
// its hash. Out: whether the output is the same to the bit, and on request input and output as WAV (f32).

import { readFile } from 'node:fs/promises'
import { printable } from '../../quantize/errors.ts'
import { fail } from '../errors.ts'
import { formOfSnapshot } from '../form.ts'
import { Denoiser, loadModel } from '../index.ts'
import type { ParsedModel } from '../model.ts'
import { MODELS } from '../models.ts'
import { encodeSamples, sampleBytes } from '../pcm.ts'
import { decodeRecording, type Recording } from '../recording.ts'
import { replay } from '../replay.ts'
import { modelOfSnapshot } from '../snapshot.ts'
import { encodeWavHeader } from '../wav.ts'
import { blamingModel } from './blame.ts'
import { writeWhole } from './output.ts'
import { keepInputs } from './place.ts'

export interface ReplayCommand {
  readonly model?: string
  /** WAV files to write. */
  readonly output?: string
  readonly input?: string
}

export interface ReplayReport {
  readonly recording: string
  readonly model: string
  readonly sampleRate: number
  readonly channels: number
  readonly seconds: number
  /** Other than samples: concealed gaps, changes of strength. */
  readonly calls: number
  readonly isIdentical: boolean
}

export async function replayFile(path: string, { model, output, input }: ReplayCommand): Promise<ReplayReport> {
  await keepInputs([path], [output, input])
  const bytes = await readRecording(path)
  const recording = decodeRecording(bytes)
  const { channels, inputRate, outputRate, stretches } = recording
  const parsed = model === undefined ? await findModel(recording) : await blamingModel(model, () => loadModel(model))
  const { linked, highBand, phase, gainSteps = 0 } = formOfSnapshot(stretches[0].snapshot)
  const denoiser = await Denoiser.create({
    model: parsed,
    channels,
    sampleRate: inputRate,
    outputRate,
    ...(linked !== undefined && { linked }),
    ...(highBand !== undefined && { highBand }),
    ...(phase !== undefined && { phase }),
    inputGainDb: Math.min(60, 6.0206 * gainSteps),
  })
  const result = replay(bytes, denoiser)
  await writeWhole(
    [output, encodeWav(result.samples, outputRate, channels)],
    [input, encodeWav(result.input, inputRate, channels)],
  )
  denoiser.dispose()
  return {
    recording: path,
    model: printable(parsed.model.card.name ?? parsed.model.sha256),
    sampleRate: inputRate,
    channels,
    seconds: result.input.length / channels / inputRate,
    calls: stretches.reduce((sum, { calls }) => sum + calls.length, 0),
    isIdentical: result.isIdentical,
  }
}

async function readRecording(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    return fail('LOAD_FAILED', `cannot be read (${(error as NodeJS.ErrnoException).code})`, path, 'check the path')
  }
}

async function findModel({ stretches }: Recording): Promise<ParsedModel> {
  const hash = modelOfSnapshot(stretches[0].snapshot)
  for (const name of Object.keys(MODELS)) {
    const parsed = await loadModel(name)
    if (parsed.model.sha256 === hash) return parsed
  }
  return fail('STATE_INVALID', 'recording of a model that is not shipped: SHA-256', hash, 'name its file with --model')
}

function encodeWav(samples: Float32Array, sampleRate: number, channels: number): Uint8Array {
  const dataBytes = samples.length * sampleBytes('f32')
  const header = encodeWavHeader({ sampleFormat: 'f32', sampleRate, channels }, dataBytes)
  const bytes = new Uint8Array(header.length + dataBytes)
  bytes.set(header)
  encodeSamples('f32', samples, samples.length, bytes.subarray(header.length))
  return bytes
}

export function formatReplayReport(report: ReplayReport): string {
  const verdict = report.isIdentical ? 'the same bits as when it was recorded' : 'NOT the bits of the recording'
  return `${report.recording}: ${report.seconds.toFixed(2)} s, ${report.sampleRate} Hz, ${report.channels} ch, ${report.calls} calls, model ${report.model}: ${verdict}`
}
