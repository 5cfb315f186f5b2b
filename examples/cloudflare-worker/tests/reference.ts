// What the edge must give, made in Node. In: packets as they arrive. Out: samples as they are sent (s16), and the receiver.

import * as assert from 'uvu/assert'
import { Denoiser, encodePacket, SensorReceiver } from '../../../sdk/index.ts'
import { encodeSamples } from '../../../sdk/pcm.ts'
import { drawSamples } from '../../../tests/golden/signal.ts'

/** `count` packets of a seeded signal, numbered from 0. */
export function drawPackets(count: number, seed: number): Uint8Array[] {
  const samples = drawSamples(count * 64, seed, 0.3)
  return Array.from({ length: count }, (_, i) => encodePacket(samples.subarray(64 * i, 64 * (i + 1)), i % 65536))
}

export async function receiveInNode(packets: readonly Uint8Array[], waitPackets = 3) {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser, { waitPackets })
  const parts = packets.map((packet) => receiver.take(packet))
  const samples = joined([...parts, receiver.flush()])
  const bytes = new Uint8Array(2 * samples.length)
  encodeSamples('s16', samples, samples.length, bytes)
  return { samples: new Int16Array(bytes.buffer), snapshot: receiver.snapshot(), stats: receiver.stats() }
}

export function inMessages(packets: readonly Uint8Array[], perMessage: number): Uint8Array[][] {
  return Array.from({ length: Math.ceil(packets.length / perMessage) }, (_, i) =>
    packets.slice(perMessage * i, perMessage * (i + 1)),
  )
}

export function joined<T extends Float32Array | Int16Array>(parts: readonly T[]): T {
  const [first] = parts
  const all = new (first.constructor as new (length: number) => T)(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Without the picture of the difference, which takes minutes for a hundred thousand samples. */
export function expectSame(actual: Int16Array | Uint8Array, expected: Int16Array | Uint8Array, what = 'samples'): void {
  const at = actual.findIndex((value, i) => value !== expected[i])
  const isSame = actual.length === expected.length && at < 0
  assert.ok(isSame, `${what}: ${actual.length} of ${expected.length}, the first that differs ${at}`)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
