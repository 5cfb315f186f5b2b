// The zip container of a PyTorch checkpoint. In: untrusted bytes. Out: its entries by name, as views into the file.
// Stored entries only (torch.save never compresses), so nothing can unfold; sizes come from the central directory
// (PKWARE APPNOTE 4.3) and checksums are verified.

import { fail } from './errors.ts'
import { decodeUtf8 } from './text.ts'

const END_SIGNATURE = 0x06054b50
const CENTRAL_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const MAX_COMMENT_BYTES = 65535

export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}

export function readArchive(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = findEnd(view)
  const count = view.getUint16(end + 10, true)
  const start = view.getUint32(end + 16, true)
  if (count === 0xffff || start === 0xffffffff) refuse('archive uses zip64', `${count} entries`, 'split the checkpoint')
  const entries = new Map<string, Uint8Array>()
  let at = start
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL_SIGNATURE)
      refuse(`directory entry ${i} is broken`, at)
    const nameBytes = view.getUint16(at + 28, true)
    const next = at + CENTRAL_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (next > end) refuse(`directory entry ${i} is cut short`, next)
    const name = decodeUtf8(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes))
    if (name === undefined) refuse(`name of entry ${i} is not UTF-8`, `${nameBytes} bytes`)
    if (entries.has(name!)) refuse('two entries of one name', name)
    entries.set(name!, readEntry(bytes, view, at, name!))
    at = next
  }
  return entries
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

function readEntry(bytes: Uint8Array, view: DataView, at: number, name: string): Uint8Array {
  const method = view.getUint16(at + 10, true)
  const stored = view.getUint32(at + 20, true)
  const size = view.getUint32(at + 24, true)
  const local = view.getUint32(at + 42, true)
  if (view.getUint16(at + 8, true) & 1) refuse(`entry ${name} is encrypted`, 'flag 1')
  if (method !== 0) refuse(`entry ${name} is compressed`, `method ${method}`, 'save it with torch.save')
  if (stored !== size || size === 0xffffffff) refuse(`entry ${name}: sizes`, [stored, size])
  if (local + LOCAL_BYTES > bytes.length || view.getUint32(local, true) !== LOCAL_SIGNATURE) {
    refuse(`entry ${name}: local header`, local)
  }
  const begin = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  if (begin + size > bytes.length) refuse(`entry ${name} reaches beyond the file`, begin + size)
  const data = bytes.subarray(begin, begin + size)
  if (checksum(data) !== view.getUint32(at + 16, true))
    refuse(`entry ${name}: checksum`, checksum(data), 'fetch it again')
  return data
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
