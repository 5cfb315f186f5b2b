// What the bench runs: every model in every number format on every build of the core, the shipped format at 48 kHz too, and on
// silence, on what fades and on numbers too small to be normal. In: names or files of models. Out: open streams, each with a
// core of its own, so that its memory is known.

import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { compile } from '../quantize/compile.ts'
import { Core } from '../sdk/core.ts'
import { loadModel, MODELS } from '../sdk/index.ts'
import { TimedStream } from './stream.ts'

export const BUILDS = ['simd', 'relaxed', 'scalar'] as const
export const FORMATS = ['f32', 'int8', 'int4'] as const
/** What ships. */
export const SHIPPED = 'int8'
/** What microphones and calls run at. */
const CALL_RATE = 48000

export interface Case {
  readonly model: string
  /** As the model file is, where a file was given. */
  readonly format: (typeof FORMATS)[number] | 'given'
  readonly build: (typeof BUILDS)[number]
  readonly signal: keyof typeof SIGNALS
  /** Hz, in and out; undefined: the model's own. */
  readonly sampleRate: number | undefined
}

export interface OpenCase {
  readonly what: Case
  readonly stream: TimedStream
  readonly fileBytes: number
  /** Pages of a core that holds this model and one stream. */
  readonly linearBytes: number
}

/** Made of a clip of speech in noise. */
const SIGNALS = {
  speech: (clip: Float32Array) => clip,
  silence: (clip: Float32Array) => new Float32Array(clip.length),
  /** Speech for a tenth, then nothing: every state fades towards zero. */
  fading: (clip: Float32Array) => clip.map((x, i) => (i < clip.length / 10 ? x : 0)),
  /** Below 2^-126: no normal f32. */
  denormal: (clip: Float32Array) => clip.map((x) => x * 1e-39),
}

export function coreOf(build: string): URL {
  return new URL(`../build/core.${build}.wasm`, import.meta.url)
}

/** The bytes of a model: compiled anew for another format than the shipped one, or the file given. */
export function modelBytes(model: string, format: Case['format']): Uint8Array {
  if (format === 'given') return readFileSync(model)
  const file = new URL(`../models/${MODELS[model as keyof typeof MODELS].file}`, import.meta.url)
  if (format === SHIPPED) return readFileSync(file)
  return compile(readFileSync(new URL(file.href.replace(/ssm$/, 'safetensors'))), { format })
}

export function listCases(models: readonly string[]): Case[] {
  return models.flatMap((model) => {
    const isNamed = Object.hasOwn(MODELS, model)
    const formats = isNamed ? FORMATS : (['given'] as const)
    const own = { model, sampleRate: undefined, signal: 'speech' } as const
    const shipped = { ...own, format: isNamed ? SHIPPED : 'given', build: 'simd' } as const
    const signals = (['silence', 'fading', 'denormal'] as const).map((signal) => ({ ...shipped, signal }))
    return [
      ...formats.flatMap((format) => BUILDS.map((build) => ({ ...own, format, build }))),
      ...(model === 'nano' ? [] : [{ ...shipped, sampleRate: CALL_RATE }]),
      ...signals,
    ]
  })
}

/** Without cases of a build that this host does not take. */
export async function openCases(cases: readonly Case[], clip: Float32Array): Promise<OpenCase[]> {
  // Node 20 has relaxed SIMD behind a flag, later ones need none
  setFlagsFromString('--experimental-wasm-relaxed-simd')
  const open: OpenCase[] = []
  for (const what of cases) {
    const wasm = readFileSync(coreOf(what.build))
    if (!WebAssembly.validate(wasm)) continue
    const bytes = modelBytes(what.model, what.format)
    const samples = SIGNALS[what.signal](clip)
    const stream = await TimedStream.open(bytes, new WebAssembly.Module(wasm), samples, what.sampleRate)
    open.push({ what, stream, fileBytes: bytes.length, linearBytes: await linearBytesOf(wasm, bytes) })
  }
  return open
}

async function linearBytesOf(wasm: BufferSource, bytes: Uint8Array): Promise<number> {
  const core = await Core.open(new WebAssembly.Module(wasm))
  core.acquireState(core.acquireProgram(await loadModel(bytes)))
  return core.memory.buffer.byteLength
}
