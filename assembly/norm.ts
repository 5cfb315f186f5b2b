// Layer norm over channels at each step and position: y = (x - mean) / sqrt(var + eps) * w + b, biased variance, and
// the activation that follows. In, out: (steps, positions, C) f32. Four partial sums, added as `sumLanes` says.

import { activate } from './activation'
import { LANES, loadPart, madd, splat, storePart, sumLanes, VECTOR } from './lanes'
import { Op } from './record'

export function norm(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const channels = op.channels
  const rows = (to - from) * op.positions
  const weight = program + op.weights0
  const bias = program + op.weights1
  const eps = reinterpret<f32>(op.parameter0)
  const stride = (<usize>channels) << 2
  let x = op.inputStep(scratch, from)
  let y = op.resultStep(scratch, from)
  for (let row = 0; row < rows; row++, x += stride, y += stride) {
    const mean = sum(x, channels) / <f32>channels
    const spread = centre(x, y, channels, mean) / <f32>channels
    scale(y, weight, bias, channels, <f32>1 / sqrt<f32>(spread + eps))
  }
  activate(op.parameter1, op.resultStep(scratch, from), rows * channels)
}

function sum(x: usize, channels: i32): f32 {
  let total = splat(0.0)
  let n = channels
  for (; n >= LANES; n -= LANES, x += VECTOR) total = f32x4.add(total, v128.load(x))
  if (n > 0) total = f32x4.add(total, loadPart(x, n))
  return sumLanes(total)
}

/** y = x - mean; the sum of its squares. */
function centre(x: usize, y: usize, channels: i32, mean: f32): f32 {
  const m = splat(mean)
  let total = splat(0.0)
  let n = channels
  for (; n >= LANES; n -= LANES, x += VECTOR, y += VECTOR) {
    const d = f32x4.sub(v128.load(x), m)
    v128.store(y, d)
    total = madd(total, d, d)
  }
  if (n > 0) {
    storePart(y, f32x4.sub(loadPart(x, n), m), n)
    const d = loadPart(y, n)
    total = madd(total, d, d)
  }
  return sumLanes(total)
}

function scale(y: usize, weight: usize, bias: usize, channels: i32, factor: f32): void {
  const f = splat(factor)
  let n = channels
  for (; n >= LANES; n -= LANES, y += VECTOR, weight += VECTOR, bias += VECTOR) {
    v128.store(y, madd(v128.load(bias), f32x4.mul(v128.load(y), f), v128.load(weight)))
  }
  if (n > 0) storePart(y, madd(loadPart(bias, n), f32x4.mul(loadPart(y, n), f), loadPart(weight, n)), n)
}
