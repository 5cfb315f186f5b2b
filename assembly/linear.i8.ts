// Matrix products of int8 weights and int16 activations (quantize/FORMAT.md, number format 1): y[n, d] = b[d] + scale[d]
// scale[n] sum_k W[d, k] x[n, k], the sum exact in 32 bits for K <= 516. Weights (up(d)/4, pairs of k, 4 rows, 2): one
// 64-bit load widens to four rows by two k, one dot product multiplies them with a pair of x in all lanes. 2x4 tile =
// 8 rows x 4 columns in registers, 47 GMAC/s where f32 has 30; neither larger tiles nor unrolled pairs are as fast.

import { activate } from './activation'
import { LANES, madd, splat, storeFour, storePart, storeUpTo, VECTOR } from './lanes'
import { multiplyNibbles } from './linear.i4'
import { factorOf, peakOf, quantiseRow, roundRow, scaleOf } from './quantise'
import { Op } from './record'

/** Four rows by two columns. */
const PAIR_BYTES: usize = 8
export const FORMAT_INT4: u32 = 2
/** Columns that are quantised and multiplied at a time where a hop has many steps. */
const CHUNK_COLUMNS: i32 = 16

/** Steps that one pass takes in, so that what lies between stays in the first-level cache. */
export function chunkSteps(steps: i32, positions: i32): i32 {
  return min(steps, max(1, CHUNK_COLUMNS / positions))
}

/** Bytes of n int16 with room for what is read behind them, before the scales of the columns. */
export function integerBytes(n: i32): usize {
  return ((<usize>((n + 7) & ~7)) << 1) + VECTOR
}

/** From the scales to the strip behind them. */
function stripAfter(columns: i32): usize {
  return (<usize>((columns + 3) & ~3)) << 2
}

/**
 * Products of all columns with weights of either integer format; scales: one f32 per column, then room for a strip; uniform:
 * they are all the same.
 */
export function multiplyIntegers(
  format: u32,
  w: usize,
  bias: usize,
  x: usize,
  xStride: usize,
  scales: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  depth: i32,
  columns: i32,
  uniform: bool,
): void {
  if (format === FORMAT_INT4) multiplyNibbles(w, bias, x, xStride, scales, scales + stripAfter(columns), y, yStride, rows, depth, columns)
  else multiplyBytes(w, bias, x, xStride, scales, y, yStride, rows, depth, columns, uniform)
}

function multiplyBytes(
  w: usize,
  bias: usize,
  x: usize,
  xStride: usize,
  scales: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  depth: i32,
  columns: i32,
  uniform: bool,
): void {
  const pairs = <usize>((depth + 1) >> 1)
  const blockBytes = pairs * PAIR_BYTES
  const blocks = <usize>((rows + 3) >> 2)
  let rowScale = (w + blocks * blockBytes + 15) & ~15
  const tiled = columns & ~3
  const endX = x + (pairs << 2)
  let row = 0
  while (row < rows) {
    const two = rows - row > LANES
    let xn = x
    let xe = endX
    let yn = y + ((<usize>row) << 2)
    let s = scales
    let n = 0
    for (; n < tiled; n += 4, xn += 4 * xStride, xe += 4 * xStride, yn += 4 * yStride, s += VECTOR) {
      if (two) tile2x4(w, blockBytes, rowScale, bias, xn, xe, xStride, s, yn, yStride, rows - row, uniform)
      else tile1x4(w, rowScale, bias, xn, xe, xStride, s, yn, yStride, rows - row, uniform)
    }
    for (; n < columns; n++, xn += xStride, xe += xStride, yn += yStride, s += 4) {
      if (two) tile2x1(w, blockBytes, rowScale, bias, xn, xe, s, yn, rows - row)
      else tile1x1(w, rowScale, bias, xn, xe, s, yn, rows - row)
    }
    const step: usize = two ? 2 : 1
    row += two ? 2 * LANES : LANES
    w += step * blockBytes
    rowScale += step * VECTOR
    if (bias !== 0) bias += step * VECTOR
  }
}

export function biasAt(bias: usize, block: usize): v128 {
  return bias === 0 ? splat(0.0) : v128.load(bias + block * VECTOR)
}

function finish(sum: v128, scale: v128, bias: v128): v128 {
  return madd(bias, f32x4.convert_i32x4_s(sum), scale)
}

/** Four rows of four columns. */
// @ts-ignore: decorator
@inline
function putBlock(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  rowScale: v128,
  scale: usize,
  bias: v128,
  y: usize,
  yStride: usize,
  rows: i32,
  uniform: bool,
): void {
  const s0 = f32x4.mul(rowScale, v128.load32_splat(scale))
  let s1 = s0
  let s2 = s0
  let s3 = s0
  if (!uniform) {
    s1 = f32x4.mul(rowScale, v128.load32_splat(scale, 4))
    s2 = f32x4.mul(rowScale, v128.load32_splat(scale, 8))
    s3 = f32x4.mul(rowScale, v128.load32_splat(scale, 12))
  }
  storeFour(y, yStride, finish(a, s0, bias), finish(b, s1, bias), finish(c, s2, bias), finish(d, s3, bias), rows)
}

/** Four rows of one column. */
function putColumn(sum: v128, rowScale: v128, scale: usize, bias: v128, y: usize, rows: i32): void {
  storeUpTo(y, finish(sum, f32x4.mul(rowScale, v128.load32_splat(scale)), bias), rows)
}

function accumulate(sum: v128, w: v128, x: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x))
}

/** 8 rows x 4 columns. */
function tile2x4(
  w: usize,
  blockBytes: usize,
  rowScale: usize,
  bias: usize,
  x: usize,
  end: usize,
  xStride: usize,
  scale: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  uniform: bool,
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
  let x1 = x + xStride
  let x2 = x + 2 * xStride
  let x3 = x + 3 * xStride
  while (x < end) {
    const v0 = v128.load8x8_s(w)
    const v1 = v128.load8x8_s(w1)
    let u = v128.load32_splat(x)
    a00 = accumulate(a00, v0, u)
    a10 = accumulate(a10, v1, u)
    u = v128.load32_splat(x1)
    a01 = accumulate(a01, v0, u)
    a11 = accumulate(a11, v1, u)
    u = v128.load32_splat(x2)
    a02 = accumulate(a02, v0, u)
    a12 = accumulate(a12, v1, u)
    u = v128.load32_splat(x3)
    a03 = accumulate(a03, v0, u)
    a13 = accumulate(a13, v1, u)
    w += PAIR_BYTES
    w1 += PAIR_BYTES
    x += 4
    x1 += 4
    x2 += 4
    x3 += 4
  }
  putBlock(a00, a01, a02, a03, v128.load(rowScale), scale, biasAt(bias, 0), y, yStride, LANES, uniform)
  putBlock(a10, a11, a12, a13, v128.load(rowScale, 16), scale, biasAt(bias, 1), y + 16, yStride, rows - 4, uniform)
}

/** 4 rows x 4 columns. */
function tile1x4(
  w: usize,
  rowScale: usize,
  bias: usize,
  x: usize,
  end: usize,
  xStride: usize,
  scale: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  uniform: bool,
): void {
  let a0 = i32x4.splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let x1 = x + xStride
  let x2 = x + 2 * xStride
  let x3 = x + 3 * xStride
  while (x < end) {
    const v = v128.load8x8_s(w)
    a0 = accumulate(a0, v, v128.load32_splat(x))
    a1 = accumulate(a1, v, v128.load32_splat(x1))
    a2 = accumulate(a2, v, v128.load32_splat(x2))
    a3 = accumulate(a3, v, v128.load32_splat(x3))
    w += PAIR_BYTES
    x += 4
    x1 += 4
    x2 += 4
    x3 += 4
  }
  putBlock(a0, a1, a2, a3, v128.load(rowScale), scale, biasAt(bias, 0), y, yStride, rows, uniform)
}

/** 8 rows of one column. */
function tile2x1(
  w: usize,
  blockBytes: usize,
  rowScale: usize,
  bias: usize,
  x: usize,
  end: usize,
  scale: usize,
  y: usize,
  rows: i32,
): void {
  let a0 = i32x4.splat(0)
  let a1 = a0
  let w1 = w + blockBytes
  while (x < end) {
    const u = v128.load32_splat(x)
    a0 = accumulate(a0, v128.load8x8_s(w), u)
    a1 = accumulate(a1, v128.load8x8_s(w1), u)
    w += PAIR_BYTES
    w1 += PAIR_BYTES
    x += 4
  }
  putColumn(a0, v128.load(rowScale), scale, biasAt(bias, 0), y, LANES)
  putColumn(a1, v128.load(rowScale, 16), scale, biasAt(bias, 1), y + 16, rows - 4)
}

/** 4 rows of one column. */
function tile1x1(
  w: usize,
  rowScale: usize,
  bias: usize,
  x: usize,
  end: usize,
  scale: usize,
  y: usize,
  rows: i32,
): void {
  let a = i32x4.splat(0)
  while (x < end) {
    a = accumulate(a, v128.load8x8_s(w), v128.load32_splat(x))
    w += PAIR_BYTES
    x += 4
  }
  putColumn(a, v128.load(rowScale), scale, biasAt(bias, 0), y, rows)
}

/** Quantises `steps` steps of `positions` columns of `depth` numbers each; each column is given its step's scale. */
export function quantiseColumns(
  x: usize,
  q: usize,
  scales: usize,
  steps: i32,
  positions: i32,
  depth: i32,
): void {
  const floats = positions * depth
  const xStep = (<usize>floats) << 2
  const qStep = (<usize>floats) << 1
  for (let t = 0; t < steps; t++, x += xStep, q += qStep, scales += (<usize>positions) << 2) {
    spread(scales, positions, quantiseRow(x, q, floats))
  }
}

/** One scale for `columns` columns. */
export function spread(scales: usize, columns: i32, scale: f32): void {
  const s = splat(scale)
  let n = columns
  for (; n >= LANES; n -= LANES, scales += VECTOR) v128.store(scales, s)
  if (n > 0) storePart(scales, s, n)
}

/** y = W x + b at every step and position. */
export function linearIntegers(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const format = op.kind >>> 16
  const depth = op.channels
  const rows = op.resultChannels
  const positions = op.positions
  const chunk = chunkSteps(op.steps, positions)
  const q = scratch + op.temporaryAt
  const scales = q + integerBytes(chunk * positions * depth)
  for (let step = from; step < to; step += chunk) {
    const steps = min(chunk, to - step)
    quantiseColumns(op.inputStep(scratch, step), q, scales, steps, positions, depth)
    multiplyIntegers(
      format,
      program + op.weights0,
      op.block(program, op.weights1),
      q,
      (<usize>depth) << 1,
      scales,
      op.resultStep(scratch, step),
      (<usize>rows) << 2,
      rows,
      depth,
      steps * positions,
      steps === 1,
    )
  }
  activate(op.parameter0, op.resultStep(scratch, from), (to - from) * positions * rows)
}

/** Convolution over positions: zeros stand around the quantised step, so every window is whole. */
export function bandconvIntegers(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const parameters = op.parameter0
  const taps = parameters & 255
  const stride = (parameters >>> 8) & 255
  const channels = op.channels
  const floats = op.positions * channels
  const rows = op.resultChannels
  const windows = op.resultPositions
  const left = ((parameters >>> 16) & 255) * channels
  const needed = ((windows - 1) * stride + taps) * channels
  const all = max(needed, left + floats)
  const q = scratch + op.temporaryAt
  const first = q + ((<usize>left) << 1)
  const scales = q + integerBytes(all)
  for (let step = from; step < to; step++) {
    const x = op.inputStep(scratch, step)
    const peak = peakOf(x, floats)
    roundRow(x, first, floats, factorOf(peak))
    clear(q, left)
    clear(first + ((<usize>floats) << 1), all - left - floats)
    spread(scales, windows, scaleOf(peak))
    multiplyIntegers(
      op.kind >>> 16,
      program + op.weights0,
      op.block(program, op.weights1),
      q,
      (<usize>(stride * channels)) << 1,
      scales,
      op.resultStep(scratch, step),
      (<usize>rows) << 2,
      rows,
      taps * channels,
      windows,
      true,
    )
  }
  activate(parameters >>> 24, op.resultStep(scratch, from), (to - from) * windows * rows)
}

function clear(q: usize, integers: i32): void {
  if (integers > 0) memory.fill(q, 0, (<usize>integers) << 1)
}
