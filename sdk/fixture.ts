// What tests of the SDK share: noise from a seed, a stream played in pieces, garbage counted, errors that nobody caught. In:
// seeds, denoisers, calls. Out: samples, bytes, messages.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Random, seedRandom } from '../quantize/specimens.ts'
import type { Denoiser } from './denoiser.ts'
import { joined } from './pieces.ts'

const ROUNDS = 12
const OWN_BYTES = 1000 // more than the measurement itself leaves: 224 with Node 20

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

export function drawNoise(from: Random | number, samples: number, peak = 0.1): Float32Array {
  const random = typeof from === 'number' ? seedRandom(from) : from
  return Float32Array.from({ length: samples }, () => peak * (2 * random() - 1))
}

/** Everything that comes out, flushed. `moments` says how long each piece is, per channel; it is in one piece without. */
export function play(denoiser: Denoiser, samples: Float32Array, moments = () => samples.length): Float32Array {
  const parts: Float32Array[] = []
  for (let at = 0; at < samples.length; ) {
    const end = Math.min(samples.length, at + Math.ceil(moments()) * denoiser.channels)
    parts.push(denoiser.process(samples.subarray(at, end)))
    at = end
  }
  return joined([...parts, denoiser.flush()])
}

/**
 * Bytes that so many calls leave to the collector. The least of some rounds, until one shows nothing but the measurement: the
 * first one warms up, and compilers that run beside take their time, and their memory, where the machine is busy. Clocks must
 * be off (`now`): V8 boxes their times.
 */
export function measureGarbage(calls: number, call: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS && least > OWN_BYTES; round++) {
    collectGarbage() // so that none of what was before is due
    const before = process.memoryUsage()
    for (let i = 0; i < calls; i++) call()
    const after = process.memoryUsage()
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
    if (round > 0 && grown >= 0) least = Math.min(least, grown) // less than before: something was collected
  }
  return least
}

/** Messages of the errors that the process heard of as uncaught while `work` ran. */
export async function uncaughtDuring(work: () => unknown): Promise<string[]> {
  const messages: string[] = []
  const hear = ({ message }: Error) => messages.push(message)
  process.on('uncaughtException', hear)
  try {
    await work()
    await new Promise((resolve) => setTimeout(resolve, 0))
  } finally {
    process.off('uncaughtException', hear)
  }
  return messages
}
