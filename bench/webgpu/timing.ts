// Times of batches. In: a backend, a number of streams, milliseconds to spend. Out: percentiles of single batches, waited for,
// and the time of a batch when two are under way, as a pool runs them.

import type { Model } from '../../quantize/modelfile.ts'
import type { Backend } from '../../sdk/webgpu/backend.ts'
import { COMMANDS } from '../../sdk/webgpu/commands.ts'

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
}

export async function timeBatches(
  backend: Backend,
  model: Model,
  streams: number,
  { budgetMs, mostRounds = 400 }: { budgetMs: number; mostRounds?: number },
): Promise<BatchTimes> {
  const inputs = noise(streams * model.inputHop)
  const commands = (flags: number) => Uint32Array.from({ length: 2 * streams }, (_, i) => (i & 1 ? flags : i >> 1))
  await backend.run(commands(COMMANDS.reset), inputs)
  const going = commands(0)
  for (let warm = 0; warm < 3; warm++) await backend.run(going, inputs)
  const times: number[] = []
  for (
    const begun = performance.now();
    times.length < 3 || (times.length < mostRounds && performance.now() - begun < budgetMs);
  ) {
    const started = performance.now()
    await backend.run(going, inputs)
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))]
  const rounds = Math.max(4, Math.min(100, Math.floor(budgetMs / 2 / at(0.5))))
  const started = performance.now()
  let last = backend.run(going, inputs)
  for (let i = 1; i < rounds; i++) {
    const next = backend.run(going, inputs)
    await last
    last = next
  }
  await last
  const pipelinedMs = (performance.now() - started) / rounds
  return {
    streams,
    rounds: times.length,
    minMs: times[0],
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    pipelinedMs,
    usPerStreamHop: (1000 * Math.min(pipelinedMs, times[0])) / streams,
  }
}

export function noise(count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count)
  for (let i = 0, random = 1; i < count; i++) {
    random = (Math.imul(random, 1664525) + 1013904223) | 0
    out[i] = (0.1 * random) / 2 ** 31
  }
  return out
}
