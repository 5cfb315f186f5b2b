// Layer norm over channels at each step and position: y = (x - mean) / sqrt(var + eps) * w + b, biased variance, and
// the activation that follows; weights are (C) or (positions, C). In, out: (steps, positions, C) f32. Four partial sums,
// added as `sumLanes` says. Where C is a multiple of 4, rows go together: means and deviations of four are one vector, and
// all rows are in the same pass, so that what one waits for hides behind the others.

import { activate } from './activation'
import { LANES, loadPart, madd, splat, storePart, sumLanes, VECTOR } from './lanes'
import { Op } from './record'

const PER_POSITION: i32 = 256
/** Rows whose means and deviations are known before the first is scaled. */
const TOGETHER: i32 = 32
/** (TOGETHER) means of these rows. */
const MEANS: usize = memory.data(256, 16)
/** From a mean to the reciprocal of the row's deviation. */
const FACTORS: usize = 128

export function norm(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const channels = op.channels
  const positions = op.positions
  const weight = program + op.weights0
  const bias = program + op.weights1
  const eps = reinterpret<f32>(op.parameter0)
  const activation = op.parameter1 & 255
  const bytes = (<usize>channels) << 2
  if (op.parameter1 & PER_POSITION) {
    for (let step = from; step < to; step++) {
      normRows(op.inputStep(scratch, step), op.resultStep(scratch, step), positions, channels, weight, bias, bytes, eps, activation)
    }
  } else {
    const rows = (to - from) * positions
    normRows(op.inputStep(scratch, from), op.resultStep(scratch, from), rows, channels, weight, bias, 0, eps, activation)
  }
}

/** From the weights of one row to those of the next are `next` bytes: none where all rows share them. */
function normRows(
  x: usize,
  y: usize,
  rows: i32,
  channels: i32,
  weight: usize,
  bias: usize,
  next: usize,
  eps: f32,
  activation: i32,
): void {
  const stride = (<usize>channels) << 2
  const together = channels % LANES === 0 ? rows & ~3 : 0
  const first = y
  for (let row = 0; row < together; row += TOGETHER) {
    const some = <usize>min(TOGETHER, together - row)
    normTogether(x, y, some, stride, weight, bias, next, eps)
    x += some * stride
    y += some * stride
    weight += some * next
    bias += some * next
  }
  for (let row = together; row < rows; row++, x += stride, y += stride, weight += next, bias += next) {
    const mean = sum(x, channels) / <f32>channels
    const spread = centre(x, y, channels, mean) / <f32>channels
    scale(y, weight, bias, channels, <f32>1 / sqrt<f32>(spread + eps))
  }
  // a pass of its own: within the rows above, its latency would come on top of theirs
  activate(activation, first, <i32>((y - first) >> 2))
}

/** The sums over the lanes of four vectors, in four lanes, each added as `sumLanes` does. */
function sumRows(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const even = f32x4.add(ab, v128.shuffle<i32>(a, b, 2, 6, 3, 7))
  const odd = f32x4.add(cd, v128.shuffle<i32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<i32>(even, odd, 0, 1, 4, 5), v128.shuffle<i32>(even, odd, 2, 3, 6, 7))
}

function square(total: v128, x: v128, mean: v128): v128 {
  const d = f32x4.sub(x, mean)
  return madd(total, d, d)
}

/** Means of four rows. */
function meansOf(x: usize, stride: usize, share: v128): v128 {
  let a = splat(0.0)
  let b = a
  let c = a
  let d = a
  for (const end = x + stride; x < end; x += VECTOR) {
    a = f32x4.add(a, v128.load(x))
    b = f32x4.add(b, v128.load(x + stride))
    c = f32x4.add(c, v128.load(x + 2 * stride))
    d = f32x4.add(d, v128.load(x + 3 * stride))
  }
  return f32x4.mul(sumRows(a, b, c, d), share)
}

/** Variances of four rows whose means lie at `means`. */
function spreadsOf(x: usize, stride: usize, means: usize, share: v128): v128 {
  const meanA = v128.load32_splat(means)
  const meanB = v128.load32_splat(means, 4)
  const meanC = v128.load32_splat(means, 8)
  const meanD = v128.load32_splat(means, 12)
  let a = splat(0.0)
  let b = a
  let c = a
  let d = a
  for (const end = x + stride; x < end; x += VECTOR) {
    a = square(a, v128.load(x), meanA)
    b = square(b, v128.load(x + stride), meanB)
    c = square(c, v128.load(x + 2 * stride), meanC)
    d = square(d, v128.load(x + 3 * stride), meanD)
  }
  return f32x4.mul(sumRows(a, b, c, d), share)
}

/** Up to TOGETHER rows, a multiple of four. */
function normTogether(
  x: usize,
  y: usize,
  rows: usize,
  stride: usize,
  weight: usize,
  bias: usize,
  next: usize,
  eps: f32,
): void {
  const share = splat(<f32>1 / <f32>(stride >> 2))
  const end = MEANS + (rows << 2)
  let at = x
  for (let m = MEANS; m < end; m += VECTOR, at += 4 * stride) v128.store(m, meansOf(at, stride, share))
  at = x
  for (let m = MEANS; m < end; m += VECTOR, at += 4 * stride) {
    const spread = spreadsOf(at, stride, m, share)
    v128.store(m, f32x4.div(splat(1.0), f32x4.sqrt(f32x4.add(spread, splat(eps)))), FACTORS)
  }
  for (let m = MEANS; m < end; m += 8, x += 2 * stride, y += 2 * stride, weight += 2 * next, bias += 2 * next) {
    finishPair(x, y, stride, weight, bias, next, m)
  }
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

/** Two rows whose means lie at `means`. */
// @ts-ignore: decorator
@inline
function finishPair(
  x: usize,
  y: usize,
  stride: usize,
  weight: usize,
  bias: usize,
  next: usize,
  means: usize,
): void {
  const meanA = v128.load32_splat(means)
  const meanB = v128.load32_splat(means, 4)
  const factorA = v128.load32_splat(means, FACTORS)
  const factorB = v128.load32_splat(means, FACTORS + 4)
  let n = stride
  for (; n >= 2 * VECTOR; n -= 2 * VECTOR, x += 2 * VECTOR, y += 2 * VECTOR, weight += 2 * VECTOR, bias += 2 * VECTOR) {
    v128.store(y, finish(v128.load(x), meanA, factorA, v128.load(weight), v128.load(bias)))
    v128.store(y, finish(v128.load(x, 16), meanA, factorA, v128.load(weight, 16), v128.load(bias, 16)), 16)
    const xB = x + stride
    const yB = y + stride
    const weightB = weight + next
    const biasB = bias + next
    v128.store(yB, finish(v128.load(xB), meanB, factorB, v128.load(weightB), v128.load(biasB)))
    v128.store(yB, finish(v128.load(xB, 16), meanB, factorB, v128.load(weightB, 16), v128.load(biasB, 16)), 16)
  }
  if (n > 0) {
    v128.store(y, finish(v128.load(x), meanA, factorA, v128.load(weight), v128.load(bias)))
    v128.store(y + stride, finish(v128.load(x + stride), meanB, factorB, v128.load(weight + next), v128.load(bias + next)))
  }
}

function finish(x: v128, mean: v128, factor: v128, weight: v128, bias: v128): v128 {
  return madd(bias, f32x4.mul(f32x4.sub(x, mean), factor), weight)
}
