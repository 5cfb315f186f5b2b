// Mixing of positions with int8 weights and int16 activations (quantize/FORMAT.md, number format 1): y[t,q,c] = b[q] +
// scale[g,q] scale[t] sum_p W[g(c),q,p] x[t,p,c]. The step is quantised in pairs of positions, (pairs of P, C, 2); weights
// are (G, up(Q)/4, pairs of P, 4, 2). Lanes are results, as in linear.i8.ts, so that weights widen as they are loaded and a
// pair of x is broadcast; blocks of four results by four channels are transposed on their way out.

import { activate } from './activation'
import { LANES, madd, splat, storeFour, VECTOR } from './lanes'
import { biasAt } from './linear.i8'
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
  const blockBytes = <usize>pairs * PAIR_BYTES
  const end = (<usize>width) << 2
  for (let q = 0; q < results; ) {
    const two = results - q > LANES
    for (let at: usize = 0; at < end; at += VECTOR) {
      const channels = <i32>((end - at) >> 2)
      if (two) tile2x4(w, blockBytes, rowScale, scale, bias, x + at, y + at, stride, results - q, channels)
      else tile1x4(w, w + blockBytes, rowScale, scale, bias, x + at, y + at, stride, results - q, channels)
    }
    const step: usize = two ? 2 : 1
    q += two ? 2 * LANES : LANES
    w += step * blockBytes
    rowScale += step * VECTOR
    y += step * 4 * stride
    if (bias !== 0) bias += step * VECTOR
  }
}

function accumulate(sum: v128, w: v128, x: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x))
}

function finish(sum: v128, scale: v128, bias: v128): v128 {
  return madd(bias, f32x4.convert_i32x4_s(sum), scale)
}

/** Four results of four channels: lanes are results when they come and channels when they go; as many of each as there are. */
// @ts-ignore: decorator
@inline
function putBlock(a: v128, b: v128, c: v128, d: v128, y: usize, stride: usize, results: i32, channels: i32): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  const first = v128.shuffle<i32>(ab, cd, 0, 1, 4, 5)
  const second = v128.shuffle<i32>(ab, cd, 2, 3, 6, 7)
  const third = v128.shuffle<i32>(abHigh, cdHigh, 0, 1, 4, 5)
  storeFour(y, stride, first, second, third, v128.shuffle<i32>(abHigh, cdHigh, 2, 3, 6, 7), channels, results)
}

/** 8 results x 4 channels. */
function tile2x4(
  w: usize,
  blockBytes: usize,
  rowScale: usize,
  scale: f32,
  bias: usize,
  x: usize,
  y: usize,
  stride: usize,
  results: i32,
  channels: i32,
): void {
  let a00 = i32x4.splat(0)
  let a10 = a00
  let a01 = a00
  let a11 = a00
  let a02 = a00
  let a12 = a00
  let a03 = a00
  let a13 = a00
  let w1 = w + blockBytes
  const end = w1
  while (w < end) {
    const v0 = v128.load8x8_s(w)
    const v1 = v128.load8x8_s(w1)
    let u = v128.load32_splat(x)
    a00 = accumulate(a00, v0, u)
    a10 = accumulate(a10, v1, u)
    u = v128.load32_splat(x, 4)
    a01 = accumulate(a01, v0, u)
    a11 = accumulate(a11, v1, u)
    u = v128.load32_splat(x, 8)
    a02 = accumulate(a02, v0, u)
    a12 = accumulate(a12, v1, u)
    u = v128.load32_splat(x, 12)
    a03 = accumulate(a03, v0, u)
    a13 = accumulate(a13, v1, u)
    w += PAIR_BYTES
    w1 += PAIR_BYTES
    x += stride
  }
  const s0 = f32x4.mul(v128.load(rowScale), splat(scale))
  const b0 = biasAt(bias, 0)
  putBlock(finish(a00, s0, b0), finish(a01, s0, b0), finish(a02, s0, b0), finish(a03, s0, b0), y, stride, LANES, channels)
  const s1 = f32x4.mul(v128.load(rowScale, 16), splat(scale))
  const b1 = biasAt(bias, 1)
  putBlock(
    finish(a10, s1, b1),
    finish(a11, s1, b1),
    finish(a12, s1, b1),
    finish(a13, s1, b1),
    y + 4 * stride,
    stride,
    results - LANES,
    channels,
  )
}

/** 4 results x 4 channels. */
function tile1x4(
  w: usize,
  end: usize,
  rowScale: usize,
  scale: f32,
  bias: usize,
  x: usize,
  y: usize,
  stride: usize,
  results: i32,
  channels: i32,
): void {
  let a0 = i32x4.splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  while (w < end) {
    const v = v128.load8x8_s(w)
    a0 = accumulate(a0, v, v128.load32_splat(x))
    a1 = accumulate(a1, v, v128.load32_splat(x, 4))
    a2 = accumulate(a2, v, v128.load32_splat(x, 8))
    a3 = accumulate(a3, v, v128.load32_splat(x, 12))
    w += PAIR_BYTES
    x += stride
  }
  const s = f32x4.mul(v128.load(rowScale), splat(scale))
  const b = biasAt(bias, 0)
  putBlock(finish(a0, s, b), finish(a1, s, b), finish(a2, s, b), finish(a3, s, b), y, stride, results, channels)
}
