// The state-space layer of ssm.ts with integer B and C (quantize/FORMAT.md, number formats 1 and 2). Input and states are
// quantised per step; poles, states and D stay f32. States move where they lie; what C reads of them goes straight to
// int16. Temporary: V = B u, f32 (columns, up(N) or 2 up(N)), then int16 of u or states, then one scale per column.

import { settleFloats, StateHeader } from './arena'
import { magnitude, splat, up, VECTOR } from './lanes'
import { multiply } from './linear.f32'
import { chunkSteps, integerBytes, multiplyIntegers, quantiseColumns, spread } from './linear.i8'
import { factorOf, largestLane, roundRow, roundRows, scaleOf } from './quantise'
import { Op } from './record'
import { COMPLEX_B, COMPLEX_C, changeImaginary, changeReal, DIAGONAL_D, FULL_D, pass } from './ssm'

export function ssmIntegers(op: Op, program: usize, state: usize, scratch: usize, from: i32, to: i32): void {
  const flags = op.parameter1
  const format = op.kind >>> 16
  const width = up(op.parameter0)
  const positions = op.positions
  const channels = op.channels
  const rows = op.resultChannels
  const rowsB = flags & COMPLEX_B ? 2 * width : width
  const depthC = flags & COMPLEX_C ? 2 * width : width
  const chunk = chunkSteps(op.steps, positions)
  const yStride = (<usize>rows) << 2
  const V = scratch + op.temporaryAt
  const q = V + ((<usize>(chunk * positions * rowsB)) << 2)
  const scales = q + integerBytes(chunk * positions * max(channels, depthC))
  const x = state + op.stateAt
  if (isSettling(state, op.steps)) settleFloats(x, x, 2 * width * positions)
  for (let step = from; step < to; step += chunk) {
    const steps = min(chunk, to - step)
    const columns = steps * positions
    const u = op.inputStep(scratch, step)
    const y = op.resultStep(scratch, step)
    quantiseColumns(u, q, scales, steps, positions, channels)
    multiplyIntegers(
      format,
      program + op.weights1,
      0,
      q,
      (<usize>channels) << 1,
      scales,
      V,
      (<usize>rowsB) << 2,
      rowsB,
      channels,
      columns,
      steps === 1,
    )
    for (let t = 0; t < steps; t++) {
      const column = <usize>(t * positions)
      const v = V + ((column * <usize>rowsB) << 2)
      const peak =
        rowsB > width
          ? recur(program + op.weights0, x, v, width, positions, true, depthC > width)
          : recur(program + op.weights0, x, v, width, positions, false, depthC > width)
      roundStates(x, q + ((column * <usize>depthC) << 1), width, depthC, positions, factorOf(peak))
      spread(scales + (column << 2), positions, scaleOf(peak))
    }
    multiplyIntegers(
      format,
      program + op.weights2,
      0,
      q,
      (<usize>depthC) << 1,
      scales,
      y,
      yStride,
      rows,
      depthC,
      columns,
      steps === 1,
    )
    if (flags & FULL_D) {
      const uStride = (<usize>channels) << 2
      multiply(program + op.weights3, uStride << 2, 0, u, uStride, y, yStride, rows, channels, columns, true)
    } else if (flags & DIAGONAL_D) pass(program + op.weights3, u, y, rows, columns)
  }
}

/** Hops between two looks for states that have faded: in so few steps none gets from 2^-63 to where it is denormal. */
const SETTLING_STEPS: i32 = 16

/** Does the coming hop begin a new span of steps? */
function isSettling(state: usize, steps: i32): bool {
  return steps >= SETTLING_STEPS || <i32>(changetype<StateHeader>(state).hopsDone % <u64>(SETTLING_STEPS / steps)) === 0
}

/**
 * One step of all positions in place; the largest magnitude among what C will read. Position by position for four
 * states, so that poles are loaded once; with a constant `complexB` each use is a loop of its own.
 */
// @ts-ignore: decorator
@inline
function recur(poles: usize, x: usize, v: usize, width: i32, positions: i32, complexB: bool, complexC: bool): f32 {
  const part = (<usize>width) << 2
  const strideV: usize = complexB ? 2 * part : part
  const end = x + part
  const rows = <usize>positions * 2 * part
  let peak = splat(0.0)
  for (; x < end; x += VECTOR, v += VECTOR, poles += VECTOR) {
    const q = v128.load(poles)
    const w = v128.load(poles + part)
    let vn = v
    for (let at = x; at < x + rows; at += 2 * part, vn += strideV) {
      const re = v128.load(at)
      const im = v128.load(at + part)
      const vi = complexB ? v128.load(vn + part) : splat(0.0)
      const nextRe = f32x4.add(re, changeReal(v128.load(vn), q, w, re, im))
      const nextIm = f32x4.add(im, changeImaginary(vi, q, w, re, im))
      v128.store(at, nextRe)
      v128.store(at + part, nextIm)
      peak = f32x4.pmax(peak, magnitude(nextRe))
      if (complexC) peak = f32x4.pmax(peak, magnitude(nextIm))
    }
  }
  return largestLane(peak)
}

/** States of one step to int16: real parts, or both. */
function roundStates(x: usize, q: usize, width: i32, depth: i32, positions: i32, factor: f32): void {
  if (depth > width) roundRow(x, q, positions * depth, factor)
  else roundRows(x, q, width, positions, factor)
}
