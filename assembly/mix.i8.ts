// Mixing of positions with int8 weights and int16 activations (quantize/FORMAT.md, number format 1): y[t,q,c] = b[q] +
// scale[g,q] scale[t] sum_p W[g(c),q,p] x[t,p,c]. The step is quantised in pairs of positions, (pairs of P, C, 2), so
// lanes are channels; weights (G, up(Q)/4, pairs of P, 4, 2): those of four results are widened to int16 in the
// temporary, once for all channels, and each pair is broadcast from there.

import { activate } from './activation'
import { LANES, madd, VECTOR } from './lanes'
import { put } from './linear.i8'
import { factorOf, peakOf, roundLast, roundPair, scaleOf } from './quantise'
import { Op } from './record'

const PAIR_BYTES: usize = 8

export function mixIntegers(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const groups = op.parameter0
  const channels = op.channels
  const width = channels / groups
  const positions = op.positions
  const results = op.resultPositions
  const bias = op.block(program, op.weights1)
  const pairs = (positions + 1) >> 1
  const blocks = (results + 3) >> 2
  const groupBytes = <usize>(blocks * pairs) * PAIR_BYTES
  const weights = program + op.weights0
  const rowScales = (weights + <usize>groups * groupBytes + 15) & ~15
  const q = scratch + op.temporaryAt
  for (let step = from; step < to; step++) {
    const scale = quantisePairs(op.inputStep(scratch, step), q, positions, channels)
    for (let g = 0; g < groups; g++) {
      mixGroup(
        weights + <usize>g * groupBytes,
        q + ((<usize>(pairs * channels)) << 2) + VECTOR,
        rowScales + <usize>(g * blocks) * VECTOR,
        scale,
        bias,
        q + ((<usize>(g * width)) << 2),
        op.resultStep(scratch, step) + ((<usize>(g * width)) << 2),
        (<usize>channels) << 2,
        width,
        pairs,
        results,
      )
    }
  }
  activate(op.parameter1, op.resultStep(scratch, from), (to - from) * results * channels)
}

/** One step to int16, two positions side by side; returns the scale. */
function quantisePairs(x: usize, q: usize, positions: i32, channels: i32): f32 {
  const row = (<usize>channels) << 2
  const peak = peakOf(x, positions * channels)
  const factor = factorOf(peak)
  let p = 0
  for (; p + 1 < positions; p += 2, x += 2 * row, q += row) roundPair(x, x + row, q, channels, factor)
  if (p < positions) roundLast(x, q, channels, factor)
  return scaleOf(peak)
}

function mixGroup(
  w: usize,
  strip: usize,
  rowScale: usize,
  scale: f32,
  bias: usize,
  x: usize,
  y: usize,
  stride: usize,
  width: i32,
  pairs: i32,
  results: i32,
): void {
  const end = <usize>pairs * stride
  for (let q = 0; q < results; q += LANES) {
    widen(w, strip, pairs)
    let c = 0
    for (; c + LANES < width; c += 2 * LANES) {
      const at = (<usize>c) << 2
      tile4x2(strip, rowScale, scale, bias, x + at, x + at + end, y + at, stride, results - q, width - c)
    }
    if (c < width) {
      const at = (<usize>c) << 2
      tile4x1(strip, rowScale, scale, bias, x + at, x + at + end, y + at, stride, results - q, width - c)
    }
    w += <usize>pairs * PAIR_BYTES
    rowScale += VECTOR
    y += 4 * stride
    if (bias !== 0) bias += VECTOR
  }
}

function accumulate(sum: v128, w: v128, x: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x))
}

/** int8 to int16: a pair for four results is one vector. */
function widen(w: usize, strip: usize, pairs: i32): void {
  for (let n = 0; n < pairs; n++, w += PAIR_BYTES, strip += VECTOR) v128.store(strip, v128.load8x8_s(w))
}

/** Sums of result position i: `row` holds the scale and the bias that belong to it. */
function finish(sum: v128, rowScale: usize, scale: f32, bias: usize, i: usize): v128 {
  const s = f32x4.splat(load<f32>(rowScale + (i << 2)) * scale)
  const b = bias === 0 ? f32x4.splat(0) : v128.load32_splat(bias + (i << 2))
  return madd(b, f32x4.convert_i32x4_s(sum), s)
}

/** 4 result positions x 8 channels. */
function tile4x2(
  w: usize,
  rowScale: usize,
  scale: f32,
  bias: usize,
  x: usize,
  end: usize,
  y: usize,
  stride: usize,
  rows: i32,
  channels: i32,
): void {
  let a00 = i32x4.splat(0)
  let a01 = a00
  let a10 = a00
  let a11 = a00
  let a20 = a00
  let a21 = a00
  let a30 = a00
  let a31 = a00
  while (x < end) {
    const x0 = v128.load(x)
    const x1 = v128.load(x, 16)
    let u = v128.load32_splat(w)
    a00 = accumulate(a00, u, x0)
    a01 = accumulate(a01, u, x1)
    u = v128.load32_splat(w, 4)
    a10 = accumulate(a10, u, x0)
    a11 = accumulate(a11, u, x1)
    u = v128.load32_splat(w, 8)
    a20 = accumulate(a20, u, x0)
    a21 = accumulate(a21, u, x1)
    u = v128.load32_splat(w, 12)
    a30 = accumulate(a30, u, x0)
    a31 = accumulate(a31, u, x1)
    w += VECTOR
    x += stride
  }
  v128.store(y, finish(a00, rowScale, scale, bias, 0))
  put(y + 16, finish(a01, rowScale, scale, bias, 0), channels - 4)
  if (rows < 2) return
  y += stride
  v128.store(y, finish(a10, rowScale, scale, bias, 1))
  put(y + 16, finish(a11, rowScale, scale, bias, 1), channels - 4)
  if (rows < 3) return
  y += stride
  v128.store(y, finish(a20, rowScale, scale, bias, 2))
  put(y + 16, finish(a21, rowScale, scale, bias, 2), channels - 4)
  if (rows < 4) return
  y += stride
  v128.store(y, finish(a30, rowScale, scale, bias, 3))
  put(y + 16, finish(a31, rowScale, scale, bias, 3), channels - 4)
}

/** 4 result positions x 4 channels. */
function tile4x1(
  w: usize,
  rowScale: usize,
  scale: f32,
  bias: usize,
  x: usize,
  end: usize,
  y: usize,
  stride: usize,
  rows: i32,
  channels: i32,
): void {
  let a0 = i32x4.splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  while (x < end) {
    const x0 = v128.load(x)
    a0 = accumulate(a0, v128.load32_splat(w), x0)
    a1 = accumulate(a1, v128.load32_splat(w, 4), x0)
    a2 = accumulate(a2, v128.load32_splat(w, 8), x0)
    a3 = accumulate(a3, v128.load32_splat(w, 12), x0)
    w += VECTOR
    x += stride
  }
  put(y, finish(a0, rowScale, scale, bias, 0), channels)
  if (rows < 2) return
  y += stride
  put(y, finish(a1, rowScale, scale, bias, 1), channels)
  if (rows < 3) return
  y += stride
  put(y, finish(a2, rowScale, scale, bias, 2), channels)
  if (rows < 4) return
  y += stride
  put(y, finish(a3, rowScale, scale, bias, 3), channels)
}
