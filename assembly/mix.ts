// Mixing of positions within groups of channels: y[t,q,c] = b[q] + sum_p W[g(c),q,p] x[t,p,c]. Weights (G, Q, P), bias
// (Q). Lanes are channels, weights are broadcast: 4 result positions x 4 or 8 channels in registers.

import { activate } from './activation'
import { LANES, loadPart, madd, splat, storePart, VECTOR } from './lanes'
import { Op } from './record'

export function mix(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const groups = op.parameter0
  const channels = op.channels
  const width = channels / groups
  const positions = op.positions
  const results = op.resultPositions
  const stride = (<usize>channels) << 2
  const bias = op.block(program, op.weights1)
  for (let step = from; step < to; step++) {
    for (let g = 0; g < groups; g++) {
      const at = (<usize>(g * width)) << 2
      const weights = program + op.weights0 + ((<usize>(g * results * positions)) << 2)
      mixGroup(
        weights,
        bias,
        op.inputStep(scratch, step) + at,
        op.resultStep(scratch, step) + at,
        stride,
        width,
        positions,
        results,
      )
    }
  }
  activate(op.parameter1, op.resultStep(scratch, from), (to - from) * results * channels)
}

function mixGroup(
  weights: usize,
  bias: usize,
  x: usize,
  y: usize,
  stride: usize,
  width: i32,
  positions: i32,
  results: i32,
): void {
  const rowBytes = (<usize>positions) << 2
  for (let q = 0; q < results; ) {
    const w = weights + <usize>q * rowBytes
    const b: usize = bias === 0 ? 0 : bias + ((<usize>q) << 2)
    const yq = y + <usize>q * stride
    const four = q + 4 <= results
    let c = 0
    if (four) {
      for (; c + 2 * LANES <= width; c += 2 * LANES) {
        tile4x2(w, rowBytes, b, x + ((<usize>c) << 2), yq + ((<usize>c) << 2), stride, positions)
      }
      for (; c + LANES <= width; c += LANES) {
        tile4x1(w, rowBytes, b, x + ((<usize>c) << 2), yq + ((<usize>c) << 2), stride, positions)
      }
    } else {
      for (; c + LANES <= width; c += LANES) {
        tile1x1(w, b, x + ((<usize>c) << 2), yq + ((<usize>c) << 2), stride, positions)
      }
    }
    if (c < width) {
      const count = four ? 4 : 1
      for (let i = 0; i < count; i++) {
        const bi: usize = b === 0 ? 0 : b + ((<usize>i) << 2)
        part(
          w + <usize>i * rowBytes,
          bi,
          x + ((<usize>c) << 2),
          yq + <usize>i * stride + ((<usize>c) << 2),
          stride,
          positions,
          width - c,
        )
      }
    }
    q += four ? 4 : 1
  }
}

function biasAt(bias: usize, q: usize): v128 {
  return bias === 0 ? splat(0.0) : v128.load32_splat(bias + (q << 2))
}

/** 4 result positions x 8 channels. */
function tile4x2(w: usize, rowBytes: usize, bias: usize, x: usize, y: usize, stride: usize, positions: i32): void {
  let a00 = biasAt(bias, 0)
  let a10 = biasAt(bias, 1)
  let a20 = biasAt(bias, 2)
  let a30 = biasAt(bias, 3)
  let a01 = a00
  let a11 = a10
  let a21 = a20
  let a31 = a30
  let w1 = w + rowBytes
  let w2 = w + 2 * rowBytes
  let w3 = w + 3 * rowBytes
  for (let p = 0; p < positions; p++) {
    const x0 = v128.load(x)
    const x1 = v128.load(x, 16)
    let u = v128.load32_splat(w)
    a00 = madd(a00, x0, u)
    a01 = madd(a01, x1, u)
    u = v128.load32_splat(w1)
    a10 = madd(a10, x0, u)
    a11 = madd(a11, x1, u)
    u = v128.load32_splat(w2)
    a20 = madd(a20, x0, u)
    a21 = madd(a21, x1, u)
    u = v128.load32_splat(w3)
    a30 = madd(a30, x0, u)
    a31 = madd(a31, x1, u)
    x += stride
    w += 4
    w1 += 4
    w2 += 4
    w3 += 4
  }
  v128.store(y, a00)
  v128.store(y, a01, 16)
  v128.store(y + stride, a10)
  v128.store(y + stride, a11, 16)
  v128.store(y + 2 * stride, a20)
  v128.store(y + 2 * stride, a21, 16)
  v128.store(y + 3 * stride, a30)
  v128.store(y + 3 * stride, a31, 16)
}

/** 4 result positions x 4 channels. */
function tile4x1(w: usize, rowBytes: usize, bias: usize, x: usize, y: usize, stride: usize, positions: i32): void {
  let a0 = biasAt(bias, 0)
  let a1 = biasAt(bias, 1)
  let a2 = biasAt(bias, 2)
  let a3 = biasAt(bias, 3)
  let w1 = w + rowBytes
  let w2 = w + 2 * rowBytes
  let w3 = w + 3 * rowBytes
  for (let p = 0; p < positions; p++) {
    const v = v128.load(x)
    a0 = madd(a0, v, v128.load32_splat(w))
    a1 = madd(a1, v, v128.load32_splat(w1))
    a2 = madd(a2, v, v128.load32_splat(w2))
    a3 = madd(a3, v, v128.load32_splat(w3))
    x += stride
    w += 4
    w1 += 4
    w2 += 4
    w3 += 4
  }
  v128.store(y, a0)
  v128.store(y + stride, a1)
  v128.store(y + 2 * stride, a2)
  v128.store(y + 3 * stride, a3)
}

/** 1 result position x 4 channels. */
function tile1x1(w: usize, bias: usize, x: usize, y: usize, stride: usize, positions: i32): void {
  let a = biasAt(bias, 0)
  for (let p = 0; p < positions; p++, x += stride, w += 4) a = madd(a, v128.load(x), v128.load32_splat(w))
  v128.store(y, a)
}

/** 1 result position x 1..3 channels. */
function part(w: usize, bias: usize, x: usize, y: usize, stride: usize, positions: i32, channels: i32): void {
  let a = biasAt(bias, 0)
  for (let p = 0; p < positions; p++, x += stride, w += 4) a = madd(a, loadPart(x, channels), v128.load32_splat(w))
  storePart(y, a, channels)
}
