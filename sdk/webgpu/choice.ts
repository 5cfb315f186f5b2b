// Which backend serves best on this machine: both run batches of noise, from one stream up to as many as are expected. In:
// the two backends. Out: times, the number of streams below which the GPU is slower, and the choice in words.

import type { Model } from '../../quantize/modelfile.ts'
import type { Backend, BackendName } from './backend.ts'
import { COMMANDS } from './commands.ts'

/** Milliseconds of a batch of so many streams. */
export interface Timing {
  /** In the batch. */
  readonly streams: number
  /** The fastest of a few rounds, from samples to results. */
  readonly webgpuMs: number
  /** As `webgpuMs`. */
  readonly wasmMs: number
}

/** How a pool came to its backend. */
export interface Choice {
  /** In words. */
  readonly reason: string
  /** Empty where nothing was measured. */
  readonly measured: readonly Timing[]
  /** WebGPU is slower than WASM below so many streams; Infinity where it is at all that were tried. */
  readonly slowerBelow: number | undefined
}

/** Of a batch, until this much time is spent on it. */
const ROUNDS = 5
const BUDGET_MS = 60

/** The fastest of a few rounds, in milliseconds. The states of slots 0..streams-1 are left as the noise made them. */
export async function timeBatch(backend: Backend, model: Model, streams: number, now: () => number): Promise<number> {
  const inputs = new Float32Array(streams * model.inputHop)
  for (let i = 0, random = 1; i < inputs.length; i++) {
    random = (Math.imul(random, 1664525) + 1013904223) | 0
    inputs[i] = (0.1 * random) / 2 ** 31
  }
  const commands = (flags: number) => Uint32Array.from({ length: 2 * streams }, (_, i) => (i & 1 ? flags : i >> 1))
  await backend.run(commands(COMMANDS.reset), inputs)
  const going = commands(0)
  let best = Number.POSITIVE_INFINITY
  const begun = now()
  for (let round = 0; round < ROUNDS && (round === 0 || now() - begun < BUDGET_MS); round++) {
    const started = now()
    await backend.run(going, inputs)
    best = Math.min(best, now() - started)
  }
  return best
}

/** `streams`: expected. */
export async function measureBoth(
  webgpu: Backend,
  wasm: Backend,
  model: Model,
  streams: number,
  now: () => number,
): Promise<{ name: BackendName; choice: Choice }> {
  const most = Math.min(streams, webgpu.maxSlots, wasm.maxSlots)
  const measured: Timing[] = []
  for (let count = 1; ; count = Math.min(most, 4 * count)) {
    const webgpuMs = await timeBatch(webgpu, model, count, now)
    const wasmMs = await timeBatch(wasm, model, count, now)
    measured.push({ streams: count, webgpuMs, wasmMs })
    if (count === most) break
  }
  const slowerBelow = crossing(measured)
  const { webgpuMs, wasmMs } = measured[measured.length - 1]
  const name = webgpuMs < wasmMs && streams <= webgpu.maxSlots ? 'webgpu' : 'wasm'
  const reason = [
    `${name} for ${streams} streams: a hop of all takes ${webgpuMs.toFixed(2)} ms on WebGPU, ${wasmMs.toFixed(2)} ms on WASM`,
    slowerBelow === 1
      ? ''
      : `; WebGPU is slower than WASM below ${slowerBelow === Number.POSITIVE_INFINITY ? `${most} streams and more` : `${slowerBelow} streams`}`,
  ].join('')
  return { name, choice: { reason, measured, slowerBelow } }
}

/** Between two counts of streams, where the ratio of the times goes through 1 as a power of the count. */
export function crossing(measured: readonly Timing[]): number {
  const slow = measured.findLastIndex(({ webgpuMs, wasmMs }) => webgpuMs >= wasmMs)
  if (slow < 0) return measured[0].streams
  if (slow === measured.length - 1) return Number.POSITIVE_INFINITY
  const [a, b] = [measured[slow], measured[slow + 1]]
  const [before, after] = [a, b].map(({ webgpuMs, wasmMs }) => Math.log(webgpuMs / wasmMs))
  const share = before / (before - after)
  return Math.ceil(a.streams * (b.streams / a.streams) ** share)
}
