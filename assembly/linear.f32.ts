// Matrix products in f32, the hot loops of every network: y[n, d] = b[d] + sum_k W[d, k] x[n, k] for n columns (steps x
// positions), W packed (up(d)/4, K, 4). Lanes are rows: one load serves four, x is broadcast. Sums run over k in order,
// so the bits depend neither on the tile nor on the number of columns. 2x4 tile = 8 rows x 4 columns in registers.

import { activate } from './activation'
import { LANES, loadPart, madd, splat, storePart, VECTOR } from './lanes'
import { Op } from './record'

/**
 * rows x columns results of depth K each. blockBytes: from four rows of weights to the next; xStride, yStride: bytes
 * from column to column; bias 0: none; sum: add to y.
 */
export function multiply(
  w: usize,
  blockBytes: usize,
  bias: usize,
  x: usize,
  xStride: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  depth: i32,
  columns: i32,
  sum: bool,
): void {
  const tiled = columns & ~3
  const tiledX = x + <usize>tiled * xStride
  const tiledY = y + <usize>tiled * yStride
  let row = 0
  for (; row + LANES < rows && tiled > 0; row += 2 * LANES) {
    let xn = x
    let yn = y + ((<usize>row) << 2)
    for (; xn !== tiledX; xn += 4 * xStride, yn += 4 * yStride) {
      tile2x4(
        blockAt(w, blockBytes, row),
        blockBytes,
        rowAt(bias, row),
        xn,
        xStride,
        yn,
        yStride,
        rows - row,
        depth,
        sum,
      )
    }
  }
  if (row < rows) {
    let xn = x
    let yn = y + ((<usize>row) << 2)
    for (; xn !== tiledX; xn += 4 * xStride, yn += 4 * yStride) {
      tile1x4(blockAt(w, blockBytes, row), rowAt(bias, row), xn, xStride, yn, yStride, rows - row, depth, sum)
    }
  }
  let xn = tiledX
  let yn = tiledY
  for (let n = tiled; n < columns; n++, xn += xStride, yn += yStride) {
    multiplyColumn(w, blockBytes, bias, xn, yn, rows, depth, sum)
  }
}

function multiplyColumn(
  w: usize,
  blockBytes: usize,
  bias: usize,
  x: usize,
  y: usize,
  rows: i32,
  depth: i32,
  sum: bool,
): void {
  let row = 0
  for (; row + 3 * LANES < rows; row += 4 * LANES) {
    tile4x1(
      blockAt(w, blockBytes, row),
      blockBytes,
      rowAt(bias, row),
      x,
      y + ((<usize>row) << 2),
      rows - row,
      depth,
      sum,
    )
  }
  for (; row < rows; row += LANES) {
    tile1x1(blockAt(w, blockBytes, row), rowAt(bias, row), x, y + ((<usize>row) << 2), rows - row, depth, sum)
  }
}

function blockAt(w: usize, blockBytes: usize, row: i32): usize {
  return w + <usize>(row >> 2) * blockBytes
}

function rowAt(bias: usize, row: i32): usize {
  return bias === 0 ? 0 : bias + ((<usize>row) << 2)
}

function biasAt(bias: usize, block: usize): v128 {
  return bias === 0 ? splat(0.0) : v128.load(bias + block * VECTOR)
}

/** The first `rows` lanes of a result. */
function put(y: usize, v: v128, rows: i32, sum: bool): void {
  if (rows >= LANES) v128.store(y, sum ? f32x4.add(v128.load(y), v) : v)
  else storePart(y, sum ? f32x4.add(loadPart(y, rows), v) : v, rows)
}

/** 8 rows x 4 columns. */
function tile2x4(
  w: usize,
  blockBytes: usize,
  bias: usize,
  x: usize,
  xStride: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  depth: i32,
  sum: bool,
): void {
  let a00 = biasAt(bias, 0)
  let a10 = biasAt(bias, 1)
  let a01 = a00
  let a11 = a10
  let a02 = a00
  let a12 = a10
  let a03 = a00
  let a13 = a10
  let w1 = w + blockBytes
  let x1 = x + xStride
  let x2 = x + 2 * xStride
  let x3 = x + 3 * xStride
  const end = x + ((<usize>depth) << 2)
  while (x < end) {
    const v0 = v128.load(w)
    const v1 = v128.load(w1)
    let u = v128.load32_splat(x)
    a00 = madd(a00, v0, u)
    a10 = madd(a10, v1, u)
    u = v128.load32_splat(x1)
    a01 = madd(a01, v0, u)
    a11 = madd(a11, v1, u)
    u = v128.load32_splat(x2)
    a02 = madd(a02, v0, u)
    a12 = madd(a12, v1, u)
    u = v128.load32_splat(x3)
    a03 = madd(a03, v0, u)
    a13 = madd(a13, v1, u)
    w += VECTOR
    w1 += VECTOR
    x += 4
    x1 += 4
    x2 += 4
    x3 += 4
  }
  put(y, a00, LANES, sum)
  put(y + 16, a10, rows - 4, sum)
  put(y + yStride, a01, LANES, sum)
  put(y + yStride + 16, a11, rows - 4, sum)
  put(y + 2 * yStride, a02, LANES, sum)
  put(y + 2 * yStride + 16, a12, rows - 4, sum)
  put(y + 3 * yStride, a03, LANES, sum)
  put(y + 3 * yStride + 16, a13, rows - 4, sum)
}

/** 4 rows x 4 columns. */
function tile1x4(
  w: usize,
  bias: usize,
  x: usize,
  xStride: usize,
  y: usize,
  yStride: usize,
  rows: i32,
  depth: i32,
  sum: bool,
): void {
  let a00 = biasAt(bias, 0)
  let a01 = a00
  let a02 = a00
  let a03 = a00
  let x1 = x + xStride
  let x2 = x + 2 * xStride
  let x3 = x + 3 * xStride
  const end = x + ((<usize>depth) << 2)
  while (x < end) {
    const v0 = v128.load(w)
    let u = v128.load32_splat(x)
    a00 = madd(a00, v0, u)
    u = v128.load32_splat(x1)
    a01 = madd(a01, v0, u)
    u = v128.load32_splat(x2)
    a02 = madd(a02, v0, u)
    u = v128.load32_splat(x3)
    a03 = madd(a03, v0, u)
    w += VECTOR
    x += 4
    x1 += 4
    x2 += 4
    x3 += 4
  }
  put(y, a00, rows, sum)
  put(y + yStride, a01, rows, sum)
  put(y + 2 * yStride, a02, rows, sum)
  put(y + 3 * yStride, a03, rows, sum)
}

/** 16 rows of one column. */
function tile4x1(w: usize, blockBytes: usize, bias: usize, x: usize, y: usize, rows: i32, depth: i32, sum: bool): void {
  let a00 = biasAt(bias, 0)
  let a10 = biasAt(bias, 1)
  let a20 = biasAt(bias, 2)
  let a30 = biasAt(bias, 3)
  let w1 = w + blockBytes
  let w2 = w + 2 * blockBytes
  let w3 = w + 3 * blockBytes
  const end = x + ((<usize>depth) << 2)
  while (x < end) {
    const v0 = v128.load(w)
    const v1 = v128.load(w1)
    const v2 = v128.load(w2)
    const v3 = v128.load(w3)
    let u = v128.load32_splat(x)
    a00 = madd(a00, v0, u)
    a10 = madd(a10, v1, u)
    a20 = madd(a20, v2, u)
    a30 = madd(a30, v3, u)
    w += VECTOR
    w1 += VECTOR
    w2 += VECTOR
    w3 += VECTOR
    x += 4
  }
  put(y, a00, LANES, sum)
  put(y + 16, a10, LANES, sum)
  put(y + 32, a20, LANES, sum)
  put(y + 48, a30, rows - 12, sum)
}

/** 4 rows of one column. */
function tile1x1(w: usize, bias: usize, x: usize, y: usize, rows: i32, depth: i32, sum: bool): void {
  let a00 = biasAt(bias, 0)
  const end = x + ((<usize>depth) << 2)
  while (x < end) {
    const v0 = v128.load(w)
    let u = v128.load32_splat(x)
    a00 = madd(a00, v0, u)
    w += VECTOR
    x += 4
  }
  put(y, a00, rows, sum)
}

/** y = W x + b at every step and position. */
export function linear(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const depth = op.channels
  const rows = op.resultChannels
  const columns = (to - from) * op.positions
  const y = op.resultStep(scratch, from)
  multiply(
    program + op.weights0,
    <usize>depth * VECTOR,
    op.block(program, op.weights1),
    op.inputStep(scratch, from),
    (<usize>depth) << 2,
    y,
    (<usize>rows) << 2,
    rows,
    depth,
    columns,
    false,
  )
  activate(op.parameter0, y, columns * rows)
}

/**
 * Convolution over positions. Neighbouring positions lie side by side, so a window of taps is one column of taps x C
 * numbers; at the edges it is cut and so are the weights that meet it.
 */
export function bandconv(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const parameters = op.parameter0
  const taps = parameters & 255
  const stride = (parameters >>> 8) & 255
  const padLeft = (parameters >>> 16) & 255
  const positions = op.positions
  const resultPositions = op.resultPositions
  // Windows firstWhole..endWhole-1 lie inside.
  const firstWhole = min((padLeft + stride - 1) / stride, resultPositions)
  const room = positions + padLeft - taps
  const endWhole = room < 0 ? firstWhole : max(firstWhole, min(room / stride + 1, resultPositions))
  for (let step = from; step < to; step++) {
    const x = op.inputStep(scratch, step)
    const y = op.resultStep(scratch, step)
    for (let q = 0; q < firstWhole; q++) convolve(op, program, x, y, q, 1, taps, q * stride - padLeft, stride)
    const whole = endWhole - firstWhole
    if (whole > 0) convolve(op, program, x, y, firstWhole, whole, taps, firstWhole * stride - padLeft, stride)
    for (let q = endWhole; q < resultPositions; q++)
      convolve(op, program, x, y, q, 1, taps, q * stride - padLeft, stride)
  }
  activate(parameters >>> 24, op.resultStep(scratch, from), (to - from) * resultPositions * op.resultChannels)
}

/** `count` windows from result position q on, the first over input positions left..left+taps-1, all cut alike. */
function convolve(
  op: Op,
  program: usize,
  x: usize,
  y: usize,
  q: i32,
  count: i32,
  taps: i32,
  left: i32,
  stride: i32,
): void {
  const channels = op.channels
  const rows = op.resultChannels
  const skip = max(0, -left)
  const used = max(0, min(taps, op.positions - left) - skip)
  multiply(
    program + op.weights0 + <usize>(skip * channels) * VECTOR,
    <usize>(taps * channels) * VECTOR,
    op.block(program, op.weights1),
    used === 0 ? x : x + ((<usize>((left + skip) * channels)) << 2),
    (<usize>(stride * channels)) << 2,
    y + ((<usize>(q * rows)) << 2),
    (<usize>rows) << 2,
    rows,
    used * channels,
    count,
    false,
  )
}
