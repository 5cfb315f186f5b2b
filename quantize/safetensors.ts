// The safetensors container. In: the bytes of a file. Out: tensors as f64 and the string metadata; and the way back.
// Layout: u64 header bytes, JSON header {name: {dtype, shape, data_offsets}}, data without gaps, little-endian.
// The file is untrusted: sizes are checked before anything is allocated for them.

import { fail } from './errors.ts'
import { countElements, type Tensor, type Tensors } from './tensor.ts'
import { decodeUtf8, encodeUtf8 } from './text.ts'

export interface Safetensors {
  readonly tensors: Tensors
  readonly metadata: Map<string, string>
}

export type Dtype = 'F64' | 'F32' | 'F16' | 'BF16'

const MAX_HEADER_BYTES = 16 << 20
const MAX_DIMENSIONS = 8
const ITEM_BYTES: Record<Dtype, number> = { F64: 8, F32: 4, F16: 2, BF16: 2 }

interface Entry {
  name: string
  dtype: Dtype
  shape: number[]
  begin: number
  end: number
}

export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, dataOffset } = readHeader(bytes)
  const data = bytes.subarray(dataOffset)
  const metadata = readMetadata(header)
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry, data.length))
  checkLayout(entries, data.length)
  const tensors: Tensors = new Map()
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { shape, data: decodeFloats(data.subarray(begin, end), dtype) })
  }
  return { tensors, metadata }
}

/** The bytes of a file; tensors are stored by ascending name, so equal content gives equal bytes. */
export function writeSafetensors(tensors: Tensors, metadata: Record<string, string> = {}, dtype: Dtype = 'F32') {
  const names = [...tensors.keys()].sort()
  const header: Record<string, unknown> = {}
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata
  let end = 0
  for (const name of names) {
    const { shape, data } = tensors.get(name)!
    const begin = end
    end += data.length * ITEM_BYTES[dtype]
    header[name] = { dtype, shape, data_offsets: [begin, end] }
  }
  let text = encodeUtf8(JSON.stringify(header))
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20)
  padded.set(text)
  text = padded
  const bytes = new Uint8Array(8 + text.length + end)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, text.length, true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const name of names) at = encodeFloats(view, at, tensors.get(name)!, dtype)
  return bytes
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataOffset: number } {
  const bad = (what: string, value: unknown): never => fail('SAFETENSORS_INVALID', what, value, 'write the file again')
  if (bytes.length < 8) bad('file shorter than its length field', `${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
  if (length > MAX_HEADER_BYTES) bad(`header larger than ${MAX_HEADER_BYTES} bytes`, `${length} bytes`)
  if (length > bytes.length - 8) bad('header longer than the file', `${length} of ${bytes.length - 8} bytes`)
  const text = decodeUtf8(bytes.subarray(8, 8 + length)) ?? bad('header is not UTF-8', `${length} bytes`)
  const header = parseJson(text) ?? bad('header is not JSON', text.slice(0, 40))
  if (typeof header !== 'object' || Array.isArray(header)) bad('header is not an object', text.slice(0, 40))
  return { header: header as Record<string, unknown>, dataOffset: 8 + length }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readMetadata(header: Record<string, unknown>): Map<string, string> {
  const metadata = new Map<string, string>()
  if (!Object.hasOwn(header, '__metadata__')) return metadata
  const value = header.__metadata__
  const refuse = (): never =>
    fail('SAFETENSORS_INVALID', '__metadata__ is not a map of strings', typeof value, 'write the file again')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse()
  for (const [key, text] of Object.entries(value as object))
    metadata.set(key, typeof text === 'string' ? text : refuse())
  return metadata
}

function readEntry(name: string, value: unknown, dataBytes: number): Entry {
  const bad = (what: string, got: unknown, remedy = 'write the file again'): never =>
    fail('SAFETENSORS_INVALID', `tensor ${name}: ${what}`, got, remedy)
  if (typeof value !== 'object' || value === null) bad('entry is not an object', typeof value)
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>
  if (typeof dtype !== 'string' || !Object.hasOwn(ITEM_BYTES, dtype)) {
    bad('number type not supported', dtype, 'store it as F64, F32, F16 or BF16')
  }
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS || !shape.every(isSize)) bad('shape is not valid', shape)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) bad('offsets are not valid', offsets)
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataBytes) bad(`data outside of the ${dataBytes} bytes present`, offsets)
  const needed = countElements(shape as number[]) * ITEM_BYTES[dtype as Dtype]
  if (end - begin !== needed) bad(`${shape} ${dtype} needs ${needed} bytes`, `${end - begin} bytes`)
  return { name, dtype: dtype as Dtype, shape: shape as number[], begin, end }
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Tensors must follow one another without overlap or gap, up to the end of the file. */
function checkLayout(entries: Entry[], dataBytes: number): void {
  let end = 0
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) {
      const what = entry.begin < end ? 'overlaps another tensor' : 'leaves a gap before it'
      fail('SAFETENSORS_INVALID', `tensor ${entry.name}: ${what}`, `offset ${entry.begin}`, `expected ${end}`)
    }
    end = entry.end
  }
  if (end !== dataBytes) fail('SAFETENSORS_INVALID', 'bytes after the last tensor', dataBytes - end, 'cut them off')
}

function decodeFloats(bytes: Uint8Array, dtype: Dtype): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const out = new Float64Array(bytes.length / ITEM_BYTES[dtype])
  for (let i = 0; i < out.length; i++) out[i] = READ[dtype](view, i)
  return out
}

const READ: Record<Dtype, (view: DataView, i: number) => number> = {
  F64: (view, i) => view.getFloat64(8 * i, true),
  F32: (view, i) => view.getFloat32(4 * i, true),
  F16: (view, i) => decodeHalf(view.getUint16(2 * i, true)),
  BF16: (view, i) => decodeBrain(view.getUint16(2 * i, true)),
}

/** IEEE 754 binary16. */
export function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

const word = new DataView(new ArrayBuffer(4))

/** bfloat16: the upper half of a binary32. */
export function decodeBrain(bits: number): number {
  word.setUint32(0, bits * 65536)
  return word.getFloat32(0)
}

function encodeFloats(view: DataView, at: number, { data }: Tensor, dtype: Dtype): number {
  const bytes = ITEM_BYTES[dtype]
  for (const value of data) {
    if (dtype === 'F64') view.setFloat64(at, value, true)
    else if (dtype === 'F32') view.setFloat32(at, value, true)
    else view.setUint16(at, dtype === 'F16' ? encodeHalf(value) : encodeBrain(value), true)
    at += bytes
  }
  return at
}

/** Nearest binary16, ties to even; beyond 65504 it becomes infinite. */
export function encodeHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(size)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-30)))
  // 1024 steps per octave; the division is exact, so roundEven sees the true tie
  const steps = roundEven(size / 2 ** (exponent - 10))
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps)
}

function encodeBrain(value: number): number {
  word.setFloat32(0, value)
  const bits = word.getUint32(0)
  if (Number.isNaN(value)) return 0x7fc0
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

function roundEven(value: number): number {
  const low = Math.floor(value)
  const rest = value - low
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low
}
