// FORMAT.md, 'Validation': what a host checks before a program runs, because the core checks nothing. In: a decoded
// model and the view of its file. Out: nothing, or one MODEL_INVALID that names the record and the field.

import { fail } from './errors.ts'
import type { Model, OpRecord } from './modelfile.ts'
import {
  ACTIVATION_CODES,
  activationOf,
  type Extent,
  FORMATS,
  floatOfWord,
  lossOf,
  MAX_INT8_COLUMNS,
  MAX_SCRATCH_BYTES,
  MAX_STATE_BYTES,
  matricesOf,
  matrixBytes,
  measure,
  SSM_FLAGS,
  STATE_HEADER_BYTES,
  type Task,
  unpackBandconv,
  unpackConv,
  up,
} from './record.ts'

const MAX_RECORDS = 16384
const MAX_RATE = 768000
const MAX_LAG = 2 ** 24
const MAX_VALUE_FLOATS = 2 ** 26

export function refuse(what: string, value: unknown, remedy = 'compile the checkpoint again'): never {
  return fail('MODEL_INVALID', what, value, remedy)
}

export function checkModel(model: Model, file: DataView): void {
  checkHeader(model)
  const states: { from: number; to: number; i: number }[] = []
  for (const [i, record] of model.records.entries()) {
    checkTask(record, i)
    const extent = measure(record.task, record.format)
    checkScratch(record, extent, model, i)
    checkWeights(record, extent, model, file, i)
    if (extent.stateBytes > 0) states.push(checkState(record, extent, model, i))
    else if (record.state !== 0) refuse(`record ${i}: state of a kind that has none`, record.state)
  }
  states.sort((a, b) => a.from - b.from)
  for (let k = 1; k < states.length; k++) {
    if (states[k].from < states[k - 1].to)
      refuse(`record ${states[k].i}: state overlaps that of record ${states[k - 1].i}`, states[k].from)
  }
}

function checkHeader(model: Model): void {
  const { inputRate, inputHop, outputRate, outputHop, scratchBytes, stateBytes } = model
  for (const [name, value, max] of [
    ['input rate', inputRate, MAX_RATE],
    ['output rate', outputRate, MAX_RATE],
    ['input hop', inputHop, 65535],
    ['output hop', outputHop, 65535],
    ['scratch bytes', scratchBytes, MAX_SCRATCH_BYTES],
    ['state bytes', stateBytes, MAX_STATE_BYTES],
    ['overlap lag', model.overlapLag + 1, MAX_LAG],
    ['look-ahead hops', model.lookaheadHops + 1, MAX_LAG],
  ] as const) {
    if (value < 1 || value > max) refuse(`header: ${name}`, value, `use 1..${max}`)
  }
  if (inputHop * outputRate !== outputHop * inputRate) {
    refuse('header: hops do not match the rates', `${inputHop}/${inputRate} and ${outputHop}/${outputRate}`)
  }
  if (model.records.length > MAX_RECORDS) refuse('header: op count', model.records.length, `use at most ${MAX_RECORDS}`)
  if (stateBytes < STATE_HEADER_BYTES || stateBytes % 4 || scratchBytes % 4)
    refuse('header: state and scratch bytes', [stateBytes, scratchBytes])
  checkSpan('header: input samples', model.inputOffset, 4 * inputHop, scratchBytes)
  checkSpan('header: output samples', model.outputOffset, 4 * outputHop, scratchBytes)
}

function checkSpan(what: string, offset: number, bytes: number, areaBytes: number): void {
  if (offset % 4) refuse(`${what}: offset is no multiple of 4`, offset)
  if (offset + bytes > areaBytes) refuse(`${what}: beyond the ${areaBytes} bytes of its area`, offset + bytes)
}

function checkTask({ task, format, lag }: OpRecord, i: number): void {
  const { kind, steps, positions: P, channels: C, resultPositions: Q, resultChannels: d } = task
  const sizes = [steps, P, C, Q, d]
  if (sizes.some((size) => size < 1) || steps * P * C > MAX_VALUE_FLOATS || steps * Q * d > MAX_VALUE_FLOATS) {
    refuse(`record ${i} (${kind}): sizes`, sizes)
  }
  checkFormat(task, format, i)
  if (lag > MAX_LAG) refuse(`record ${i} (${kind}): lag`, lag)
  if (!isConsistent(task))
    refuse(`record ${i} (${kind}): sizes and parameters do not agree`, [...sizes, ...task.parameters])
}

/** Integers are for matrices only, mixing knows no int4, and int8 sums have a longest row. */
function checkFormat(task: Task, format: number, i: number): void {
  if (format === FORMATS.f32) return
  const { kind } = task
  const matrices = matricesOf(task)
  const known = format === FORMATS.int8 || (format === FORMATS.int4 && kind !== 'mix')
  if (!known || matrices.length === 0) refuse(`record ${i} (${kind}): number format`, format, 'update the library')
  const longest = Math.max(...matrices.map(({ columns }) => columns))
  if (format === FORMATS.int8 && longest > MAX_INT8_COLUMNS)
    refuse(`record ${i} (${kind}): columns of an int8 matrix`, longest, `use at most ${MAX_INT8_COLUMNS}`)
}

/** Do shapes and parameters agree as the kind demands? */
function isConsistent(task: Task): boolean {
  const { kind, steps: S, positions: P, channels: C, resultPositions: Q, resultChannels: d } = task
  const [first, second] = task.parameters
  const fusable = activationOf(task) < ACTIVATION_CODES.prelu
  const unchanged = P === Q && C === d
  switch (kind) {
    case 'linear':
      return P === Q && fusable
    case 'bandconv': {
      const { taps, stride, padLeft } = unpackBandconv(first)
      return taps > 0 && stride > 0 && fusable && (Q - 1) * stride + taps - padLeft - P <= 255
    }
    case 'mix':
      return C === d && first > 0 && C % first === 0 && fusable
    case 'conv': {
      const { taps, bands } = unpackConv(first)
      return unchanged && taps > 0 && bands % 2 === 1 && first < 65536 && fusable
    }
    case 'ssm': {
      const diagonal = (second & SSM_FLAGS.diagonalD) !== 0
      const both = diagonal && (second & SSM_FLAGS.fullD) !== 0
      return P === Q && first > 0 && first < 65536 && second < 16 && !both && (!diagonal || C === d)
    }
    case 'norm':
      return unchanged && fusable && second < 512
    case 'affine':
      return unchanged && first < 2
    case 'act':
      return unchanged && first > 0 && first <= ACTIVATION_CODES.prelu
    case 'glu':
      return P === Q && C === 2 * d
    case 'add':
      return unchanged && first < 3
    case 'mul':
      return unchanged
    case 'slice':
      return P === Q && first + d <= C
    case 'concat':
      return P === Q && first > 0 && d === C + first
    case 'gather':
      return C === d
    case 'delay':
      return unchanged && first > 0 && first <= MAX_LAG
    case 'frame':
      return P * C * Q === 1 && d === first && second > 0 && second <= first && S * second <= MAX_VALUE_FLOATS
    case 'rfft':
      return P === 1 && C === first && Q === first / 2 + 1 && d === 2 && isTransformSize(first)
    case 'irfft':
      return P === first / 2 + 1 && C === 2 && Q === 1 && d === second && second <= first && isTransformSize(first)
    case 'overlap':
      return P * Q * d === 1 && C === first && second > 0 && second <= first && S % second === 0
    case 'logpower':
      return P === Q && C === 2 && d === 1
    case 'compress':
      return unchanged && C === 2
    case 'filter':
      return unchanged && C === 2 && first > 0 && first < 256
    case 'flag':
      return S * P * C * Q * d === 1
  }
}

function isTransformSize(n: number): boolean {
  return n >= 16 && n <= 4096 && (n & (n - 1)) === 0
}

/** Inputs, result and temporary lie in scratch; what is written meets nothing else the record touches. */
function checkScratch(record: OpRecord, extent: Extent, { scratchBytes }: Model, i: number): void {
  const where = `record ${i} (${record.task.kind})`
  const inputs = extent.inputBytes.map((bytes, k) => ({ offset: record.inputs[k], bytes }))
  const result = { offset: record.result, bytes: extent.resultBytes }
  const temporary = { offset: record.temporary, bytes: extent.temporaryBytes }
  for (const { offset, bytes } of inputs) checkSpan(`${where}: input`, offset, bytes, scratchBytes)
  checkSpan(`${where}: result`, result.offset, result.bytes, scratchBytes)
  checkSpan(`${where}: temporary`, temporary.offset, temporary.bytes, scratchBytes)
  if (inputs.length < 2 && record.inputs[1] !== 0)
    refuse(`${where}: second input of a kind that has one`, record.inputs[1])
  if (temporary.bytes > 0 !== temporary.offset > 0) refuse(`${where}: temporary`, temporary.offset)
  if (inputs.some((input) => meet(input, result) || meet(input, temporary)) || meet(result, temporary)) {
    refuse(`${where}: result or temporary overlaps what is read`, [...record.inputs, record.result, record.temporary])
  }
}

interface Span {
  offset: number
  bytes: number
}

function meet(a: Span, b: Span): boolean {
  return a.bytes > 0 && b.bytes > 0 && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes
}

function checkWeights(record: OpRecord, extent: Extent, model: Model, file: DataView, i: number): void {
  const end = model.weightsOffset + model.weightsBytes
  for (const [k, offset] of record.weights.entries()) {
    const where = `record ${i} (${record.task.kind}): weight block ${k}`
    const bytes = extent.weightBytes[k]
    if (offset === 0) {
      if (extent.weightNeeded[k]) refuse(`${where} is missing`, offset)
      continue
    }
    if (bytes === 0) refuse(`${where} of a kind that has none`, offset)
    if (offset % 64) refuse(`${where}: offset is no multiple of 64`, offset)
    if (offset < model.weightsOffset || offset + bytes > end) refuse(`${where}: outside of the weights`, offset)
  }
  if (record.task.kind === 'gather') checkIndices(record, file, i)
  if (record.task.kind === 'ssm') checkPoles(record, file, i)
  if (record.format !== FORMATS.f32) checkIntegers(record, file, i)
}

/** The kernels' sums fit 32 bits only while the weights keep to their range; scales must be numbers. */
function checkIntegers({ task, format, weights }: OpRecord, file: DataView, i: number): void {
  for (const { block, rows, columns, groups } of matricesOf(task)) {
    const where = `record ${i} (${task.kind}): weight block ${block}`
    const from = weights[block]
    const blocks = (groups * up(rows)) / 4
    const end = from + matrixBytes(format, rows, columns, groups)
    if (format === FORMATS.int8) {
      const scales = end - 16 * blocks
      // the host's own search: a file is checked before its first hop
      if (new Int8Array(file.buffer, file.byteOffset + from, scales - from).includes(-128))
        refuse(`${where}: int8 weight`, -128)
      for (let at = scales; at < end; at += 4) checkScale(where, file.getFloat32(at, true))
    } else {
      const scales = from + blocks * Math.ceil(columns / 8) * 16
      for (let at = from; at < scales; at += 2)
        if (hasLeastNibble(file.getUint16(at, true))) refuse(`${where}: int4 weight`, -8)
      for (let at = scales; at < end; at += 2) checkScale(where, floatOfWord(file.getUint16(at, true) * 65536))
    }
  }
}

function checkScale(where: string, scale: number): void {
  if (!Number.isFinite(scale)) refuse(`${where}: scale`, scale)
}

/** Is one of four nibbles -8? Then it alone keeps its top bit when its lower three are added to all ones. */
function hasLeastNibble(word: number): boolean {
  return (word & 0x8888 & ~((word & 0x7777) + 0x7777)) !== 0
}

/** The only weights that are addresses. */
function checkIndices({ task, weights }: OpRecord, file: DataView, i: number): void {
  for (let q = 0; q < task.resultPositions; q++) {
    const index = file.getInt32(weights[0] + 4 * q, true)
    if (index < -1 || index >= task.positions)
      refuse(`record ${i} (gather): index ${q}`, index, `use -1..${task.positions - 1}`)
  }
}

/** A state whose pole does not decay runs away, and no gain, time constant or page about it is finite. */
function checkPoles({ task, weights }: OpRecord, file: DataView, i: number): void {
  const [order] = task.parameters
  for (let n = 0; n < order; n++) {
    const [p, q] = [n, up(order) + n].map((at) => file.getFloat32(weights[0] + 4 * at, true))
    if (!(lossOf(p, q) > 0)) refuse(`record ${i} (ssm): pole ${n} does not decay`, [p, q])
  }
}

function checkState(record: OpRecord, extent: Extent, { stateBytes }: Model, i: number) {
  const where = `record ${i} (${record.task.kind}): state`
  if (record.state < STATE_HEADER_BYTES) refuse(`${where} lies in the header`, record.state)
  checkSpan(where, record.state, extent.stateBytes, stateBytes)
  return { from: record.state, to: record.state + extent.stateBytes, i }
}
