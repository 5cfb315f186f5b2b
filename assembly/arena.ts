// What lies at the front of a program and of a state (quantize/FORMAT.md), and moves of f32 between buffers.
//
//   program  +--------+-----------+---------+------+      state  +--------+----------------------+
//            | header | records   | weights | card |             | header | states of the records |
//            | 128 B  | 64 B each |         |      |             |  64 B  |                      |
//            +--------+-----------+---------+------+             +--------+----------------------+
// One program serves any number of states; scratch holds the values of one hop and is shared as well.

import { LANES, loadPart, settle, storePart, VECTOR } from './lanes'

export const RECORD_BYTES: usize = 64

/** The fields of the model file's header that the core reads. */
@unmanaged
export class Program {
  magic: u32
  version: u32
  fileBytes: u32
  opCount: u32
  inputRate: u32
  inputHop: u32
  outputRate: u32
  outputHop: u32
  recordsOffset: u32
  weightsOffset: u32
  weightsBytes: u32
  cardOffset: u32
  cardBytes: u32
  stateBytes: u32
  scratchBytes: u32
  inputOffset: u32
  outputOffset: u32
}

@unmanaged
export class StateHeader {
  hopsDone: u64
  /** Of the whole stream; all ones while unknown. */
  hopsInAll: u64
  inputLost: f32
}

/** The step of a value's timeline at which the coming hop begins; below zero while look-ahead still fills. */
export function firstIndex(state: usize, steps: i32, lag: i32): i64 {
  return <i64>changetype<StateHeader>(state).hopsDone * <i64>steps - <i64>lag
}

/** Later than any stream lasts, and far from where sums of steps would wrap. */
const NEVER: i64 = 1 << 62

/** Index one past the last step of a timeline. */
export function endIndex(state: usize, steps: i32): i64 {
  const hops = changetype<StateHeader>(state).hopsInAll
  return hops === u64.MAX_VALUE ? NEVER : <i64>hops * <i64>steps
}

export function clampStep(index: i64, steps: i32): i32 {
  return index <= 0 ? 0 : index >= <i64>steps ? steps : <i32>index
}

export function zero(at: usize, floats: i32): void {
  if (floats > 0) memory.fill(at, 0, (<usize>floats) << 2)
}

/** From here on the host's own move is faster than a loop, its call included. */
const LONG_FLOATS: i32 = 128

/** Of any length, forwards; the areas may overlap where `to` lies below `from`. */
export function copy(to: usize, from: usize, floats: i32): void {
  if (floats >= LONG_FLOATS) {
    memory.copy(to, from, (<usize>floats) << 2)
    return
  }
  let n = floats
  for (; n >= LANES; n -= LANES, to += VECTOR, from += VECTOR) v128.store(to, v128.load(from))
  if (n > 0) storePart(to, loadPart(from, n), n)
}

/** A copy without what is too small to hear (see `settle`); in place where `to` is `from`. */
export function settleFloats(to: usize, from: usize, floats: i32): void {
  let n = floats
  for (; n >= LANES; n -= LANES, to += VECTOR, from += VECTOR) v128.store(to, settle(v128.load(from)))
  if (n > 0) storePart(to, settle(loadPart(from, n)), n)
}
