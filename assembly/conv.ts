// Depthwise convolution over time, and over `bands` neighbouring positions: y[t,p,c] = b[c] + sum_ji W[j,i,c]
// x[t-(k-1)+j, p+i-(m-1)/2, c]. Weights (k, m, C); state (k-1, P, C), the inputs before this hop, oldest first. A causal
// filter always: look-ahead is a lag of the record (quantize/FORMAT.md, Execution).

import { activate } from './activation'
import { copy } from './arena'
import { LANES, loadPart, madd, splat, storePart, VECTOR } from './lanes'
import { Op } from './record'

export function conv(op: Op, program: usize, state: usize, scratch: usize, from: i32, to: i32): void {
  const taps = op.parameter0 & 255
  const past = taps - 1
  const floats = op.positions * op.channels
  const history = state + op.stateAt
  for (let step = from; step < to; step++) filterStep(op, program, history, scratch, step, taps)
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

function filterStep(op: Op, program: usize, history: usize, scratch: usize, step: i32, taps: i32): void {
  const bands = (op.parameter0 >>> 8) & 255
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
      if (left >= LANES) v128.store(y, total)
      else {
        storePart(y, total, left)
        y -= (<usize>(LANES - left)) << 2
      }
    }
  }
}

/** Step t of the input, from the history where t < 0. */
function rowOf(op: Op, history: usize, scratch: usize, t: i32, taps: i32): usize {
  if (t >= 0) return op.inputStep(scratch, t)
  return history + ((<usize>((t + taps - 1) * op.positions * op.channels)) << 2)
}
