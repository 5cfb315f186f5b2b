// The straight-line program: one record per op (quantize/FORMAT.md), run in order. In: addresses of program, state and
// scratch, and which records. Out: values in scratch, states moved on. Checks nothing: the host validates the file once.

import { add, affine, concat, flag, gather, glu, mul, act, slice } from './elementwise'
import { clampStep, endIndex, firstIndex, Program, RECORD_BYTES, StateHeader, zero } from './arena'
import { conv } from './conv'
import { delay, frame, overlap } from './frame'
import { bandconv, linear } from './linear.f32'
import { bandconvIntegers, linearIntegers } from './linear.i8'
import { mix } from './mix'
import { mixIntegers } from './mix.i8'
import { norm } from './norm'
import { Op } from './record'
import { compress, filter, forgetPowers, guardPowers, irfft, logpower, rfft } from './spectrum'
import { ssm } from './ssm'
import { ssmIntegers } from './ssm.i8'

/** Runs records opFrom..opTo-1 of one hop. */
export function runOps(program: usize, state: usize, scratch: usize, opFrom: i32, opTo: i32): void {
  const records = program + changetype<Program>(program).recordsOffset
  const hasEnd = changetype<StateHeader>(state).hopsInAll !== u64.MAX_VALUE
  forgetPowers()
  for (let i = opFrom; i < opTo; i++) {
    const op = changetype<Op>(records + <usize>i * RECORD_BYTES)
    const steps = op.steps
    guardPowers(op, scratch)
    let from = 0
    let to = steps
    if (hasEnd || op.lag > 0) {
      // Steps outside the stream are never computed: they read zero, and no recurrence moves (CHECKPOINT.md, Time).
      const first = firstIndex(state, steps, op.lag)
      from = clampStep(-first, steps)
      to = max(from, clampStep(endIndex(state, steps) - first, steps))
      const floats = op.resultPositions * op.resultChannels
      const result = scratch + op.resultAt
      zero(result, from * floats)
      zero(result + ((<usize>(to * floats)) << 2), (steps - to) * floats)
    }
    runOp(op, program, state, scratch, from, to)
  }
}

/** One record: steps from..to-1 are valid. */
function runOp(op: Op, program: usize, state: usize, scratch: usize, from: i32, to: i32): void {
  const integers = op.kind >>> 16 !== 0
  switch (op.kind & 0xffff) {
    case 1: {
      if (integers) linearIntegers(op, program, scratch, from, to)
      else linear(op, program, scratch, from, to)
      break
    }
    case 2: {
      if (integers) bandconvIntegers(op, program, scratch, from, to)
      else bandconv(op, program, scratch, from, to)
      break
    }
    case 3: {
      if (integers) mixIntegers(op, program, scratch, from, to)
      else mix(op, program, scratch, from, to)
      break
    }
    case 4: {
      conv(op, program, state, scratch, from, to)
      break
    }
    case 5: {
      if (integers) ssmIntegers(op, program, state, scratch, from, to)
      else ssm(op, program, state, scratch, from, to)
      break
    }
    case 6: {
      norm(op, program, scratch, from, to)
      break
    }
    case 7: {
      affine(op, program, scratch, from, to)
      break
    }
    case 8: {
      act(op, program, scratch, from, to)
      break
    }
    case 9: {
      glu(op, scratch, from, to)
      break
    }
    case 10: {
      add(op, program, scratch, from, to)
      break
    }
    case 11: {
      mul(op, scratch, from, to)
      break
    }
    case 12: {
      slice(op, scratch, from, to)
      break
    }
    case 13: {
      concat(op, scratch, from, to)
      break
    }
    case 14: {
      gather(op, program, scratch, from, to)
      break
    }
    case 15: {
      delay(op, state, scratch, from, to)
      break
    }
    case 16: {
      frame(op, state, scratch, from, to)
      break
    }
    case 17: {
      rfft(op, program, scratch, from, to)
      break
    }
    case 18: {
      irfft(op, program, scratch, from, to)
      break
    }
    case 19: {
      overlap(op, state, scratch, from, to)
      break
    }
    case 20: {
      logpower(op, scratch, from, to)
      break
    }
    case 21: {
      compress(op, scratch, from, to)
      break
    }
    case 22: {
      filter(op, state, scratch, from, to)
      break
    }
    case 23: {
      flag(op, state, scratch, from, to)
      break
    }
  }
}
