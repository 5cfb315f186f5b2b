// Random damage, a function of the random numbers alone. In: a source of numbers in 0..1 and something sound. Out: a
// choice, or bytes with some of them changed, lost, doubled or moved.

import type { Random } from '../../quantize/specimens.ts'

/** Where parsers tend to go wrong: signs, ends of ranges, one off. */
export const EDGES = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  15,
  16,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 24,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 2,
  2 ** 32 - 1,
]

/** A whole number below `end`. */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end)
}

export function choose<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)]
}

export function happens(random: Random, share: number): boolean {
  return random() < share
}

/** Small numbers often, large ones seldom: 0 .. end-1. */
export function drawSize(random: Random, end: number): number {
  return Math.floor(end ** random()) - 1
}

/** A number that may stand in for `value`: an edge, a neighbour, a multiple. */
export function disturb(random: Random, value: number): number {
  const way = below(random, 5)
  if (way === 0) return choose(random, EDGES)
  if (way === 1) return Math.max(0, value + choose(random, [-2, -1, 1, 2]))
  if (way === 2) return value * choose(random, [2, 3, 256])
  if (way === 3) return Math.floor(value / 2)
  return below(random, 2 ** 32)
}

/** Damages bytes in one to four places; the length may change. */
export function damage(random: Random, bytes: Uint8Array): Uint8Array {
  let out = bytes
  for (let n = 1 + below(random, 4); n > 0 && out.length > 0; n--) out = choose(random, WAYS)(random, out)
  return out
}

type Way = (random: Random, bytes: Uint8Array) => Uint8Array

const WAYS: readonly Way[] = [
  (random, bytes) => changed(bytes, (out) => (out[below(random, out.length)] ^= 1 << below(random, 8))),
  (random, bytes) => changed(bytes, (out) => (out[below(random, out.length)] = below(random, 256))),
  (random, bytes) => changed(bytes, (out) => setWord(out, below(random, out.length), choose(random, EDGES), 4)),
  (random, bytes) => changed(bytes, (out) => setWord(out, below(random, out.length), choose(random, EDGES), 2)),
  (random, bytes) => bytes.subarray(0, below(random, bytes.length)),
  (random, bytes) => {
    const [from, to] = drawRange(random, bytes.length)
    return joined(bytes.subarray(0, from), bytes.subarray(to))
  },
  (random, bytes) => {
    const [from, to] = drawRange(random, bytes.length)
    return joined(bytes.subarray(0, to), bytes.subarray(from))
  },
  (random, bytes) => {
    const [from, to] = drawRange(random, bytes.length)
    return changed(bytes, (out) => out.copyWithin(below(random, out.length), from, to))
  },
]

function changed(bytes: Uint8Array, change: (out: Uint8Array) => unknown): Uint8Array {
  const out = bytes.slice()
  change(out)
  return out
}

/** Little-endian, as far as it fits. */
function setWord(out: Uint8Array, at: number, value: number, size: number): void {
  for (let i = 0; i < size && at + i < out.length; i++) out[at + i] = Math.floor(value / 256 ** i) & 255
}

/** Mostly short. */
function drawRange(random: Random, length: number): [number, number] {
  const from = below(random, length)
  return [from, Math.min(length, from + 1 + drawSize(random, length + 1))]
}

export function joined(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
