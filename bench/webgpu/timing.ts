// Times of batches. In: a backend, a number of streams, milliseconds to spend. Out: percentiles of single batches, waited for,
// the time of a batch when two are under way, as a pool runs them, and of the shader alone where the device has a clock.

import type { Model } from '../../quantize/modelfile.ts'
import type { Backend } from '../../sdk/webgpu/backend.ts'
import { COMMANDS } from '../../sdk/webgpu/commands.ts'
import type { KernelClock } from './clock.ts'

export interface BatchTimes {
  readonly streams: number
  readonly rounds: number
  /** From the call to the results, one batch at a time. */
  readonly minMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Per batch, two under way. */
  readonly pipelinedMs: number
  /** Of the faster of the two, per stream. */
  readonly usPerStreamHop: number
  /** The shader of a batch, by the device's clock: the median of a few. */
  readonly kernelMs: number | undefined
}

interface Spending {
  readonly budgetMs: number
  readonly mostRounds?: number
  readonly clock?: KernelClock | undefined
}

const KERNEL_ROUNDS = 9

export async function timeBatches(
  backend: Backend,
  model: Model,
  streams: number,
  { budgetMs, mostRounds = 400, clock }: Spending,
): Promise<BatchTimes> {
  const inputs = noise(streams * model.inputHop)
  const commands = (flags: number) => Uint32Array.from({ length: 2 * streams }, (_, i) => (i & 1 ? flags : i >> 1))
  await backend.run(commands(COMMANDS.reset), inputs)
  const going = commands(0)
  const run = () => backend.run(going, inputs)
  for (let warm = 0; warm < 3; warm++) await run()
  const times: number[] = []
  for (
    const begun = performance.now();
    times.length < 3 || (times.length < mostRounds && performance.now() - begun < budgetMs);
  ) {
    const started = performance.now()
    await run()
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  const p50Ms = at(times, 0.5)
  const pipelinedMs = await timePipelined(run, Math.max(4, Math.min(100, Math.floor(budgetMs / 2 / p50Ms))))
  return {
    streams,
    rounds: times.length,
    minMs: times[0],
    p50Ms,
    p99Ms: at(times, 0.99),
    pipelinedMs,
    usPerStreamHop: (1000 * Math.min(pipelinedMs, times[0])) / streams,
    kernelMs: clock === undefined ? undefined : await timeKernel(run, clock),
  }
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}

async function timePipelined(run: () => Promise<unknown>, rounds: number): Promise<number> {
  const started = performance.now()
  let last = run()
  for (let i = 1; i < rounds; i++) {
    const next = run()
    await last
    last = next
  }
  await last
  return (performance.now() - started) / rounds
}

async function timeKernel(run: () => Promise<unknown>, clock: KernelClock): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < KERNEL_ROUNDS; round++) {
    await run()
    times.push(await clock.lastMs())
  }
  return at(
    times.sort((a, b) => a - b),
    0.5,
  )
}

export function noise(count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count)
  for (let i = 0, random = 1; i < count; i++) {
    random = (Math.imul(random, 1664525) + 1013904223) | 0
    out[i] = (0.1 * random) / 2 ** 31
  }
  return out
}
