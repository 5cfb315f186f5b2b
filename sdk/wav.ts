// WAV files as streams: RIFF, RF64 and WAVE_FORMAT_EXTENSIBLE (Microsoft RIFF MCI; EBU Tech 3306). In: bytes in pieces of
// any length. Out: the format once it is known, then whole sample frames; and the header for the way back. Memory does
// not depend on the file: of the header at most one chunk is held, of the data at most one frame.

import { AttenuateError, fail } from './errors.ts'
import { checkKind } from './kinds.ts'
import type { SampleFormat } from './pcm.ts'
import { sampleBytes } from './pcm.ts'

/** What a WAV header says about its samples. */
export interface WavFormat {
  /** Of each sample. */
  readonly sampleFormat: SampleFormat
  /** Hz. */
  readonly sampleRate: number
  /** Interleaved. */
  readonly channels: number
  /** Speaker positions, only in EXTENSIBLE headers. */
  readonly channelMask?: number
}

/** Sizes that writers leave when they cannot know better. */
const UNKNOWN_BYTES = 0x7ffff000
const UNKNOWN_SIZE = 0xffffffff
const MAX_HEADER_CHUNK_BYTES = 1 << 16
const TAG = { pcm: 1, float: 3, alaw: 6, mulaw: 7, extensible: 0xfffe }
/** What follows the tag in the sub-format of EXTENSIBLE. */
const GUID_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]

type Stage = 'riff' | 'chunk' | 'ds64' | 'fmt ' | 'skip' | 'data' | 'rest'

const NOTHING = new Uint8Array(0)

/** A WAV file in pieces of any length: its format, then whole frames of samples. */
export class WavReader {
  /** Known once the data begins. */
  format: WavFormat | undefined
  /** As the header says; undefined where it does not know (streams). */
  frames: number | undefined
  #stage: Stage = 'riff'
  /** Bytes that this stage needs at once. */
  #need = 12
  /** Bytes of the current stage that arrived before the others. */
  #held: Uint8Array = NOTHING
  /** Of a chunk that is skipped, or of the data. */
  #left = 0
  #frameBytes = 0
  #bigDataBytes: number | undefined
  /** The whole file's size is a placeholder. */
  #isOpenForm = false

  /** Takes the next bytes; returns the sample frames among them (a view where possible). */
  push(bytes: Uint8Array): Uint8Array {
    checkKind('bytes', bytes, 'bytes')
    let rest = bytes
    while (rest.length > 0 && this.#stage !== 'data' && this.#stage !== 'rest') rest = this.#pushHeader(rest)
    return this.#stage === 'data' ? this.#pushData(rest) : NOTHING
  }

  /** The file has ended: fails if it ended before its data began. */
  end(): void {
    if (this.format === undefined)
      fail(
        'AUDIO_INVALID',
        'no samples: file ends in the WAV header',
        `${this.#held.length} bytes held`,
        'give a WAV file',
      )
  }

  #pushHeader(bytes: Uint8Array): Uint8Array {
    if (this.#stage === 'skip') {
      const some = Math.min(this.#left, bytes.length)
      this.#left -= some
      if (this.#left === 0) this.#expect('chunk', 8)
      return bytes.subarray(some)
    }
    const some = Math.min(this.#need - this.#held.length, bytes.length)
    const held = join(this.#held, bytes.subarray(0, some))
    this.#held = held
    if (held.length === this.#need) {
      this.#held = NOTHING
      this.#takePart(new DataView(held.buffer, held.byteOffset, held.length))
    }
    return bytes.subarray(some)
  }

  #expect(stage: Stage, need: number): void {
    this.#stage = stage
    this.#need = need
  }

  #takePart(part: DataView): void {
    if (this.#stage === 'riff') this.#takeRiff(part)
    else if (this.#stage === 'chunk') this.#takeChunkHead(idAt(part, 0), part.getUint32(4, true))
    else {
      if (this.#stage === 'ds64') this.#bigDataBytes = Number(part.getBigUint64(8, true))
      if (this.#stage === 'fmt ') this.#takeFormat(part)
      this.#expect('chunk', 8)
    }
  }

  #takeRiff(part: DataView): void {
    const [container, form] = [idAt(part, 0), idAt(part, 8)]
    if (container === 'RIFX')
      fail('FORMAT_UNSUPPORTED', 'big-endian WAV', container, 'convert it to a little-endian WAV file')
    if (!(container === 'RIFF' || container === 'RF64' || container === 'BW64') || form !== 'WAVE')
      fail('AUDIO_INVALID', 'not a WAV file: it begins with', `${container}....${form}`, 'convert it to WAV')
    this.#isOpenForm = part.getUint32(4, true) === 0 || part.getUint32(4, true) === UNKNOWN_SIZE
    this.#expect('chunk', 8)
  }

  #takeChunkHead(id: string, size: number): void {
    const padded = size + (size & 1)
    if (id === 'data') this.#beginData(size)
    else if (id === 'fmt ' || id === 'ds64') {
      checkHeaderChunk(id, size)
      this.#expect(id, padded)
    } else if (padded > 0) {
      this.#stage = 'skip'
      this.#left = padded
    } else this.#expect('chunk', 8)
  }

  #takeFormat(part: DataView): void {
    this.format = parseFormat(part)
    this.#frameBytes = this.format.channels * sampleBytes(this.format.sampleFormat)
  }

  #beginData(size: number): void {
    if (this.format === undefined)
      throw new AttenuateError('AUDIO_INVALID', 'WAV file has data before its fmt chunk', 'data', 'give an intact file')
    const isOpen = this.#bigDataBytes === undefined && (size === UNKNOWN_SIZE || (size === 0 && this.#isOpenForm))
    const bytes = size === UNKNOWN_SIZE && this.#bigDataBytes !== undefined ? this.#bigDataBytes : size
    this.#left = isOpen ? Number.POSITIVE_INFINITY : bytes
    // recorders that write to a pipe state some huge length: read that far, but promise nobody so many frames
    const isKnown = !isOpen && (bytes < UNKNOWN_BYTES || this.#bigDataBytes !== undefined)
    this.frames = isKnown ? Math.floor(bytes / this.#frameBytes) : undefined
    this.#stage = this.#left > 0 ? 'data' : 'rest'
  }

  #pushData(bytes: Uint8Array): Uint8Array {
    const mine = bytes.subarray(0, Math.min(bytes.length, this.#left))
    this.#left -= mine.length
    const all = this.#held.length === 0 ? mine : join(this.#held, mine)
    const whole = all.length - (all.length % this.#frameBytes)
    this.#held = new Uint8Array(all.subarray(whole))
    if (this.#left === 0) this.#stage = 'rest'
    return all.subarray(0, whole)
  }
}

function checkHeaderChunk(id: 'fmt ' | 'ds64', size: number): void {
  const least = id === 'fmt ' ? 16 : 24
  if (size < least || size > MAX_HEADER_CHUNK_BYTES)
    fail('AUDIO_INVALID', `size of the WAV file's ${id.trim()} chunk`, size, 'give an intact file')
}

function parseFormat(part: DataView): WavFormat {
  const stated = part.getUint16(0, true)
  const channels = part.getUint16(2, true)
  const sampleRate = part.getUint32(4, true)
  const frameBytes = part.getUint16(12, true)
  const bits = part.getUint16(14, true)
  if (channels === 0) fail('AUDIO_INVALID', 'channels of the WAV file', channels, 'give an intact file')
  if (sampleRate === 0) fail('AUDIO_INVALID', 'sample rate of the WAV file', sampleRate, 'give an intact file')
  const extended = stated === TAG.extensible ? parseExtension(part) : undefined
  const container = frameBytes / channels
  const sampleFormat = nameFormat(extended?.tag ?? stated, container)
  if (sampleFormat === undefined || bits > 8 * container)
    return fail('FORMAT_UNSUPPORTED', 'WAV encoding', `tag ${extended?.tag ?? stated}, ${bits} bits`, SUPPORTED)
  return { sampleFormat, sampleRate, channels, ...(extended && { channelMask: extended.channelMask }) }
}

const SUPPORTED = 'use PCM of 8 to 32 bits, float, mu-law or A-law'

function parseExtension(part: DataView): { tag: number; channelMask: number } {
  if (part.byteLength < 40)
    fail('AUDIO_INVALID', 'extensible fmt chunk is too short', part.byteLength, 'give an intact file')
  if (GUID_TAIL.some((byte, i) => part.getUint8(26 + i) !== byte))
    fail('FORMAT_UNSUPPORTED', 'WAV sub-format', `tag ${part.getUint16(24, true)} of another family`, SUPPORTED)
  return { tag: part.getUint16(24, true), channelMask: part.getUint32(20, true) }
}

function nameFormat(tag: number, containerBytes: number): SampleFormat | undefined {
  if (tag === TAG.pcm) return ([undefined, 'u8', 's16', 's24', 's32'] as const)[containerBytes]
  if (tag === TAG.float) return containerBytes === 4 ? 'f32' : containerBytes === 8 ? 'f64' : undefined
  if (containerBytes !== 1) return undefined
  return tag === TAG.mulaw ? 'mulaw' : tag === TAG.alaw ? 'alaw' : undefined
}

/**
 * The bytes before the samples. `dataBytes` undefined: a stream whose length nobody knows yet. With `growable` the header
 * has one length whatever `dataBytes` is, so that it can be written again when the end is known.
 */
export function encodeWavHeader(format: WavFormat, dataBytes: number | undefined, growable = false): Uint8Array {
  checkKind('format', format, 'object')
  if (dataBytes !== undefined && !(Number.isSafeInteger(dataBytes) && dataBytes >= 0))
    fail('OPTION_INVALID', 'dataBytes', dataBytes, 'give a whole number of bytes, or undefined')
  const { channels, sampleFormat, channelMask } = format
  const isExtensible = channels > 2 || channelMask !== undefined
  const isPcm = /^[us]/.test(sampleFormat)
  const formatBytes = isExtensible ? 40 : isPcm ? 16 : 18
  const factBytes = isPcm ? 0 : 12
  const total = (big: boolean) => 12 + (big ? 36 : 0) + 8 + formatBytes + factBytes + 8
  const isBig = dataBytes !== undefined && dataBytes + (dataBytes & 1) + total(true) - 8 >= UNKNOWN_SIZE
  const hasSpare = isBig || growable
  const bytes = new Uint8Array(total(hasSpare))
  const riffBytes = (dataBytes ?? 0) + ((dataBytes ?? 0) % 2) + bytes.length - 8
  const frames = (dataBytes ?? 0) / (channels * sampleBytes(sampleFormat))
  const small = (value: number) => (dataBytes === undefined || isBig ? UNKNOWN_SIZE : value)
  const put = new Cursor(bytes)
  put
    .id(isBig ? 'RF64' : 'RIFF')
    .u32(small(riffBytes))
    .id('WAVE')
  if (hasSpare) {
    put.id(isBig ? 'ds64' : 'JUNK').u32(28)
    if (isBig) put.u64(riffBytes).u64(dataBytes!).u64(frames).u32(0)
    else put.skip(28)
  }
  putFormat(put.id('fmt ').u32(formatBytes), format, isExtensible, formatBytes)
  if (!isPcm) put.id('fact').u32(4).u32(small(frames))
  put.id('data').u32(small(dataBytes ?? 0))
  return bytes
}

function putFormat(put: Cursor, format: WavFormat, isExtensible: boolean, formatBytes: number): void {
  const { channels, sampleRate, sampleFormat, channelMask } = format
  const size = sampleBytes(sampleFormat)
  const tag = /^f/.test(sampleFormat)
    ? TAG.float
    : sampleFormat === 'mulaw' || sampleFormat === 'alaw'
      ? TAG[sampleFormat]
      : TAG.pcm
  put
    .u16(isExtensible ? TAG.extensible : tag)
    .u16(channels)
    .u32(sampleRate)
  put
    .u32(sampleRate * channels * size)
    .u16(channels * size)
    .u16(8 * size)
  if (formatBytes > 16) put.u16(formatBytes - 18)
  if (!isExtensible) return
  put
    .u16(8 * size)
    .u32(channelMask ?? 0)
    .u16(tag)
  for (const byte of GUID_TAIL) put.u8(byte)
}

/** Writes fields one after the other, little-endian. */
class Cursor {
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  id(text: string): this {
    for (const letter of text) this.u8(letter.charCodeAt(0))
    return this
  }

  u8(value: number): this {
    this.#view.setUint8(this.#at, value)
    return this.skip(1)
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true)
    return this.skip(2)
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value, true)
    return this.skip(4)
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#at, BigInt(value), true)
    return this.skip(8)
  }

  skip(bytes: number): this {
    this.#at += bytes
    return this
  }
}

function idAt(part: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => part.getUint8(at + i)))
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
