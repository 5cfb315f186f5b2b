// Noisy speech that the compiler measures with. In: a WAV file of any rate and channels, by default the clip of this
// package. Out: mono samples at the network's input rate, their number limited: cost grows with it, knowledge hardly.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resample } from '../../bench/quality/resample.ts'
import { fail } from '../errors.ts'
import { readWhole, type WholeAudio } from './audioFile.ts'
import { blaming } from './blame.ts'

const MAX_SECONDS = 30
const MIN_SECONDS = 0.5

/** From sdk/cli/ in the source as from dist/sdk/cli/. */
export function bundledClip(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return join(folder, 'examples', 'clip', 'noisy.wav')
}

export async function readCalibration(path: string, rate: number): Promise<Float32Array> {
  return blaming(path, async () => toMono(await readWhole(path, MAX_SECONDS), rate))
}

function toMono({ format, samples }: WholeAudio, rate: number): Float32Array {
  const { channels, sampleRate } = format
  const frames = Math.min(Math.floor(samples.length / channels), MAX_SECONDS * sampleRate)
  if (!(frames >= MIN_SECONDS * sampleRate))
    fail('AUDIO_INVALID', 'seconds of calibration audio', frames / sampleRate, `give it at least ${MIN_SECONDS}`)
  const mono = new Float32Array(frames)
  for (let i = 0; i < frames; i++) for (let c = 0; c < channels; c++) mono[i] += samples[i * channels + c] / channels
  return sampleRate === rate ? mono : resample(mono, sampleRate, rate)
}
