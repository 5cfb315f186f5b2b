// The audio that mixes are made of: a folder with clean/ and noise/ (WAV or FLAC, any rate) -> named mono recordings at 16 kHz.
// WAV is read here; anything else by ffmpeg, or by flac where only that is installed. Decoded once per call.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { resample } from './resample.ts'
import { type Audio, readWav } from './wav.ts'

export const SAMPLE_RATE = 16000 // Hz, of everything the evaluator touches

export interface Recording {
  name: string // file name without extension
  samples: Float32Array // 16 kHz mono
}

export interface Sources {
  clean: Recording[]
  noise: Recording[]
}

const AUDIO_FILES = new Set(['.wav', '.flac'])
const MAX_DECODED_BYTES = 2 ** 30

const DECODERS: [command: string, args: (path: string) => string[]][] = [
  ['ffmpeg', (path) => ['-v', 'error', '-i', path, '-f', 'wav', '-c:a', 'pcm_f32le', '-']],
  ['flac', (path) => ['--decode', '--stdout', '--silent', path]],
]

const readNamed = (path: string, bytes: Uint8Array): Audio => {
  try {
    return readWav(bytes)
  } catch (error) {
    throw new Error(`${(error as Error).message} (${path})`)
  }
}

const decode = (path: string): Audio => {
  if (extname(path).toLowerCase() === '.wav') return readNamed(path, readFileSync(path))
  for (const [command, args] of DECODERS) {
    const done = spawnSync(command, args(path), { maxBuffer: MAX_DECODED_BYTES })
    if (done.error) continue // not installed: try the next
    if (done.status !== 0) throw new Error(`DECODE_FAILED: ${command} on ${path}: ${done.stderr}`)
    return readNamed(path, done.stdout)
  }
  throw new Error(`DECODER_MISSING: ${path} needs ffmpeg or flac; install one, or convert the folder to WAV`)
}

export const readRecording = (path: string): Recording => {
  const { samples, sampleRate } = decode(path)
  if (samples.length === 0) throw new Error(`SOURCE_EMPTY: no samples in ${path}; take it out`)
  return { name: basename(path, extname(path)), samples: resample(samples, sampleRate, SAMPLE_RATE) }
}

const readFolder = (folder: string): Recording[] => {
  if (!existsSync(folder))
    throw new Error(
      `SOURCES_MISSING: no folder ${folder}; pass --sources DIR (or QUALITY_SOURCES) with clean/ and noise/ inside`,
    )
  const files = readdirSync(folder)
    .filter((f) => AUDIO_FILES.has(extname(f).toLowerCase()))
    .sort()
  if (files.length === 0) throw new Error(`SOURCES_EMPTY: no .wav or .flac in ${folder}; put some there`)
  return files.map((f) => readRecording(join(folder, f)))
}

export const readSources = (folder: string): Sources => ({
  clean: readFolder(join(folder, 'clean')),
  noise: readFolder(join(folder, 'noise')),
})
