// Zip archives with one thing or more wrong: fields of the three kinds of header, entries that lie over one another,
// compressed ones, names, counts. In: random numbers. Out: bytes for quantize/archive.ts.

import { deflateRawSync } from 'node:zlib'
import { checksum, readArchive } from '../../quantize/archive.ts'
import { ascii, u16, u32 } from '../../quantize/specimens.pytorch.ts'
import type { Random } from '../../quantize/specimens.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, damage, disturb, drawSize, happens, joined } from './mutation.ts'

interface Entry {
  name: number[]
  localName: number[]
  extra: number[]
  comment: number[]
  data: Uint8Array
  flags: number
  method: number
  crc: number
  stored: number
  size: number
  /** Whose local header its directory entry points at. */
  target: number
  /** And how far beside it. */
  shift: number
}

interface Archive {
  entries: Entry[]
  count: number
  directoryShift: number
  comment: number[]
  tail: number[]
}

const NAMES = [
  'a/data.pkl',
  'a/byteorder',
  'a/data/0',
  'a/data/1',
  '',
  '..',
  '/etc/passwd',
  '__proto__',
  'a'.repeat(300),
]

export const zip: Target = {
  name: 'zip',
  codes: ['ZIP_INVALID'],
  draw(random) {
    const archive = drawArchive(random)
    for (let n = below(random, 4); n > 0; n--) choose(random, MUTATIONS)(random, archive)
    const bytes = encode(archive)
    return happens(random, 0.3) ? damage(random, bytes) : bytes
  },
  parse(bytes) {
    const entries = [...readArchive(bytes).values()]
    promise(
      entries.every((data) => data.buffer === bytes.buffer),
      'entries are views into the file',
    )
    const total = entries.reduce((sum, data) => sum + data.length, 0)
    promise(total <= bytes.length, `entries hold no more than the file: ${total} of ${bytes.length} bytes`)
  },
}

function drawArchive(random: Random): Archive {
  const entries = Array.from({ length: drawSize(random, 9) }, (_, i) => drawEntry(random, i))
  return { entries, count: entries.length, directoryShift: 0, comment: [], tail: [] }
}

function drawEntry(random: Random, target: number): Entry {
  const data = Uint8Array.from({ length: drawSize(random, 2000) }, () => below(random, 256))
  const name = ascii(happens(random, 0.2) ? choose(random, NAMES) : `a/data/${target}`)
  const sizes = { crc: checksum(data), stored: data.length, size: data.length }
  return { name, localName: name, extra: [], comment: [], data, flags: 0x800, method: 0, ...sizes, target, shift: 0 }
}

type Mutation = (random: Random, archive: Archive) => void

const MUTATIONS: readonly Mutation[] = [
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      const field = choose(random, ['flags', 'method', 'crc', 'stored', 'size'] as const)
      entry[field] = disturb(random, entry[field])
    }),
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      entry.shift = choose(random, [-30, -1, 1, 4, 30, 2 ** 31])
    }),
  // sizes that agree with one another but not with the file
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      entry.size = disturb(random, entry.size)
      entry.stored = entry.size
    }),
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      entry.name = Array.from({ length: drawSize(random, 1000) }, () => below(random, 256))
    }),
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      entry.extra = Array.from({ length: drawSize(random, 3000) }, () => below(random, 256))
      entry.comment = ascii('PK\x05\x06'.repeat(drawSize(random, 20)))
    }),
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      entry.name = choose(random, archive.entries).name
    }),
  // a bomb of the usual kind: megabytes of zeros deflated
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      const size = 1 << below(random, 21)
      entry.data = new Uint8Array(deflateRawSync(new Uint8Array(size)))
      Object.assign(entry, { method: 8, stored: entry.data.length, size, crc: 0 })
    }),
  // a bomb of the other kind: many names for the same bytes
  (random, archive) =>
    onEntry(random, archive, (entry) => {
      if (happens(random, 0.2)) {
        entry.data = new Uint8Array(below(random, 200_000))
        Object.assign(entry, { crc: checksum(entry.data), stored: entry.data.length, size: entry.data.length })
      }
      const copies = drawSize(random, 20_000)
      for (let i = 0; i < copies; i++) archive.entries.push({ ...entry, name: ascii(`a/${i}`) })
      archive.count = archive.entries.length
    }),
  (random, archive) => {
    archive.count = disturb(random, archive.count)
  },
  (random, archive) => {
    archive.directoryShift = choose(random, [-46, -4, -1, 1, 4, 46, 2 ** 31, -(2 ** 20)])
  },
  (random, archive) => {
    archive.comment = ascii('PK\x05\x06'.repeat(drawSize(random, 5000)))
  },
  (random, archive) => {
    archive.tail = ascii('PK\x05\x06'.repeat(drawSize(random, 500)))
  },
]

function onEntry(random: Random, { entries }: Archive, change: (entry: Entry) => void): void {
  if (entries.length > 0) change(choose(random, entries))
}

function encode({ entries, count, directoryShift, comment, tail }: Archive): Uint8Array {
  const parts: Uint8Array[] = []
  const starts: number[] = []
  let at = 0
  const put = (bytes: Uint8Array) => {
    parts.push(bytes)
    at += bytes.length
  }
  for (const [i, entry] of entries.entries()) {
    starts.push(at)
    // those of the same place share its bytes
    if (entry.target !== i) continue
    const { localName, extra, data } = entry
    put(
      Uint8Array.from([
        ...ascii('PK\x03\x04'),
        ...u16(20),
        ...sizesOf(entry),
        ...u16(localName.length),
        ...u16(extra.length),
        ...localName,
        ...extra,
      ]),
    )
    put(data)
  }
  const directory = at
  for (const entry of entries) {
    const { name, extra, comment: note, target, shift } = entry
    const place = Math.max(0, starts[target] + shift)
    const lengths = [...u16(name.length), ...u16(extra.length), ...u16(note.length), ...new Array(8).fill(0)]
    put(
      Uint8Array.from([
        ...ascii('PK\x01\x02'),
        ...u16(20),
        ...u16(20),
        ...sizesOf(entry),
        ...lengths,
        ...u32(place),
        ...name,
        ...extra,
        ...note,
      ]),
    )
  }
  const start = Math.max(0, directory + directoryShift)
  const end = [...ascii('PK\x05\x06'), ...u32(0), ...u16(count), ...u16(count), ...u32(at - directory), ...u32(start)]
  return joined(...parts, Uint8Array.from([...end, ...u16(comment.length), ...comment, ...tail]))
}

function sizesOf({ flags, method, crc, stored, size }: Entry): number[] {
  return [...u16(flags), ...u16(method), ...u32(0), ...u32(crc), ...u32(stored), ...u32(size)]
}
