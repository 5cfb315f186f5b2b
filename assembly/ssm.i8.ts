// The state-space layer of ssm.ts with integer B and C (quantize/FORMAT.md, number formats 1 and 2). Input and states are
// quantised per step; poles, states and D stay f32. States move where they lie; what C reads of them goes straight to
// int16. Temporary: V = B u, f32 (columns, up(N) or 2 up(N)), then int16 of u or states, then one scale per column.

import { settleWith, splat, up, VECTOR } from './lanes'
import { multiply } from './linear.f32'
import { chunkSteps, integerBytes, multiplyIntegers, quantiseColumns, spread } from './linear.i8'
import { factorOf, largestLane, roundRow, scaleOf } from './quantise'
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
    )
    for (let t = 0; t < steps; t++) {
      const column = <usize>(t * positions)
      const v = V + ((column * <usize>rowsB) << 2)
      const peak = recur(program + op.weights0, state + op.stateAt, v, width, rowsB, positions, flags)
      roundStates(state + op.stateAt, q + ((column * <usize>depthC) << 1), width, depthC, positions, factorOf(peak))
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
    )
    if (flags & FULL_D) {
      const uStride = (<usize>channels) << 2
      multiply(program + op.weights3, uStride << 2, 0, u, uStride, y, yStride, rows, channels, columns, true)
    } else if (flags & DIAGONAL_D) pass(program + op.weights3, u, y, rows, columns)
  }
}

/** One step of all positions in place; the largest magnitude among what C will read. */
function recur(poles: usize, x: usize, v: usize, width: i32, rowsB: i32, positions: i32, flags: i32): f32 {
  const part = (<usize>width) << 2
  const strideV = (<usize>rowsB) << 2
  let peak = splat(0.0)
  for (let p = 0; p < positions; p++, x += 2 * part, v += strideV) {
    for (let n: usize = 0; n < part; n += VECTOR) {
      const q = v128.load(poles + n)
      const w = v128.load(poles + part + n)
      const re = v128.load(x + n)
      const im = v128.load(x + part + n)
      const vi = flags & COMPLEX_B ? v128.load(v + part + n) : splat(0.0)
      const nextRe = f32x4.add(re, changeReal(v128.load(v + n), q, w, re, im))
      const nextIm = f32x4.add(im, changeImaginary(vi, q, w, re, im))
      const sizeRe = f32x4.abs(nextRe)
      const sizeIm = f32x4.abs(nextIm)
      v128.store(x + n, settleWith(nextRe, sizeRe))
      v128.store(x + part + n, settleWith(nextIm, sizeIm))
      peak = f32x4.pmax(peak, sizeRe)
      if (flags & COMPLEX_C) peak = f32x4.pmax(peak, sizeIm)
    }
  }
  return largestLane(peak)
}

/** States of one step to int16: real parts, or both. */
function roundStates(x: usize, q: usize, width: i32, depth: i32, positions: i32, factor: f32): void {
  if (depth > width) {
    roundRow(x, q, positions * depth, factor)
    return
  }
  const xStride = (<usize>width) << 3
  const qStride = (<usize>width) << 1
  for (let p = 0; p < positions; p++, x += xStride, q += qStride) roundRow(x, q, width, factor)
}
