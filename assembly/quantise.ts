// Activations to int16 with one scale (quantize/FORMAT.md, number format 1). In: f32 values of one step. Out: int16 in
// [-32767, 32767], as they stand or two rows interleaved, and the scale: value = integer * scale. To nearest, ties to
// even; a step below 1e-30 is all zeros.

import { LANES, loadPart, magnitude, splat, storePart, VECTOR } from './lanes'

/** 1.5 * 2^23: a number below 2^22 added to it leaves its nearest integer in the low bits of the sum. */
const ANCHOR: f32 = 12582912.0
const ANCHOR_BITS: i32 = 0x4b400000
const LARGEST: f32 = 32767.0
const SILENT: f32 = 1e-30

/** Largest magnitude of n floats. */
export function peakOf(x: usize, floats: i32): f32 {
  let a = splat(0.0)
  let b = a
  let c = a
  let d = a
  let n = floats
  // four maxima side by side: one alone would wait for itself
  for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * VECTOR) {
    a = f32x4.pmax(a, magnitude(v128.load(x)))
    b = f32x4.pmax(b, magnitude(v128.load(x, 16)))
    c = f32x4.pmax(c, magnitude(v128.load(x, 32)))
    d = f32x4.pmax(d, magnitude(v128.load(x, 48)))
  }
  for (; n >= LANES; n -= LANES, x += VECTOR) a = f32x4.pmax(a, magnitude(v128.load(x)))
  if (n > 0) b = f32x4.pmax(b, magnitude(loadPart(x, n)))
  return largestLane(f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d)))
}

export function largestLane(v: v128): f32 {
  // no comparison of single lanes: nobody could foretell where its branch goes
  const pairs = f32x4.pmax(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)), 0)
}

/** What takes values up to `peak` to integers. */
export function factorOf(peak: f32): f32 {
  return peak < SILENT ? 0 : LARGEST / peak
}

/** What takes the integers back to values. */
export function scaleOf(peak: f32): f32 {
  return peak < SILENT ? 0 : peak / LARGEST
}

/** Four integers in the low halves of the lanes, noise of the anchor in the high ones. */
function anchored(x: v128, factor: v128): v128 {
  return f32x4.add(f32x4.mul(x, factor), splat(ANCHOR))
}

function narrow(a: v128, b: v128): v128 {
  const bits = i32x4.splat(ANCHOR_BITS)
  return i16x8.narrow_i32x4_s(i32x4.sub(a, bits), i32x4.sub(b, bits))
}

/** n floats to n int16, in order; up to 7 behind them are written as well. */
export function roundRow(x: usize, q: usize, floats: i32, factor: f32): void {
  const f = splat(factor)
  let n = floats
  for (; n >= 2 * LANES; n -= 2 * LANES, x += 2 * VECTOR, q += VECTOR) {
    v128.store(q, narrow(anchored(v128.load(x), f), anchored(v128.load(x, 16), f)))
  }
  if (n >= LANES) {
    const first = anchored(v128.load(x), f)
    const rest = n > LANES ? anchored(loadPart(x + VECTOR, n - LANES), f) : splat(ANCHOR)
    v128.store(q, narrow(first, rest))
  } else if (n > 0) v128.store(q, narrow(anchored(loadPart(x, n), f), splat(ANCHOR)))
}

/** The first half of each row of 2 n floats, n a multiple of 4, to n int16. */
export function roundRows(x: usize, q: usize, n: i32, rows: i32, factor: f32): void {
  const f = splat(factor)
  const bytes = (<usize>n) << 2
  for (let row = 0; row < rows; row++, x += bytes) {
    const end = x + bytes
    for (; x + VECTOR < end; x += 2 * VECTOR, q += VECTOR) {
      v128.store(q, narrow(anchored(v128.load(x), f), anchored(v128.load(x, 16), f)))
    }
    if (x < end) {
      const last = anchored(v128.load(x), f)
      v128.store64_lane(q, narrow(last, last), 0)
      x += VECTOR
      q += 8
    }
  }
}

/** One step whole: quantises n floats and returns the scale. */
export function quantiseRow(x: usize, q: usize, floats: i32): f32 {
  const peak = peakOf(x, floats)
  roundRow(x, q, floats, factorOf(peak))
  return scaleOf(peak)
}

/** Rows a and b of n floats to n pairs (a, b) of int16. */
export function roundPair(a: usize, b: usize, q: usize, floats: i32, factor: f32): void {
  const f = splat(factor)
  const low = i32x4.splat(0xffff)
  let n = floats
  for (; n >= LANES; n -= LANES, a += VECTOR, b += VECTOR, q += VECTOR) {
    const first = v128.and(anchored(v128.load(a), f), low)
    v128.store(q, v128.or(first, i32x4.shl(anchored(v128.load(b), f), 16)))
  }
  if (n > 0) {
    const first = v128.and(anchored(loadPart(a, n), f), low)
    storePart(q, v128.or(first, i32x4.shl(anchored(loadPart(b, n), f), 16)), n)
  }
}

/** Row a alone: pairs (a, 0). */
export function roundLast(a: usize, q: usize, floats: i32, factor: f32): void {
  const f = splat(factor)
  const low = i32x4.splat(0xffff)
  let n = floats
  for (; n >= LANES; n -= LANES, a += VECTOR, q += VECTOR) {
    v128.store(q, v128.and(anchored(v128.load(a), f), low))
  }
  if (n > 0) storePart(q, v128.and(anchored(loadPart(a, n), f), low), n)
}
