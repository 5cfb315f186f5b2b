// The memory plan. In: lowered ops. Out: where every value, temporary, state and weight block lies: scratch with reuse
// of buffers whose value is dead, states one after the other behind the header, weights without duplicates.
// All offsets are bytes and multiples of 64. The input keeps its place for the whole hop, the output until the next.

import { fail } from './errors.ts'
import { INPUT_BUFFER, type Lowered } from './lower.ts'
import type { Block } from './pack.ts'
import {
  ALIGNMENT,
  type Extent,
  MAX_SCRATCH_BYTES,
  MAX_STATE_BYTES,
  measure,
  roundUp,
  STATE_HEADER_BYTES,
} from './record.ts'

interface Placement {
  readonly inputs: number[]
  readonly result: number
  readonly temporary: number
  readonly state: number
  /** From the start of the weights, -1 where there is none. */
  readonly weights: [number, number, number, number]
}

export interface Plan {
  readonly placements: Placement[]
  readonly inputOffset: number
  readonly outputOffset: number
  readonly scratchBytes: number
  readonly stateBytes: number
  readonly weights: Uint8Array
}

/** A stretch of scratch and the ops (first, last) during which it must not be shared. */
interface Lifetime {
  bytes: number
  first: number
  last: number
  offset: number
}

export function plan(program: Lowered): Plan {
  const extents = program.ops.map((op) => measure(op.task, op.format))
  const { values, temporaries, scratchBytes } = planScratch(program, extents)
  const { states, stateBytes } = planStates(extents)
  const weights = new WeightArea()
  const placements = program.ops.map((op, i): Placement => {
    const places = [0, 1, 2, 3].map((block) => weights.place(op.blocks[block])) as Placement['weights']
    return {
      inputs: op.inputs.map((buffer) => values[buffer].offset),
      result: values[op.result].offset,
      temporary: temporaries[i]?.offset ?? 0,
      state: states[i],
      weights: places,
    }
  })
  return {
    placements,
    inputOffset: values[INPUT_BUFFER].offset,
    outputOffset: values[program.outputBuffer].offset,
    scratchBytes,
    stateBytes,
    weights: weights.bytes(),
  }
}

function planScratch({ ops, bufferFloats, outputBuffer }: Lowered, extents: Extent[]) {
  const values = bufferFloats.map((floats): Lifetime => ({ bytes: 4 * floats, first: -1, last: -1, offset: -1 }))
  for (const [i, op] of ops.entries()) {
    values[op.result].first = values[op.result].last = i
    for (const buffer of op.inputs) values[buffer].last = i
  }
  for (const pinned of [INPUT_BUFFER, outputBuffer]) values[pinned].last = ops.length
  const temporaries = extents.map(({ temporaryBytes }, i): Lifetime | undefined =>
    temporaryBytes > 0 ? { bytes: temporaryBytes, first: i, last: i, offset: -1 } : undefined,
  )
  // The input first and therefore at 0, where no temporary may lie; then the large ones while there is room.
  const rest = [...values.slice(1), ...temporaries.filter((life) => life !== undefined)]
  rest.sort((a, b) => b.bytes - a.bytes || a.first - b.first)
  const placed: Lifetime[] = []
  let scratchBytes = 0
  for (const life of [values[INPUT_BUFFER], ...rest]) {
    life.offset = lowestGap(life, placed)
    placed.push(life)
    placed.sort((a, b) => a.offset - b.offset)
    scratchBytes = Math.max(scratchBytes, life.offset + roundUp(life.bytes, ALIGNMENT))
  }
  if (scratchBytes > MAX_SCRATCH_BYTES) {
    fail('PROGRAM_TOO_LARGE', 'bytes of scratch', scratchBytes, `use a network below ${MAX_SCRATCH_BYTES}`)
  }
  return { values, temporaries, scratchBytes }
}

/** The lowest offset at which `life` meets none of `placed` (by ascending offset) that live at the same time. */
function lowestGap(life: Lifetime, placed: Lifetime[]): number {
  let offset = 0
  for (const other of placed) {
    if (other.last < life.first || other.first > life.last) continue
    if (other.offset >= offset + life.bytes) break
    offset = Math.max(offset, roundUp(other.offset + other.bytes, ALIGNMENT))
  }
  return offset
}

function planStates(extents: Extent[]) {
  let stateBytes = STATE_HEADER_BYTES
  const states = extents.map((extent) => {
    if (extent.stateBytes === 0) return 0
    const offset = stateBytes
    stateBytes += roundUp(extent.stateBytes, ALIGNMENT)
    return offset
  })
  if (stateBytes > MAX_STATE_BYTES) {
    fail('PROGRAM_TOO_LARGE', 'bytes of one state', stateBytes, `use a network below ${MAX_STATE_BYTES}`)
  }
  return { states, stateBytes }
}

/** Weight blocks in order of first use; equal blocks (transform tables) are stored once. */
class WeightArea {
  private readonly blocks: Uint8Array[] = []
  private readonly places = new Map<number, { offset: number; block: Uint8Array }[]>()
  private end = 0

  place(block: Block | undefined): number {
    if (block === undefined) return -1
    const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength)
    const alike = this.places.get(bytes.length) ?? []
    const known = alike.find((other) => other.block.every((byte, i) => byte === bytes[i]))
    if (known) return known.offset
    const offset = this.end
    this.places.set(bytes.length, [...alike, { offset, block: bytes }])
    this.blocks.push(bytes)
    this.end = roundUp(offset + bytes.length, ALIGNMENT)
    return offset
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.end)
    let at = 0
    for (const block of this.blocks) {
      all.set(block, at)
      at = roundUp(at + block.length, ALIGNMENT)
    }
    return all
  }
}
