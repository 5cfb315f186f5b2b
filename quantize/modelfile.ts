// The model file (FORMAT.md). In: a program with its plan, or the bytes of an untrusted file. Out: the bytes, or a model
// whose every offset is known to lie inside its area. Runs anywhere, worklets included: no host API, no node imports.

import { fail } from './errors.ts'
import { KIND_NAMES, KINDS, type Task } from './record.ts'
import { hashParts } from './sha256.ts'
import { decodeUtf8, encodeUtf8 } from './text.ts'
import { checkModel, refuse } from './validation.ts'

const FORMAT_VERSION = 1
/** Changes when the same file may give other bits. */
const NUMERIC_VERSION = 1
export const HEADER_BYTES = 128
export const RECORD_BYTES = 64
const MAX_CARD_BYTES = 1 << 20
const MAGIC = 0x454e5441 // 'ATNE', little-endian
const HASH_OFFSET = 96
const HASH_BYTES = 32

export interface OpRecord {
  readonly task: Task
  /** 0 f32, 1 int8, 2 int4. */
  readonly format: number
  /** Of the result, in its own steps, by look-ahead only. */
  readonly lag: number
  /** Offsets in scratch. */
  readonly inputs: readonly [number, number]
  readonly result: number
  readonly temporary: number
  /** Offset in the state block, 0 if none. */
  readonly state: number
  /** Offsets in the file, 0 if absent. */
  readonly weights: readonly [number, number, number, number]
}

/** JSON at the end of a model file (FORMAT.md, Card). */
export interface Card {
  /** As in `attenuate inspect`. */
  readonly name?: string
  /** One name per record. */
  readonly ops?: string[]
  /** The network's own latency: look-ahead, overlap and one hop, before rounding to whole hops. */
  readonly algorithmicLatencySamples?: number
  /** As it stood in the checkpoint. */
  readonly card?: unknown
  readonly [key: string]: unknown
}

/** A validated model file: sizes, rates, card (FORMAT.md, Header). */
export interface Model {
  /** Of the whole file. */
  readonly fileBytes: number
  /** Hz. */
  readonly inputRate: number
  /** Samples at the input rate. */
  readonly inputHop: number
  /** Hz. */
  readonly outputRate: number
  /** Samples at the output rate. */
  readonly outputHop: number
  /** @internal */
  readonly weightsOffset: number
  /** Weights and constants, shared by all streams. */
  readonly weightsBytes: number
  /** Of one stream. */
  readonly stateBytes: number
  /** Shared by all streams of a core. */
  readonly scratchBytes: number
  /** @internal */
  readonly inputOffset: number
  /** @internal */
  readonly outputOffset: number
  /** Output samples. */
  readonly overlapLag: number
  /** Hops of look-ahead. */
  readonly lookaheadHops: number
  /** Multiply-accumulates of one hop. */
  readonly macsPerHop: number
  /** Of the arithmetic that the file expects (assembly/index.ts). */
  readonly numericVersion: number
  /** Hexadecimal. */
  readonly sha256: string
  /** @internal */
  readonly records: readonly OpRecord[]
  /** What its makers say of it: name, data, scores, weaknesses. */
  readonly card: Card
  /** Output samples by which the result comes late: look-ahead hops and overlap. */
  readonly lagSamples: number
  /** Delivered latency in output samples: the lag and one hop. */
  readonly latencySamples: number
}

/** What the encoder needs; the rest follows. */
export type ModelSource = Pick<
  Model,
  | 'inputRate'
  | 'inputHop'
  | 'outputRate'
  | 'outputHop'
  | 'stateBytes'
  | 'scratchBytes'
  | 'inputOffset'
  | 'outputOffset'
  | 'overlapLag'
  | 'lookaheadHops'
  | 'macsPerHop'
  | 'records'
  | 'card'
> & { readonly weights: Uint8Array }

/** The offset at which the weights of a program of so many records begin. */
export function weightsOffsetOf(records: number): number {
  return HEADER_BYTES + RECORD_BYTES * records
}

export function encodeModel(source: ModelSource): Uint8Array {
  const weightsOffset = weightsOffsetOf(source.records.length)
  const cardOffset = weightsOffset + source.weights.length
  const card = encodeUtf8(JSON.stringify(source.card))
  if (card.length > MAX_CARD_BYTES)
    fail('PROGRAM_TOO_LARGE', 'bytes of the card', card.length, `use at most ${MAX_CARD_BYTES}`)
  const bytes = new Uint8Array(cardOffset + card.length)
  const header = [
    MAGIC,
    FORMAT_VERSION,
    bytes.length,
    source.records.length,
    source.inputRate,
    source.inputHop,
    source.outputRate,
    source.outputHop,
    HEADER_BYTES,
    weightsOffset,
    source.weights.length,
    cardOffset,
    card.length,
    source.stateBytes,
    source.scratchBytes,
    source.inputOffset,
    source.outputOffset,
    source.overlapLag,
    source.lookaheadHops,
    source.macsPerHop,
    NUMERIC_VERSION,
  ]
  const words = [
    ...header,
    ...new Array(HEADER_BYTES / 4 - header.length).fill(0),
    ...source.records.flatMap(encodeRecord),
  ]
  const view = new DataView(bytes.buffer)
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true)
  bytes.set(source.weights, weightsOffset)
  bytes.set(card, cardOffset)
  return sealModel(bytes)
}

function encodeRecord({ task, format, lag, inputs, result, temporary, state, weights }: OpRecord): number[] {
  return [
    KINDS[task.kind] | (format << 16),
    task.steps,
    lag,
    ...inputs,
    result,
    state,
    ...weights,
    temporary,
    (task.positions | (task.channels << 16)) >>> 0,
    (task.resultPositions | (task.resultChannels << 16)) >>> 0,
    ...task.parameters,
  ]
}

/** Writes the SHA-256 into the header, in place. */
export function sealModel(bytes: Uint8Array): Uint8Array {
  bytes.set(hashModel(bytes), HASH_OFFSET)
  return bytes
}

function hashModel(bytes: Uint8Array): Uint8Array {
  return hashParts([
    bytes.subarray(0, HASH_OFFSET),
    new Uint8Array(HASH_BYTES),
    bytes.subarray(HASH_OFFSET + HASH_BYTES),
  ])
}

/** Parses and validates; whatever comes back is safe to hand to the core. */
export function decodeModel(bytes: Uint8Array): Model {
  if (bytes.length < HEADER_BYTES)
    fail('MODEL_TRUNCATED', 'model file shorter than its header', `${bytes.length} bytes`, 'fetch it again')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const word = (at: number) => view.getUint32(at, true)
  if (word(0) !== MAGIC) refuse('not a model file: magic', `0x${word(0).toString(16)}`, 'compile a checkpoint first')
  if (word(4) !== FORMAT_VERSION)
    fail('MODEL_VERSION', 'format version of the model file', word(4), `use version ${FORMAT_VERSION}`)
  if (word(8) > bytes.length)
    fail('MODEL_TRUNCATED', 'model file is cut short', `${bytes.length} of ${word(8)} bytes`, 'fetch it again')
  if (word(8) < bytes.length) refuse('bytes after the end of the model file', bytes.length - word(8), 'cut them off')
  const sha = hexOf(bytes.subarray(HASH_OFFSET, HASH_OFFSET + HASH_BYTES))
  const computed = hexOf(hashModel(bytes))
  if (sha !== computed)
    fail('MODEL_HASH', 'SHA-256 of the model file does not match', computed.slice(0, 16), 'fetch it again')
  checkAreas(word, bytes.length)
  const overlapLag = word(68)
  const lookaheadHops = word(72)
  const outputHop = word(28)
  const lagSamples = lookaheadHops * outputHop + overlapLag
  const model: Model = {
    fileBytes: bytes.length,
    inputRate: word(16),
    inputHop: word(20),
    outputRate: word(24),
    outputHop,
    weightsOffset: word(36),
    weightsBytes: word(40),
    stateBytes: word(52),
    scratchBytes: word(56),
    inputOffset: word(60),
    outputOffset: word(64),
    overlapLag,
    lookaheadHops,
    macsPerHop: word(76),
    numericVersion: word(80),
    sha256: sha,
    records: Array.from({ length: word(12) }, (_, i) => decodeRecord(word, HEADER_BYTES + RECORD_BYTES * i, i)),
    card: decodeCard(bytes.subarray(word(44), word(44) + word(48))),
    lagSamples,
    latencySamples: lagSamples + outputHop,
  }
  checkModel(model, view)
  return model
}

/** Header, records, weights and card follow one another inside the file. */
function checkAreas(word: (at: number) => number, fileBytes: number): void {
  const [records, recordsOffset, weightsOffset, weightsBytes] = [word(12), word(32), word(36), word(40)]
  const [cardOffset, cardBytes] = [word(44), word(48)]
  if (recordsOffset !== HEADER_BYTES) refuse('offset of the op records', recordsOffset, `expected ${HEADER_BYTES}`)
  if (weightsOffset !== weightsOffsetOf(records)) refuse('offset of the weights', weightsOffset, 'compile it again')
  if (cardOffset < weightsOffset + weightsBytes) refuse('offset of the card', cardOffset, 'compile it again')
  if (cardOffset + cardBytes !== fileBytes) refuse('end of the card', cardOffset + cardBytes, `expected ${fileBytes}`)
  if (cardBytes > MAX_CARD_BYTES) refuse('bytes of the card', cardBytes, `use at most ${MAX_CARD_BYTES}`)
  for (const at of [84, 88, 92]) if (word(at) !== 0) refuse(`header at ${at}`, word(at), 'expected 0')
}

function decodeRecord(word: (at: number) => number, at: number, i: number): OpRecord {
  const field = (n: number) => word(at + 4 * n)
  const kind = KIND_NAMES.get(field(0) & 0xffff)
  if (kind === undefined) refuse(`record ${i}: unknown kind`, field(0) & 0xffff, 'update the library or compile again')
  return {
    task: {
      kind: kind!,
      steps: field(1),
      positions: field(12) & 0xffff,
      channels: field(12) >>> 16,
      resultPositions: field(13) & 0xffff,
      resultChannels: field(13) >>> 16,
      parameters: [field(14), field(15)],
    },
    format: field(0) >>> 16,
    lag: field(2),
    inputs: [field(3), field(4)],
    result: field(5),
    state: field(6),
    weights: [field(7), field(8), field(9), field(10)],
    temporary: field(11),
  }
}

function decodeCard(bytes: Uint8Array): Card {
  let card: unknown
  try {
    card = JSON.parse(decodeUtf8(bytes) ?? '')
  } catch {
    card = undefined
  }
  if (typeof card !== 'object' || card === null || Array.isArray(card))
    refuse('card is no JSON object', `${bytes.length} bytes`, 'compile it again')
  return card as Card
}

function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}
