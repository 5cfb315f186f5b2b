// This project's own models through the public SDK, as a user would run them: 16 kHz mono in chunks of 20 ms, flushed. The SDK
// aligns its output with the input. `name` is whatever Denoiser.create takes: a shipped model, a path or a URL.
import { existsSync } from 'node:fs'
import type { Opening, System } from './system.ts'

const SDK = new URL('../../../sdk/index.ts', import.meta.url)
const RATE = 16000
const CHUNK = 320 // 20 ms, a common capture size and not a multiple of the hop

/** The part of the SDK's Denoiser used here. */
interface Denoiser {
  readonly latencySamples: number
  process(chunk: Float32Array): Float32Array
  flush(): Float32Array
  dispose?(): void
}
interface Sdk {
  Denoiser: { create(options: { model: string; sampleRate: number }): Promise<Denoiser> }
}

/** Output with the latency cut away, exactly as long as the input. */
export const alignOutput = (parts: readonly Float32Array[], latency: number, length: number): Float32Array => {
  const y = new Float32Array(length)
  let at = -latency
  for (const part of parts) {
    const from = Math.max(0, -at)
    const to = Math.min(part.length, length - at)
    if (to > from) y.set(part.subarray(from, to), at + from)
    at += part.length
  }
  return y
}

const enhanceWith = (denoiser: Denoiser, x: Float32Array): Float32Array => {
  const parts: Float32Array[] = []
  for (let at = 0; at < x.length; at += CHUNK) parts.push(denoiser.process(x.subarray(at, at + CHUNK)).slice())
  parts.push(denoiser.flush().slice())
  return alignOutput(parts, 0, x.length) // the SDK aligns: N samples in, N out after flush
}

export const openOurs = async (model: string): Promise<Opening> => {
  if (!existsSync(SDK)) return { absent: `${model}: the SDK is not built in this checkout` }
  const { Denoiser } = (await import(SDK.href)) as Sdk
  const create = () => Denoiser.create({ model, sampleRate: RATE })
  try {
    const trial = await create()
    trial.dispose?.()
  } catch (error) {
    return { absent: `${model}: ${(error as Error).message}` }
  }
  const enhance = async (x: Float32Array): Promise<Float32Array> => {
    const denoiser = await create() // fresh state per clip
    const y = enhanceWith(denoiser, x)
    denoiser.dispose?.()
    return y
  }
  return { system: { name: `ours ${model}`, enhance } }
}

/** A model that must be there. */
export const requireOurs = async (model: string): Promise<System> => {
  const opened = await openOurs(model)
  if ('absent' in opened) throw new Error(opened.absent)
  return opened.system
}
