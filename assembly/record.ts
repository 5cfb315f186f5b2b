// One op record, 16 words, read where it lies in the model file (quantize/FORMAT.md). A kernel asks it for sizes, and
// for addresses given those of program, state and scratch. Values are (steps, positions, channels) f32.

@unmanaged
export class Op {
  /** Low 16 bits; number format above. */
  kind: u32
  steps: i32
  lag: i32
  inputAt: u32
  secondAt: u32
  resultAt: u32
  stateAt: u32
  weights0: u32
  weights1: u32
  weights2: u32
  weights3: u32
  temporaryAt: u32
  inputShape: u32
  resultShape: u32
  parameter0: i32
  parameter1: i32

  get positions(): i32 {
    return this.inputShape & 0xffff
  }

  get channels(): i32 {
    return this.inputShape >>> 16
  }

  get resultPositions(): i32 {
    return this.resultShape & 0xffff
  }

  get resultChannels(): i32 {
    return this.resultShape >>> 16
  }

  /** Step `step` of the first input, given as many floats per step as the result kind takes in. */
  inputStep(scratch: usize, step: i32): usize {
    return scratch + this.inputAt + ((<usize>(step * this.positions * this.channels)) << 2)
  }

  secondStep(scratch: usize, step: i32, floats: i32): usize {
    return scratch + this.secondAt + ((<usize>(step * floats)) << 2)
  }

  resultStep(scratch: usize, step: i32): usize {
    return scratch + this.resultAt + ((<usize>(step * this.resultPositions * this.resultChannels)) << 2)
  }

  /** Address of a weight block, 0 where it is absent. */
  block(program: usize, offset: u32): usize {
    return offset === 0 ? 0 : program + offset
  }
}
