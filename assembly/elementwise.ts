// Everything that works number by number or only moves numbers: add, mul, glu, affine, act; slice, concat, gather, flag.
// In, out: (steps, positions, channels) f32 in scratch, steps from..to-1. Rows are the channels of one position.

import { activate, gate, gateFour, PRELU, prelu } from './activation'
import { copy, StateHeader, zero } from './arena'
import { LANES, loadPart, loadUpTo, madd, splat, storePart, storeUpTo, VECTOR } from './lanes'
import { Op } from './record'

/** a + b, a + gain b or a + gain[c] b. */
export function add(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const channels = op.channels
  const rows = (to - from) * op.positions
  const a = op.inputStep(scratch, from)
  const b = op.secondStep(scratch, from, op.positions * channels)
  const y = op.resultStep(scratch, from)
  if (op.parameter0 === 0) addFlat(a, b, y, rows * channels)
  else if (op.parameter0 === 1) addScaled(a, b, y, rows * channels, load<f32>(program + op.weights0))
  else addRows(a, b, y, rows, channels, program + op.weights0)
}

function addFlat(a: usize, b: usize, y: usize, floats: i32): void {
  let n = floats
  for (; n >= 2 * LANES; n -= 2 * LANES, a += 2 * VECTOR, b += 2 * VECTOR, y += 2 * VECTOR) {
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)))
    v128.store(y, f32x4.add(v128.load(a, 16), v128.load(b, 16)), 16)
  }
  for (; n >= LANES; n -= LANES, a += VECTOR, b += VECTOR, y += VECTOR) {
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)))
  }
  if (n > 0) storePart(y, f32x4.add(loadPart(a, n), loadPart(b, n)), n)
}

function addScaled(a: usize, b: usize, y: usize, floats: i32, gain: f32): void {
  const g = splat(gain)
  let n = floats
  for (; n >= LANES; n -= LANES, a += VECTOR, b += VECTOR, y += VECTOR) {
    v128.store(y, madd(v128.load(a), g, v128.load(b)))
  }
  if (n > 0) storePart(y, madd(loadPart(a, n), g, loadPart(b, n)), n)
}

/** y = a + gain b with one gain per channel. */
function addRows(a: usize, b: usize, y: usize, rows: i32, channels: i32, gains: usize): void {
  for (let row = 0; row < rows; row++) {
    let g = gains
    let n = channels
    for (; n >= LANES; n -= LANES, a += VECTOR, b += VECTOR, y += VECTOR, g += VECTOR) {
      v128.store(y, madd(v128.load(a), v128.load(g), v128.load(b)))
    }
    if (n > 0) storePart(y, madd(loadPart(a, n), loadPart(g, n), loadPart(b, n)), n)
    const rest = (<usize>n) << 2
    a += rest
    b += rest
    y += rest
  }
}

/** a * b */
export function mul(op: Op, scratch: usize, from: i32, to: i32): void {
  const floats = op.positions * op.channels
  let a = op.inputStep(scratch, from)
  let b = op.secondStep(scratch, from, floats)
  let y = op.resultStep(scratch, from)
  let n = (to - from) * floats
  for (; n >= LANES; n -= LANES, a += VECTOR, b += VECTOR, y += VECTOR) {
    v128.store(y, f32x4.mul(v128.load(a), v128.load(b)))
  }
  if (n > 0) storePart(y, f32x4.mul(loadPart(a, n), loadPart(b, n)), n)
}

/** The first half of the channels times the sigmoid of the second; four rows together where rows are whole vectors. */
export function glu(op: Op, scratch: usize, from: i32, to: i32): void {
  const channels = op.resultChannels
  let rows = (to - from) * op.positions
  const half = (<usize>channels) << 2
  let x = op.inputStep(scratch, from)
  let y = op.resultStep(scratch, from)
  if (channels % LANES === 0) {
    for (; rows >= 4; rows -= 4, x += 7 * half, y += 3 * half) {
      for (const end = y + half; y < end; x += VECTOR, y += VECTOR) gateFour(y, half, x, x + half, 2 * half)
    }
  }
  for (; rows > 0; rows--, x += half) {
    for (let n = channels; n > 0; n -= LANES) {
      storeUpTo(y, gate(loadUpTo(x, n), loadUpTo(x + half, n)), n)
      const bytes = (<usize>min(n, LANES)) << 2
      x += bytes
      y += bytes
    }
  }
}

/** w x + b with (C) or (P, C) weights. */
export function affine(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const perPosition = op.parameter0 === 1
  const steps = to - from
  const floats = perPosition ? op.positions * op.channels : op.channels
  const rows = perPosition ? steps : steps * op.positions
  const x = op.inputStep(scratch, from)
  const y = op.resultStep(scratch, from)
  const bias = op.block(program, op.weights1)
  if (floats === 1) {
    const b: f32 = bias === 0 ? 0 : load<f32>(bias)
    affineFlat(x, y, rows, load<f32>(program + op.weights0), b)
  } else affineRows(x, y, rows, floats, program + op.weights0, bias)
}

function affineFlat(x: usize, y: usize, floats: i32, weight: f32, bias: f32): void {
  const w = splat(weight)
  const b = splat(bias)
  let n = floats
  for (; n >= LANES; n -= LANES, x += VECTOR, y += VECTOR) v128.store(y, madd(b, w, v128.load(x)))
  if (n > 0) storePart(y, madd(b, w, loadPart(x, n)), n)
}

function affineRows(x: usize, y: usize, rows: i32, floats: i32, weights: usize, biases: usize): void {
  const none = splat(0.0)
  for (let row = 0; row < rows; row++) {
    let w = weights
    let b = biases
    let n = floats
    if (biases !== 0) {
      for (; n >= 2 * LANES; n -= 2 * LANES, x += 2 * VECTOR, y += 2 * VECTOR, w += 2 * VECTOR, b += 2 * VECTOR) {
        v128.store(y, madd(v128.load(b), v128.load(w), v128.load(x)))
        v128.store(y, madd(v128.load(b, 16), v128.load(w, 16), v128.load(x, 16)), 16)
      }
    }
    for (; n >= LANES; n -= LANES, x += VECTOR, y += VECTOR, w += VECTOR, b += VECTOR) {
      v128.store(y, madd(biases === 0 ? none : v128.load(b), v128.load(w), v128.load(x)))
    }
    if (n > 0) storePart(y, madd(biases === 0 ? none : loadPart(b, n), loadPart(w, n), loadPart(x, n)), n)
    const rest = (<usize>n) << 2
    x += rest
    y += rest
  }
}

/** An activation on its own. */
export function act(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const rows = (to - from) * op.positions
  const floats = rows * op.channels
  const y = op.resultStep(scratch, from)
  copy(y, op.inputStep(scratch, from), floats)
  if (op.parameter0 === PRELU) prelu(y, program + op.weights0, rows, op.channels)
  else activate(op.parameter0, y, floats)
}

/** Channels parameter0.. of each row. */
export function slice(op: Op, scratch: usize, from: i32, to: i32): void {
  const x = op.inputStep(scratch, from) + ((<usize>op.parameter0) << 2)
  const rows = (to - from) * op.positions
  copyRows(op.resultStep(scratch, from), op.resultChannels, x, op.channels, op.resultChannels, rows)
}

/** Rows of the first input, each followed by one of the second. */
export function concat(op: Op, scratch: usize, from: i32, to: i32): void {
  const first = op.channels
  const second = op.parameter0
  const rows = (to - from) * op.positions
  const y = op.resultStep(scratch, from)
  const b = op.secondStep(scratch, from, op.positions * second)
  if (first === 1 && second === 2 && rows % LANES === 0) {
    joinThree(op.inputStep(scratch, from), b, y, rows)
    return
  }
  copyRows(y, first + second, op.inputStep(scratch, from), first, first, rows)
  copyRows(y + ((<usize>first) << 2), first + second, b, second, second, rows)
}

/** Rows (a, b, c) of a and (b, c), four at a time: a level beside its phase. */
function joinThree(a: usize, b: usize, y: usize, rows: i32): void {
  for (let n = rows; n > 0; n -= LANES, a += VECTOR, b += 2 * VECTOR, y += 3 * VECTOR) {
    const ones = v128.load(a)
    const pairs = v128.load(b)
    const more = v128.load(b, 16)
    v128.store(y, v128.shuffle<i32>(ones, pairs, 0, 4, 5, 1))
    v128.store(y, v128.shuffle<i32>(pairs, v128.shuffle<i32>(ones, more, 2, 4, 2, 4), 2, 3, 4, 5), 16)
    v128.store(y, v128.shuffle<i32>(ones, more, 5, 3, 6, 7), 32)
  }
}

/** `floats` numbers per row; strides in floats. */
function copyRows(to: usize, toStride: i32, from: usize, fromStride: i32, floats: i32, rows: i32): void {
  const toBytes = (<usize>toStride) << 2
  const fromBytes = (<usize>fromStride) << 2
  if (floats === 1) {
    for (let row = 0; row < rows; row++, to += toBytes, from += fromBytes) store<f32>(to, load<f32>(from))
  } else if (floats === 2) {
    for (let row = 0; row < rows; row++, to += toBytes, from += fromBytes) store<f64>(to, load<f64>(from))
  } else {
    for (let row = 0; row < rows; row++, to += toBytes, from += fromBytes) copy(to, from, floats)
  }
}

/** Result position q is input position index[q], or zero where that is -1. Runs of neighbours move as one. */
export function gather(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const channels = op.channels
  const bytes = (<usize>channels) << 2
  const end = program + op.weights0 + ((<usize>op.resultPositions) << 2)
  for (let step = from; step < to; step++) {
    const x = op.inputStep(scratch, step)
    let y = op.resultStep(scratch, step)
    let at = program + op.weights0
    if (channels === 2) {
      // one number of 64 bits per position: faster than to look for runs
      for (; at < end; at += 4, y += 8) {
        const from = load<i32>(at)
        store<u64>(y, from < 0 ? 0 : load<u64>(x + ((<usize>from) << 3)))
      }
    }
    while (at < end) {
      const first = load<i32>(at)
      let count = 1
      at += 4
      if (first >= 0) {
        // two neighbours at a time
        let next = <u64>(first + 1) | (<u64>(first + 2) << 32)
        for (; at + 8 <= end && load<u64>(at) === next; at += 8, count += 2) next += 0x200000002
        for (; at < end && load<i32>(at) === first + count; at += 4) count++
      }
      if (first < 0) zero(y, channels)
      else copy(y, x + <usize>first * bytes, count * channels)
      y += <usize>count * bytes
    }
  }
}

/** Whether the input of this hop was lost. */
export function flag(op: Op, state: usize, scratch: usize, from: i32, to: i32): void {
  if (from < to) store<f32>(op.resultStep(scratch, from), changetype<StateHeader>(state).inputLost)
}
