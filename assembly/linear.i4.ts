// Matrix products of int4 weights and int16 activations (quantize/FORMAT.md, number format 2). Groups of 32 k have a
// scale of their own: the sum of a group is exact in 32 bits, groups add up in f32 in order. One 128-bit load holds four
// rows by eight k. Where there are four columns or more, eight rows at a time are widened to int16 in the temporary and
// used for all columns: twice as fast as taking nibbles out in the inner loop, for 16 bytes per k.

import { LANES, madd, splat, storeFour, storeUpTo, VECTOR } from './lanes'
import { biasAt } from './linear.i8'

/** Vectors of eight k in a group of 32. */
const GROUP_VECTORS: i32 = 4
/** Upper halves of four f32. */
const SCALE_BYTES: usize = 8

export function multiplyNibbles(
  w: usize,
  bias: usize,
  x: usize,
  xStride: usize,
  scales: usize,
  strip: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  depth: i32,
  columns: i32,
): void {
  const vectors = (depth + 7) >> 3
  const blockBytes = (<usize>vectors) << 4
  const groupBytes = <usize>((vectors + GROUP_VECTORS - 1) >> 2) * SCALE_BYTES
  let rowScale = w + <usize>((rows + 3) >> 2) * blockBytes
  const tiled = columns & ~3
  for (let row = 0; row < rows; row += 2 * LANES) {
    const two = rows - row > LANES
    let xn = x
    let yn = y + ((<usize>row) << 2)
    let s = scales
    let n = 0
    if (tiled > 0) {
      widen(w, strip, two ? 2 * vectors : vectors)
      for (; n < tiled; n += 4, xn += 4 * xStride, yn += 4 * yStride, s += VECTOR) {
        tile2x4(strip, rowScale, groupBytes, bias, xn, xStride, s, yn, yStride, rows - row, vectors)
      }
    }
    for (; n < columns; n++, xn += xStride, yn += yStride, s += 4) {
      tile1x1(w, rowScale, bias, xn, s, yn, rows - row, vectors)
      if (!two) continue
      const b: usize = bias === 0 ? 0 : bias + VECTOR
      tile1x1(w + blockBytes, rowScale + groupBytes, b, xn, s, yn + VECTOR, rows - row - LANES, vectors)
    }
    w += 2 * blockBytes
    rowScale += 2 * groupBytes
    if (bias !== 0) bias += 2 * VECTOR
  }
}

/** Vectors of four rows by eight k to four vectors of four rows by a pair of k. */
function widen(w: usize, strip: usize, vectors: i32): void {
  for (let n = 0; n < vectors; n++, w += VECTOR, strip += 4 * VECTOR) {
    const v = v128.load(w)
    v128.store(strip, i16x8.shr_s(v, 12))
    v128.store(strip, i16x8.shr_s(i16x8.shl(v, 4), 12), 16)
    v128.store(strip, i16x8.shr_s(i16x8.shl(v, 8), 12), 32)
    v128.store(strip, i16x8.shr_s(i16x8.shl(v, 12), 12), 48)
  }
}

/** Scales of four rows in one group. */
function groupScale(at: usize): v128 {
  return i32x4.shl(v128.load16x4_u(at), 16)
}

/** The pair of k in the top nibbles of the 16-bit lanes. */
function topPair(w: v128): v128 {
  return i16x8.shr_s(w, 12)
}

function accumulate(sum: v128, w: v128, x: usize): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, v128.load32_splat(x)))
}

function addGroup(total: v128, sum: v128, scale: v128): v128 {
  return madd(total, f32x4.convert_i32x4_s(sum), scale)
}

function finish(total: v128, columnScale: usize, bias: v128): v128 {
  return madd(bias, total, v128.load32_splat(columnScale))
}

/** 8 rows x 4 columns; of the last four only as many as there are. */
function tile2x4(
  strip: usize,
  rowScale: usize,
  groupBytes: usize,
  bias: usize,
  x: usize,
  xStride: usize,
  scale: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  vectors: i32,
): void {
  const none = splat(0.0)
  let y00 = none
  let y10 = none
  let y01 = none
  let y11 = none
  let y02 = none
  let y12 = none
  let y03 = none
  let y13 = none
  let x1 = x + xStride
  let x2 = x + 2 * xStride
  let x3 = x + 3 * xStride
  let w = strip
  let w1 = rows > LANES ? strip + ((<usize>vectors) << 6) : strip
  for (let left = vectors; left > 0; left -= GROUP_VECTORS, rowScale += SCALE_BYTES) {
    let a00 = i32x4.splat(0)
    let a10 = a00
    let a01 = a00
    let a11 = a00
    let a02 = a00
    let a12 = a00
    let a03 = a00
    let a13 = a00
    for (const end = x + ((<usize>min(left, GROUP_VECTORS)) << 4); x < end; ) {
      const v0 = v128.load(w)
      const v1 = v128.load(w1)
      let u = v128.load32_splat(x)
      a00 = i32x4.add(a00, i32x4.dot_i16x8_s(v0, u))
      a10 = i32x4.add(a10, i32x4.dot_i16x8_s(v1, u))
      u = v128.load32_splat(x1)
      a01 = i32x4.add(a01, i32x4.dot_i16x8_s(v0, u))
      a11 = i32x4.add(a11, i32x4.dot_i16x8_s(v1, u))
      u = v128.load32_splat(x2)
      a02 = i32x4.add(a02, i32x4.dot_i16x8_s(v0, u))
      a12 = i32x4.add(a12, i32x4.dot_i16x8_s(v1, u))
      u = v128.load32_splat(x3)
      a03 = i32x4.add(a03, i32x4.dot_i16x8_s(v0, u))
      a13 = i32x4.add(a13, i32x4.dot_i16x8_s(v1, u))
      w += VECTOR
      w1 += VECTOR
      x += 4
      x1 += 4
      x2 += 4
      x3 += 4
    }
    const s0 = groupScale(rowScale)
    y00 = addGroup(y00, a00, s0)
    y01 = addGroup(y01, a01, s0)
    y02 = addGroup(y02, a02, s0)
    y03 = addGroup(y03, a03, s0)
    const s1 = groupScale(rows > LANES ? rowScale + groupBytes : rowScale)
    y10 = addGroup(y10, a10, s1)
    y11 = addGroup(y11, a11, s1)
    y12 = addGroup(y12, a12, s1)
    y13 = addGroup(y13, a13, s1)
  }
  putBlock(y00, y01, y02, y03, scale, biasAt(bias, 0), y, yStride, rows)
  if (rows > LANES) putBlock(y10, y11, y12, y13, scale, biasAt(bias, 1), y + 16, yStride, rows - 4)
}

/** Four rows of four columns. */
// @ts-ignore: decorator
@inline
function putBlock(a: v128, b: v128, c: v128, d: v128, scale: usize, bias: v128, y: usize, yStride: usize, rows: i32): void {
  const a1 = finish(a, scale, bias)
  const b1 = finish(b, scale + 4, bias)
  const c1 = finish(c, scale + 8, bias)
  storeFour(y, yStride, a1, b1, c1, finish(d, scale + 12, bias), rows)
}

/** 4 rows of one column. */
function tile1x1(
  w: usize,
  rowScale: usize,
  bias: usize,
  x: usize,
  scale: usize,
  y: usize,
  rows: i32,
  vectors: i32,
): void {
  let total = splat(0.0)
  for (let left = vectors; left > 0; left -= GROUP_VECTORS, rowScale += SCALE_BYTES) {
    let a = i32x4.splat(0)
    const endGroup = w + ((<usize>min(left, GROUP_VECTORS)) << 4)
    for (; w < endGroup; w += VECTOR) {
      let v = v128.load(w)
      for (const end = x + 16; x < end; x += 4) {
        a = accumulate(a, topPair(v), x)
        v = i16x8.shl(v, 4)
      }
    }
    total = addGroup(total, a, groupScale(rowScale))
  }
  storeUpTo(y, finish(total, scale, biasAt(bias, 0)), rows)
}
