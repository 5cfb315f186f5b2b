// Samples and time: frame (the last n samples at the end of each stride), overlap (their way back, summed), delay. In,
// out: f32 in scratch. Each takes in every step, valid or not, and keeps what later hops need in its state.

import { copy } from './arena'
import { keepLast } from './conv'
import { LANES, loadPart, storePart, VECTOR } from './lanes'
import { Op } from './record'

/** n samples ending with stride j, cut from [state (n - r), input (S r)]. */
export function frame(op: Op, state: usize, scratch: usize, from: i32, to: i32): void {
  const length = op.parameter0
  const stride = op.parameter1
  const past = length - stride
  const history = state + op.stateAt
  const input = scratch + op.inputAt
  for (let j = from; j < to; j++) {
    const y = op.resultStep(scratch, j)
    const start = j * stride
    const old = max(0, past - start)
    copy(y, history + ((<usize>start) << 2), old)
    copy(y + ((<usize>old) << 2), input + ((<usize>(start + old - past)) << 2), length - old)
  }
  keepLast(history, input, past, op.steps * stride, 1)
}

/** Frame j is added to samples j r .. j r + m - 1; the state holds the m - r sums that are not complete. */
export function overlap(op: Op, state: usize, scratch: usize, from: i32, to: i32): void {
  const length = op.parameter0
  const stride = op.parameter1
  const frames = op.steps / stride
  const sums = state + op.stateAt
  let x = scratch + op.inputAt
  for (let j = 0; j < frames; j++, x += (<usize>length) << 2) {
    const start = j * stride
    const first = min(max(from - start, 0), stride)
    const last = min(max(to - start, first), stride)
    emit(x, sums, op.resultStep(scratch, start), first, last, length - stride)
    advance(x, sums, length, stride)
  }
}

/** Samples first..last-1 of a stride: the frame and the sums left by those before it. */
function emit(x: usize, sums: usize, y: usize, first: i32, last: i32, kept: i32): void {
  const shared = min(max(kept, first), last)
  const at = (<usize>first) << 2
  addUp(y + at, x + at, sums + at, shared - first)
  const rest = (<usize>shared) << 2
  copy(y + rest, x + rest, last - shared)
}

/** sums[i] = sums[i + r] + x[i + r], zero where no sum was left. */
function advance(x: usize, sums: usize, length: i32, stride: i32): void {
  const kept = length - stride
  const shared = max(0, kept - stride)
  const on = (<usize>stride) << 2
  addUp(sums, x + on, sums + on, shared)
  const rest = (<usize>shared) << 2
  copy(sums + rest, x + on + rest, kept - shared)
}

/** to = a + b; may run forwards over itself. */
function addUp(to: usize, a: usize, b: usize, floats: i32): void {
  let n = floats
  for (; n >= LANES; n -= LANES, to += VECTOR, a += VECTOR, b += VECTOR) {
    v128.store(to, f32x4.add(v128.load(a), v128.load(b)))
  }
  if (n > 0) storePart(to, f32x4.add(loadPart(a, n), loadPart(b, n)), n)
}

/** The input, `parameter0` steps later. */
export function delay(op: Op, state: usize, scratch: usize, from: i32, to: i32): void {
  const late = op.parameter0
  const floats = op.positions * op.channels
  const history = state + op.stateAt
  const old = min(max(late, from), to)
  copy(op.resultStep(scratch, from), history + ((<usize>(from * floats)) << 2), (old - from) * floats)
  copy(op.resultStep(scratch, old), op.inputStep(scratch, old - late), (to - old) * floats)
  keepLast(history, op.inputStep(scratch, 0), late, op.steps, floats)
}
