// Diagonal complex state-space layer (arXiv 2409.03377, eq. 3-5), per position: x[t] = lambda x[t-1] + B u[t],
// y[t] = Re(C x[t]) + D u[t]. Three passes over all valid columns (steps x positions): V = B u, the recurrence, C x, so
// that weights are loaded once per hop. Buffers: V (columns, up(N) or 2 up(N)), X (columns, [xr up(N), xi up(N)]).

import { settleFloats } from './arena'
import { multiply } from './linear.f32'
import { LANES, loadPart, madd, nmadd, splat, storePart, up, VECTOR } from './lanes'
import { chunkSteps } from './linear.i8'
import { Op } from './record'

export const COMPLEX_B: i32 = 1
export const COMPLEX_C: i32 = 2
export const DIAGONAL_D: i32 = 4
export const FULL_D: i32 = 8

export function ssm(op: Op, program: usize, state: usize, scratch: usize, from: i32, to: i32): void {
  const flags = op.parameter1
  const width = up(op.parameter0)
  const positions = op.positions
  const channels = op.channels
  const rows = op.resultChannels
  const partsB = flags & COMPLEX_B ? 2 : 1
  const partsC = flags & COMPLEX_C ? 2 : 1
  const u = op.inputStep(scratch, from)
  const y = op.resultStep(scratch, from)
  const uStride = (<usize>channels) << 2
  const yStride = (<usize>rows) << 2
  const V = scratch + op.temporaryAt
  const strideV = (<usize>(partsB * width)) << 2
  const chunk = chunkSteps(op.steps, positions)
  const X = V + <usize>(chunk * positions) * strideV
  const strideX = (<usize>(2 * width)) << 2

  // A few steps at a time: V and X stay in the first-level cache, however many steps a hop has.
  const depth = partsC * width
  for (let step = 0; step < to - from; step += chunk) {
    const steps = min(chunk, to - from - step)
    const columns = steps * positions
    const un = u + <usize>(step * positions) * uStride
    const yn = y + <usize>(step * positions) * yStride
    multiply(
      program + op.weights1,
      <usize>channels * VECTOR,
      0,
      un,
      uStride,
      V,
      strideV,
      partsB * width,
      channels,
      columns,
      false,
    )
    recur(program + op.weights0, state + op.stateAt, V, X, width, partsB === 2, positions, steps)
    multiply(program + op.weights2, <usize>depth * VECTOR, 0, X, strideX, yn, yStride, rows, depth, columns, false)
    if (flags & FULL_D) {
      multiply(program + op.weights3, uStride << 2, 0, un, uStride, yn, yStride, rows, channels, columns, true)
    } else if (flags & DIAGONAL_D) pass(program + op.weights3, un, yn, rows, columns)
  }
}

/** The recurrence over `steps` steps; each takes the states where the step before left them. */
function recur(
  poles: usize,
  state: usize,
  V: usize,
  X: usize,
  width: i32,
  complexB: bool,
  positions: i32,
  steps: i32,
): void {
  const part = (<usize>width) << 2
  const strideV: usize = complexB ? 2 * part : part
  const all = <usize>positions * 2 * part
  let before = state
  let x = X
  let v = V
  for (let t = 0; t < steps; t++) {
    for (let p = 0; p < positions; p++, before += 2 * part, v += strideV, x += 2 * part) {
      if (complexB) stepComplex(poles, before, v, x, part)
      else stepReal(poles, before, v, x, part)
    }
    before = x - all
  }
  settleFloats(state, before, (all >> 2) as i32)
}

function stepComplex(poles: usize, before: usize, v: usize, x: usize, part: usize): void {
  for (let n: usize = 0; n < part; n += VECTOR) {
    advance(poles + n, before + n, v128.load(v + n), v128.load(v + part + n), x + n, part)
  }
}

function stepReal(poles: usize, before: usize, v: usize, x: usize, part: usize): void {
  for (let n: usize = 0; n < part; n += VECTOR) {
    advance(poles + n, before + n, v128.load(v + n), splat(0.0), x + n, part)
  }
}

/**
 * Four states, one step. Written with q = 1 - Re(lambda), as x plus a change that is small where the pole is slow: one
 * rounding of the size of x.
 */
function advance(poles: usize, before: usize, vr: v128, vi: v128, x: usize, part: usize): void {
  const q = v128.load(poles)
  const w = v128.load(poles + part)
  const re = v128.load(before)
  const im = v128.load(before + part)
  v128.store(x, f32x4.add(re, changeReal(vr, q, w, re, im)))
  v128.store(x + part, f32x4.add(im, changeImaginary(vi, q, w, re, im)))
}

export function changeReal(vr: v128, q: v128, w: v128, re: v128, im: v128): v128 {
  return nmadd(nmadd(vr, q, re), w, im)
}

export function changeImaginary(vi: v128, q: v128, w: v128, re: v128, im: v128): v128 {
  return nmadd(madd(vi, w, re), q, im)
}

/** y += D u, D diagonal. */
export function pass(D: usize, u: usize, y: usize, channels: i32, columns: i32): void {
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
