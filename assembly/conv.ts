// Depthwise convolution over time, and over `bands` neighbouring positions: y[t,p,c] = b[c] + sum_ji W[j,i,c]
// x[t-(k-1)+j, p+i-(m-1)/2, c]. Weights (k, m, C); state (k-1, P, C), the inputs before this hop, oldest first. A causal
// filter always: look-ahead is a lag of the record (quantize/FORMAT.md, Execution).

import { activate } from './activation'
import { copy } from './arena'
import { LANES, loadPart, madd, splat, storeUpTo, VECTOR } from './lanes'
import { Op } from './record'

export function conv(op: Op, program: usize, state: usize, scratch: usize, from: i32, to: i32): void {
  const taps = op.parameter0 & 255
  const past = taps - 1
  const floats = op.positions * op.channels
  const history = state + op.stateAt
  const bands = (op.parameter0 >>> 8) & 255
  for (let step = from; step < to; step++) {
    if (bands === 1) filterTime(op, program, history, scratch, step, taps)
    else filterBands(op, program, history, scratch, step, taps, bands)
  }
  activate(op.parameter1, op.resultStep(scratch, from), (to - from) * floats)
  keepLast(history, op.inputStep(scratch, 0), past, op.steps, floats)
}

/** The last `past` of `past + steps` successive steps, oldest first. */
export function keepLast(history: usize, input: usize, past: i32, steps: i32, floats: i32): void {
  const kept = max(0, past - steps)
  const taken = past - kept
  copy(history, history + ((<usize>(steps * floats)) << 2), kept * floats)
  copy(history + ((<usize>(kept * floats)) << 2), input + ((<usize>((steps - taken) * floats)) << 2), taken * floats)
}

/** One band: tap by tap over whole rows, three taps (the usual) in one go. */
function filterTime(op: Op, program: usize, history: usize, scratch: usize, step: i32, taps: i32): void {
  const channels = op.channels
  const rows = op.positions
  const stride = (<usize>channels) << 2
  const bias = op.block(program, op.weights1)
  const weights = program + op.weights0
  const y = op.resultStep(scratch, step)
  for (let c = 0; c < channels; c += LANES) {
    const at = (<usize>c) << 2
    const left = channels - c
    const start = bias === 0 ? splat(0.0) : left >= LANES ? v128.load(bias + at) : loadPart(bias + at, left)
    if (taps === 3 && left >= LANES) {
      const x0 = rowOf(op, history, scratch, step - 2, taps) + at
      const x1 = rowOf(op, history, scratch, step - 1, taps) + at
      const x2 = rowOf(op, history, scratch, step, taps) + at
      filterThree(weights + at, stride, start, x0, x1, x2, y + at, rows)
      continue
    }
    for (let p: usize = 0; p < <usize>rows * stride; p += stride) {
      let total = start
      let w = weights + at
      for (let j = 0; j < taps; j++, w += stride) {
        const x = rowOf(op, history, scratch, step + j - taps + 1, taps) + p + at
        if (left >= LANES) total = madd(total, v128.load(w), v128.load(x))
        else total = madd(total, loadPart(w, left), loadPart(x, left))
      }
      storeUpTo(y + p + at, total, left)
    }
  }
}

/** Four channels of all positions. */
function filterThree(w: usize, stride: usize, start: v128, x0: usize, x1: usize, x2: usize, y: usize, rows: i32): void {
  const w0 = v128.load(w)
  const w1 = v128.load(w + stride)
  const w2 = v128.load(w + 2 * stride)
  for (let p = 0; p < rows; p++, x0 += stride, x1 += stride, x2 += stride, y += stride) {
    v128.store(y, madd(madd(madd(start, w0, v128.load(x0)), w1, v128.load(x1)), w2, v128.load(x2)))
  }
}

/** Several bands: position by position, as the window is cut at the edges. */
function filterBands(
  op: Op,
  program: usize,
  history: usize,
  scratch: usize,
  step: i32,
  taps: i32,
  bands: i32,
): void {
  const reach = (bands - 1) >>> 1
  const channels = op.channels
  const positions = op.positions
  const stride = (<usize>channels) << 2
  const bias = op.block(program, op.weights1)
  let y = op.resultStep(scratch, step)
  for (let p = 0; p < positions; p++) {
    const firstBand = max(0, reach - p)
    const endBand = min(bands, positions + reach - p)
    for (let c = 0; c < channels; c += LANES, y += VECTOR) {
      const at = (<usize>c) << 2
      const left = channels - c
      let total = bias === 0 ? splat(0.0) : left >= LANES ? v128.load(bias + at) : loadPart(bias + at, left)
      for (let j = 0; j < taps; j++) {
        let x = rowOf(op, history, scratch, step + j - taps + 1, taps) + <usize>(p - reach + firstBand) * stride + at
        let w = program + op.weights0 + <usize>(j * bands + firstBand) * stride + at
        for (let i = firstBand; i < endBand; i++, x += stride, w += stride) {
          if (left >= LANES) total = madd(total, v128.load(w), v128.load(x))
          else total = madd(total, loadPart(w, left), loadPart(x, left))
        }
      }
      storeUpTo(y, total, left)
    }
    y -= (<usize>((LANES - (channels & 3)) & 3)) << 2
  }
}

/** Step t of the input, from the history where t < 0. */
function rowOf(op: Op, history: usize, scratch: usize, t: i32, taps: i32): usize {
  if (t >= 0) return op.inputStep(scratch, t)
  return history + ((<usize>((t + taps - 1) * op.positions * op.channels)) << 2)
}
