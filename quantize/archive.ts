// The zip container of a PyTorch checkpoint. In: untrusted bytes. Out: its entries by name, as views into the file.
// Stored entries only (torch.save never compresses), none over another, so nothing can unfold: all entries together are
// no longer than the file. Sizes come from the central directory (PKWARE APPNOTE 4.3); checksums are verified.

import { fail } from './errors.ts'
import { decodeUtf8 } from './text.ts'

const END_SIGNATURE = 0x06054b50
const CENTRAL_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const MAX_COMMENT_BYTES = 65535

/** Where the data of an entry lies in the file. */
interface Span {
  readonly name: string
  /** Of the local header before it. */
  readonly local: number
  readonly begin: number
  readonly end: number
  readonly crc: number
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}

export function readArchive(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = findEnd(view)
  const count = view.getUint16(end + 10, true)
  const start = view.getUint32(end + 16, true)
  if (count === 0xffff || start === 0xffffffff) refuse('archive uses zip64', `${count} entries`, 'split the checkpoint')
  const spans: Span[] = []
  let at = start
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL_SIGNATURE)
      refuse(`directory entry ${i} is broken`, at)
    const nameBytes = view.getUint16(at + 28, true)
    const next = at + CENTRAL_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (next > end) refuse(`directory entry ${i} is cut short`, next)
    const name = decodeUtf8(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes))
    if (name === undefined) refuse(`name of entry ${i} is not UTF-8`, `${nameBytes} bytes`)
    spans.push(locate(view, at, name as string))
    at = next
  }
  checkLayout(spans, start)
  return readAll(bytes, spans)
}

function refuse(what: string, value: unknown, remedy = 'save the checkpoint again'): never {
  return fail('ZIP_INVALID', what, value, remedy)
}

function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - END_BYTES - MAX_COMMENT_BYTES)
  for (let at = view.byteLength - END_BYTES; at >= lowest; at--) {
    if (
      view.getUint32(at, true) === END_SIGNATURE &&
      at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength
    )
      return at
  }
  return refuse('archive has no end record', `${view.byteLength} bytes`)
}

/** From the directory entry at `at` and the local header it points at. */
function locate(view: DataView, at: number, name: string): Span {
  const method = view.getUint16(at + 10, true)
  const stored = view.getUint32(at + 20, true)
  const size = view.getUint32(at + 24, true)
  const local = view.getUint32(at + 42, true)
  if (view.getUint16(at + 8, true) & 1) refuse(`entry ${name} is encrypted`, 'flag 1')
  if (method !== 0) refuse(`entry ${name} is compressed`, `method ${method}`, 'save it with torch.save')
  if (stored !== size || size === 0xffffffff) refuse(`entry ${name}: sizes`, [stored, size])
  if (local + LOCAL_BYTES > view.byteLength || view.getUint32(local, true) !== LOCAL_SIGNATURE)
    refuse(`entry ${name}: local header`, local)
  const begin = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  return { name, local, begin, end: begin + size, crc: view.getUint32(at + 16, true) }
}

/** One after the other before the directory: many names for the same bytes would be a bomb. */
function checkLayout(spans: readonly Span[], directory: number): void {
  const sorted = [...spans].sort((a, b) => a.local - b.local)
  for (const [i, { name, end }] of sorted.entries()) {
    const next = sorted[i + 1]
    if (end > directory) refuse(`entry ${name} reaches into the directory`, end)
    if (next !== undefined && end > next.local) refuse(`entry ${name} lies over entry ${next.name}`, end)
  }
}

function readAll(bytes: Uint8Array, spans: readonly Span[]): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>()
  for (const { name, begin, end, crc } of spans) {
    if (entries.has(name)) refuse('two entries of one name', name)
    const data = bytes.subarray(begin, end)
    const found = checksum(data)
    if (found !== crc) refuse(`entry ${name}: checksum`, found, 'fetch it again')
    entries.set(name, data)
  }
  return entries
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let c = byte
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  return c
})

/** CRC-32 as zip has it. */
export function checksum(data: Uint8Array): number {
  let c = -1
  for (const byte of data) c = (c >>> 8) ^ CRC_TABLE[(c ^ byte) & 255]
  return ~c >>> 0
}
