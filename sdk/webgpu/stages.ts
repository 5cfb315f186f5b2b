// From records to stages: what one pass of a workgroup computes. In: a validated model. Out: values with their lifetimes,
// and stages in order. Elementwise records that only the record before them feeds become tails of its stage: glu, residual
// and band bias cost neither memory nor a barrier then.

import type { Model, OpRecord } from '../../quantize/modelfile.ts'
import { ACTIVATION_CODES, chunkSteps, countResults, FORMATS, measure, SSM_FLAGS, up } from '../../quantize/record.ts'

/** What lies in workgroup memory between stages: (steps, positions, channels), time-major as in FORMAT.md. */
export interface Value {
  readonly floats: number
  /** Four at a time, in the precision of activations; or one by one in f32. */
  readonly isVector: boolean
  /** int16 for dot products (dots.ts), two words for four of them; `floats` counts words. */
  readonly isInteger?: boolean
  /** Stages in which it is written first and read last. */
  readonly from: number
  to: number
}

export interface Stage {
  readonly record: OpRecord
  /** Applied to each result before it is stored. */
  readonly tails: readonly Tail[]
  readonly inputs: readonly Value[]
  readonly result: Value
  /** Within the stage only. */
  readonly temporaries: readonly Value[]
}

export interface Tail {
  readonly record: OpRecord
  /** The other operand. */
  readonly other: Value | undefined
}

/** Their results keep f32 whatever the precision: a spectrum's range is that of the input, squared. */
const EXACT = new Set(['frame', 'rfft', 'irfft', 'overlap', 'logpower', 'compress', 'filter', 'flag'])

/** The value of a record's result: in vectors where every store writes four neighbours. */
function isVectorResult({ task }: OpRecord, inputs: readonly Value[]): boolean {
  const { kind, channels, resultChannels, parameters } = task
  if (EXACT.has(kind) || resultChannels % 4 !== 0) return false
  if (kind === 'mix') return (channels / parameters[0]) % 4 === 0
  if (kind === 'concat') return channels % 4 === 0
  if (kind === 'slice') return parameters[0] % 4 === 0 && channels % 4 === 0
  if (kind === 'gather' || kind === 'delay') return inputs[0].isVector
  return true
}

export interface Program {
  readonly stages: readonly Stage[]
  readonly input: Value
  readonly output: Value
}

/** `isDotted`: products of int8 matrices are dot products of integers where the shape allows. */
export function stagesOf(model: Model, isDotted: boolean): Program {
  const { records } = model
  const readers = countReaders(model)
  const input: Value = { floats: model.inputHop, isVector: false, from: 0, to: 0 }
  /** By offset in scratch; a later result takes the place of an earlier one. */
  const values = new Map<number, Value>([[model.inputOffset, input]])
  const stages: Stage[] = []
  for (let i = 0; i < records.length; ) {
    const head = records[i]
    const at = stages.length
    const read = (offset: number): Value => {
      const value = values.get(offset)!
      value.to = at
      return value
    }
    const extent = measure(head.task, head.format)
    const inputs = head.inputs.slice(0, extent.inputBytes.length).map(read)
    const tails: Tail[] = []
    let last = head
    for (i++; i < records.length && canFollow(last, records[i], readers, tails); i++) {
      const tail = records[i]
      const isBinary = tail.task.kind === 'add'
      tails.push({
        record: tail,
        other: isBinary ? read(tail.inputs[0] === last.result ? tail.inputs[1] : tail.inputs[0]) : undefined,
      })
      last = tail
    }
    const result: Value = {
      floats: countResults(last.task),
      isVector: tails.length > 0 || isVectorResult(head, inputs),
      from: at,
      to: at,
    }
    values.set(last.result, result)
    stages.push({ record: head, tails, inputs, result, temporaries: temporariesOf(head, at, isDotted) })
  }
  const output = values.get(model.outputOffset)!
  output.to = stages.length
  return { stages, input, output }
}

/** How many records read each record's result. */
function countReaders({ records, outputOffset }: Model): Map<OpRecord, number> {
  const writers = new Map<number, OpRecord>()
  const readers = new Map<OpRecord, number>()
  const read = (offset: number) => {
    const writer = writers.get(offset)
    if (writer !== undefined) readers.set(writer, (readers.get(writer) ?? 0) + 1)
  }
  for (const record of records) {
    const count = measure(record.task, record.format).inputBytes.length
    for (const offset of record.inputs.slice(0, count)) read(offset)
    writers.set(record.result, record)
  }
  read(outputOffset)
  return readers
}

const HEADS = new Set(['linear', 'bandconv', 'mix', 'ssm', 'norm', 'add'])

function canFollow(last: OpRecord, next: OpRecord, readers: Map<OpRecord, number>, tails: readonly Tail[]): boolean {
  if (tails.length === 0 && !(HEADS.has(last.task.kind) && isVectorResult(last, []))) return false
  const { task } = next
  if (readers.get(last) !== 1 || !next.inputs.includes(last.result)) return false
  if (last.task.steps !== task.steps || last.lag !== next.lag) return false
  // a reshape in between would give the channels another meaning
  if (task.positions !== last.task.resultPositions || task.channels !== last.task.resultChannels) return false
  if (task.kind === 'glu')
    return tails.length === 0 && ['linear', 'ssm'].includes(last.task.kind) && task.channels % 8 === 0
  if (task.kind === 'add') {
    if (next.inputs[0] === next.inputs[1]) return false
    // a + gain b: the gain belongs to the second
    return task.parameters[0] === 0 || next.inputs[1] === last.result
  }
  if (task.kind === 'act') return task.parameters[0] !== ACTIVATION_CODES.prelu
  return task.kind === 'affine'
}

function temporariesOf(record: OpRecord, at: number, isDotted: boolean): Value[] {
  const { kind, steps, positions, channels, parameters } = record.task
  const value = (floats: number, isVector: boolean): Value => ({ floats, isVector, from: at, to: at })
  const integers = (columns: number, depth: number): Value[] =>
    isDotted && canDot(record, depth) ? [{ ...value(columns * dottedWords(depth), false), isInteger: true }] : []
  switch (kind) {
    case 'linear':
    case 'bandconv':
      return integers(steps * positions, channels)
    case 'ssm': {
      const columns = chunkSteps(steps, positions) * positions
      const depth = (parameters[1] & SSM_FLAGS.complexC ? 2 : 1) * up(parameters[0])
      return [value(columns * depth, true), ...integers(columns, depth), ...integers(columns, channels)]
    }
    case 'rfft':
    case 'irfft':
      return [value(parameters[0], false), value(parameters[0], false)]
    default:
      return []
  }
}

function canDot({ format }: OpRecord, depth: number): boolean {
  return format === FORMATS.int8 && depth % 4 === 0
}

/** Of a column of `depth` int16 and its scale. */
export function dottedWords(depth: number): number {
  return 2 * (depth / 4 + 1)
}
