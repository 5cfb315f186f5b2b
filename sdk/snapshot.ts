// A stream frozen into bytes. In and out: fields in a fixed order, little-endian; each part of the denoiser writes and reads
// its own (`save`, `load`). The frame around them binds a snapshot to its model and to the arithmetic that made it:
//
//   | 'ATNS' | version u32 | bytes u32 | numeric version u32 | model SHA-256 (32) | fields ... | check u32 |
//
// The check is CRC-32 (ISO-HDLC, polynomial 0xEDB88320) over all before it: against damage, not against malice, for which
// every `load` bounds what it reads.

import { AttenuateError, fail } from './errors.ts'
import { checkKind } from './kinds.ts'

const SNAPSHOT_VERSION = 2
const MAGIC = 0x534e5441 // 'ATNS'
const HASH_BYTES = 32
const HEADER_BYTES = 16 + HASH_BYTES
const CHECK_BYTES = 4
/** No state of an input of at most 65536 (range.ts) comes near it; its square still has room in f32. */
const LARGEST_VALUE = 1e12

/** What a snapshot belongs to. */
export interface SnapshotOwner {
  /** Of the model file, hexadecimal. */
  readonly sha256: string
  /** Of the core: other arithmetic gives other bits (assembly/index.ts). */
  readonly numericVersion: number
}

/** What has a state of its own. `load` throws STATE_INVALID on values that `save` cannot have written. */
export interface Stateful {
  save(to: SnapshotWriter): void
  load(from: SnapshotReader): void
}

export class SnapshotWriter {
  #bytes = new Uint8Array(16384)
  #view = new DataView(this.#bytes.buffer)
  #at = HEADER_BYTES

  u32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  /** Of a length the reader knows. */
  f32s(values: Float32Array): void {
    this.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  /** Of a length the reader knows. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /**
   * Whole words, of a length the reader knows, many of them zero (padding, what was never used): a bit for each that is not,
   * then those.
   */
  words(bytes: Uint8Array): void {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    const marks = new Uint8Array(Math.ceil(words.length / 8))
    for (let i = 0; i < words.length; i++) if (words[i] !== 0) marks[i >> 3] |= 1 << (i & 7)
    this.bytes(marks)
    for (const word of words) if (word !== 0) this.u32(word)
  }

  /** The whole snapshot; the writer is done with. */
  seal({ sha256, numericVersion }: SnapshotOwner): Uint8Array {
    this.#reserve(CHECK_BYTES)
    const header = [MAGIC, SNAPSHOT_VERSION, this.#at + CHECK_BYTES, numericVersion]
    for (const [i, word] of header.entries()) this.#view.setUint32(4 * i, word, true)
    for (let i = 0; i < HASH_BYTES; i++) this.#bytes[16 + i] = Number.parseInt(sha256.slice(2 * i, 2 * i + 2), 16)
    this.#view.setUint32(this.#at, crc32(this.#bytes.subarray(0, this.#at)), true)
    return this.#bytes.slice(0, this.#at + CHECK_BYTES)
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + bytes))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

export class SnapshotReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = HEADER_BYTES
  readonly #end: number

  /** Checks the frame; every refusal is a STATE_INVALID that says why. */
  constructor(bytes: Uint8Array, owner: SnapshotOwner) {
    checkFrame(bytes, owner)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.length - CHECK_BYTES
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  /** An integer in `from..to`, else STATE_INVALID. */
  count(what: string, to: number, from = 0): number {
    const value = this.u32()
    return value >= from && value <= to ? value : refuse(what, value)
  }

  f64(what: string): number {
    const value = this.#view.getFloat64(this.#take(8), true)
    return Number.isFinite(value) ? value : refuse(what, value)
  }

  /** A number in 0..1. */
  share(what: string): number {
    const value = this.f64(what)
    return value >= 0 && value <= 1 ? value : refuse(what, value)
  }

  /** A number of at most a size. */
  bounded(what: string, size: number): number {
    const value = this.f64(what)
    return Math.abs(value) <= size ? value : refuse(what, value)
  }

  /** A finite number, zero or more. */
  power(what: string): number {
    const value = this.f64(what)
    return value >= 0 ? value : refuse(what, value)
  }

  /** A non-negative whole number, such as samples since the beginning. */
  total(what: string): number {
    const value = this.f64(what)
    return Number.isSafeInteger(value) && value >= 0 ? value : refuse(what, value)
  }

  /** Fills `values`, all of them of a possible size. */
  f32s(values: Float32Array): void {
    const bytes = this.bytes(values.byteLength)
    this.expectBounded(bytes, 0)
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes)
  }

  bytes(count: number): Uint8Array {
    const at = this.#take(count)
    return this.#bytes.subarray(at, at + count)
  }

  /** As `SnapshotWriter.words` wrote them: `count` bytes. */
  words(count: number): Uint8Array {
    const words = new Uint32Array(count / 4)
    const marks = this.bytes(Math.ceil(words.length / 8))
    for (let i = 0; i < words.length; i++) if (marks[i >> 3] & (1 << (i & 7))) words[i] = this.u32()
    return new Uint8Array(words.buffer)
  }

  /** Every f32 of `bytes` from an offset on; what is no number, or becomes none when squared, would stay in the state for ever. */
  expectBounded(bytes: Uint8Array, from: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = from; at < bytes.length; at += 4) {
      const value = view.getFloat32(at, true)
      if (!(Math.abs(value) <= LARGEST_VALUE)) refuse('value', value)
    }
  }

  /** Throws STATE_INVALID. */
  refuse(what: string, value: unknown): never {
    return refuse(what, value)
  }

  /** Nothing may be left over. */
  end(): void {
    if (this.#at !== this.#end) refuse('bytes left over', this.#end - this.#at)
  }

  #take(bytes: number): number {
    const at = this.#at
    if (at + bytes > this.#end) refuse('bytes missing', at + bytes - this.#end)
    this.#at = at + bytes
    return at
  }
}

function checkFrame(bytes: Uint8Array, { sha256, numericVersion }: SnapshotOwner): void {
  checkSnapshot(bytes)
  if (bytes.length < HEADER_BYTES + CHECK_BYTES) refuse('shorter than its header', `${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const word = (at: number) => view.getUint32(at, true)
  if (word(0) !== MAGIC) refuse('not a snapshot: magic', `0x${word(0).toString(16)}`)
  if (word(4) !== SNAPSHOT_VERSION) refuse('version', word(4))
  if (word(8) !== bytes.length) refuse('length', `${bytes.length} of ${word(8)} bytes`)
  const check = bytes.length - CHECK_BYTES
  if (word(check) !== crc32(bytes.subarray(0, check))) refuse('check sum', `0x${word(check).toString(16)}`)
  const hash = hexOf(bytes.subarray(16, 16 + HASH_BYTES))
  if (hash !== sha256) throw foreign('of another model', hash.slice(0, 16), 'restore it with the model that made it')
  if (word(12) !== numericVersion)
    throw foreign('of other arithmetic: numeric version', word(12), 'restore it with the core that made it')
}

/** Which model a snapshot needs: the SHA-256, hexadecimal. For those who keep several. */
export function modelOfSnapshot(bytes: Uint8Array): string {
  checkSnapshot(bytes)
  if (bytes.length < HEADER_BYTES) refuse('shorter than its header', `${bytes.length} bytes`)
  return hexOf(bytes.subarray(16, HEADER_BYTES))
}

/** What a snapshot belongs to, for a larger one that it becomes part of. */
export function ownerOfSnapshot(bytes: Uint8Array): SnapshotOwner {
  const sha256 = modelOfSnapshot(bytes)
  return { sha256, numericVersion: new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true) }
}

/** The first fields, unchecked: for those who build a stream that fits. */
export function wordsOfSnapshot(bytes: Uint8Array, count: number): number[] {
  if (bytes.length < HEADER_BYTES + 4 * count) refuse('shorter than its header', `${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, i) => view.getUint32(HEADER_BYTES + 4 * i, true))
}

function checkSnapshot(bytes: Uint8Array): void {
  checkKind('snapshot', bytes, 'bytes', 'give the bytes of snapshot()')
}

function foreign(what: string, value: unknown, remedy: string): AttenuateError {
  return new AttenuateError('STATE_INVALID', `snapshot ${what}`, value, remedy)
}

export function refuse(what: string, value: unknown): never {
  return fail('STATE_INVALID', `snapshot: ${what}`, value, 'take another snapshot; this one is damaged')
}

function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  return c
})

export function crc32(bytes: Uint8Array): number {
  const check = new Crc32()
  check.take(bytes)
  return check.value
}

/** CRC-32 of bytes that come in pieces. */
export class Crc32 {
  #state = -1

  get value(): number {
    return ~this.#state >>> 0
  }

  reset(): void {
    this.#state = -1
  }

  take(bytes: Uint8Array): void {
    let c = this.#state
    for (let i = 0; i < bytes.length; i++) c = CRC_TABLE[(c ^ bytes[i]) & 255] ^ (c >>> 8)
    this.#state = c
  }

  /** The bytes of the first `count` values; allocates nothing. */
  takeFloats(values: Float32Array, count: number): void {
    let c = this.#state
    for (let i = 0; i < count; i++) {
      FLOAT[0] = values[i]
      for (let k = 0; k < 4; k++) c = CRC_TABLE[(c ^ FLOAT_BYTES[k]) & 255] ^ (c >>> 8)
    }
    this.#state = c
  }
}

const FLOAT = new Float32Array(1)
const FLOAT_BYTES = new Uint8Array(FLOAT.buffer)
