// Diagonal complex state-space layer (arXiv 2409.03377, eq. 3-5), per position: x[t] = lambda x[t-1] + B u[t],
// y[t] = Re(C x[t]) + D u[t]. Three passes over all valid columns (steps x positions): V = B u, the recurrence, C x, so
// that weights are loaded once per hop. Buffers: V (columns, up(N) or 2 up(N)), X (columns, [xr up(N), xi up(N)]).

import { multiply } from './linear.f32'
import { LANES, loadPart, madd, nmadd, settle, storePart, up, VECTOR } from './lanes'
import { Op } from './record'

const COMPLEX_B: i32 = 1
const COMPLEX_C: i32 = 2
const DIAGONAL_D: i32 = 4
const FULL_D: i32 = 8

export function ssm(op: Op, program: usize, state: usize, scratch: usize, from: i32, to: i32): void {
  const flags = op.parameter1
  const width = up(op.parameter0)
  const positions = op.positions
  const channels = op.channels
  const rows = op.resultChannels
  const columns = (to - from) * positions
  const partsB = flags & COMPLEX_B ? 2 : 1
  const partsC = flags & COMPLEX_C ? 2 : 1
  const u = op.inputStep(scratch, from)
  const y = op.resultStep(scratch, from)
  const uStride = (<usize>channels) << 2
  const yStride = (<usize>rows) << 2
  const V = scratch + op.temporaryAt
  const strideV = (<usize>(partsB * width)) << 2
  const X = V + <usize>(op.steps * positions) * strideV
  const strideX = (<usize>(2 * width)) << 2

  multiply(
    program + op.weights1,
    <usize>channels * VECTOR,
    0,
    u,
    uStride,
    V,
    strideV,
    partsB * width,
    channels,
    columns,
    false,
  )
  for (let p = 0; p < positions; p++) {
    const x = state + op.stateAt + <usize>p * strideX
    const v = V + <usize>p * strideV
    const trace = X + <usize>p * strideX
    if (partsB === 2)
      scan(true, program + op.weights0, x, v, strideV * positions, trace, strideX * positions, width, to - from)
    else scan(false, program + op.weights0, x, v, strideV * positions, trace, strideX * positions, width, to - from)
  }
  const depth = partsC * width
  multiply(program + op.weights2, <usize>depth * VECTOR, 0, X, strideX, y, yStride, rows, depth, columns, false)
  if (flags & FULL_D) {
    multiply(program + op.weights3, uStride << 2, 0, u, uStride, y, yStride, rows, channels, columns, true)
  } else if (flags & DIAGONAL_D) pass(program + op.weights3, u, y, rows, columns)
}

/**
 * The recurrence of one position over `steps` steps, four states at a time; x is the state, trace receives its course.
 * Written with q = 1 - Re(lambda), as x plus a change that is small where the pole is slow: one rounding of the size of
 * x per step. The state is settled once per hop.
 */
function scan(
  complexB: bool,
  poles: usize,
  x: usize,
  v: usize,
  stepV: usize,
  trace: usize,
  stepX: usize,
  width: i32,
  steps: i32,
): void {
  const part = (<usize>width) << 2
  for (let n: usize = 0; n < part; n += VECTOR) {
    const q = v128.load(poles + n)
    const w = v128.load(poles + part + n)
    let re = v128.load(x + n)
    let im = v128.load(x + part + n)
    let from = v + n
    let into = trace + n
    for (let t = 0; t < steps; t++) {
      const changeRe = nmadd(nmadd(v128.load(from), q, re), w, im)
      const turned = f32x4.mul(w, re)
      const changeIm = nmadd(complexB ? f32x4.add(turned, v128.load(from + part)) : turned, q, im)
      re = f32x4.add(re, changeRe)
      im = f32x4.add(im, changeIm)
      v128.store(into, re)
      v128.store(into + part, im)
      from += stepV
      into += stepX
    }
    v128.store(x + n, settle(re))
    v128.store(x + part + n, settle(im))
  }
}

/** y += D u, D diagonal. */
function pass(D: usize, u: usize, y: usize, channels: i32, columns: i32): void {
  for (let n = 0; n < columns; n++) {
    let gain = D
    let left = channels
    for (; left >= LANES; left -= LANES, u += VECTOR, y += VECTOR, gain += VECTOR) {
      v128.store(y, madd(v128.load(y), v128.load(gain), v128.load(u)))
    }
    if (left > 0) {
      storePart(y, madd(loadPart(y, left), v128.load(gain), loadPart(u, left)), left)
      u += (<usize>left) << 2
      y += (<usize>left) << 2
    }
  }
}
