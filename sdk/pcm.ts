// Sample formats, little-endian. In: bytes. Out: f32 in -1..1, and back: rounded to the nearest step, clipped at full
// scale. u8, s16, s24 and G.711 survive the way there and back to the bit.

import { fail } from './errors.ts'
import { checkKind } from './kinds.ts'

/** Sample formats that are read and written, by name. */
export const SAMPLE_FORMATS = ['u8', 's16', 's24', 's32', 'f32', 'f64', 'mulaw', 'alaw'] as const
/** One of `SAMPLE_FORMATS`. */
export type SampleFormat = (typeof SAMPLE_FORMATS)[number]

interface Codec {
  /** Per sample. */
  readonly bytes: number
  read(view: DataView, at: number): number
  write(view: DataView, at: number, value: number): void
}

const CODECS: Record<SampleFormat, Codec> = {
  u8: {
    bytes: 1,
    read: (view, at) => (view.getUint8(at) - 128) / 128,
    write: (view, at, value) => view.setUint8(at, 128 + quantise(value, 8)),
  },
  s16: {
    bytes: 2,
    read: (view, at) => view.getInt16(at, true) / 2 ** 15,
    write: (view, at, value) => view.setInt16(at, quantise(value, 16), true),
  },
  s24: {
    bytes: 3,
    read: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) / 2 ** 23,
    write: (view, at, value) => {
      const step = quantise(value, 24)
      view.setUint16(at, step & 0xffff, true)
      view.setInt8(at + 2, step >> 16)
    },
  },
  s32: {
    bytes: 4,
    read: (view, at) => view.getInt32(at, true) / 2 ** 31,
    write: (view, at, value) => view.setInt32(at, quantise(value, 32), true),
  },
  f32: {
    bytes: 4,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  f64: {
    bytes: 8,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
  mulaw: {
    bytes: 1,
    read: (view, at) => expandMulaw(view.getUint8(at)) / 2 ** 15,
    write: (view, at, value) => view.setUint8(at, compressMulaw(quantise(value, 16))),
  },
  alaw: {
    bytes: 1,
    read: (view, at) => expandAlaw(view.getUint8(at)) / 2 ** 15,
    write: (view, at, value) => view.setUint8(at, compressAlaw(quantise(value, 16))),
  },
}

/** Bytes of one sample. Throws FORMAT_UNSUPPORTED, as the two below. */
export function sampleBytes(format: SampleFormat): number {
  return codecOf(format).bytes
}

/** Fills `out` from the first bytes; allocates one view. */
export function decodeSamples(format: SampleFormat, bytes: Uint8Array, out: Float32Array): void {
  const { bytes: size, read } = codecOf(format)
  checkKind('bytes', bytes, 'bytes')
  checkKind('out', out, 'samples')
  const needed = out.length * size
  if (bytes.length < needed) fail('OPTION_INVALID', 'bytes are too few', bytes.length, `give ${needed}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let i = 0; i < out.length; i++) out[i] = read(view, i * size)
}

/** Writes the first `count` samples; allocates one view. */
export function encodeSamples(format: SampleFormat, samples: Float32Array, count: number, out: Uint8Array): void {
  const { bytes: size, write } = codecOf(format)
  checkKind('samples', samples, 'samples')
  checkKind('out', out, 'bytes')
  if (!Number.isInteger(count) || count < 0 || count > samples.length)
    fail('OPTION_INVALID', 'count of samples', count, `use 0..${samples.length}`)
  const needed = count * size
  if (out.length < needed) fail('OPTION_INVALID', 'out is too short', out.length, `give ${needed} bytes`)
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  for (let i = 0; i < count; i++) write(view, i * size, samples[i])
}

function codecOf(format: SampleFormat): Codec {
  if (!SAMPLE_FORMATS.includes(format))
    fail('FORMAT_UNSUPPORTED', 'sample format', format, `use one of ${SAMPLE_FORMATS.join(', ')}`)
  return CODECS[format]
}

function quantise(value: number, bits: number): number {
  const scale = 2 ** (bits - 1)
  const step = Math.round(value * scale)
  return step >= scale ? scale - 1 : step < -scale ? -scale : step || 0 // NaN is silence
}

// G.711: a code is sign, three bits of exponent and four of mantissa, kept inverted on the line. The decision values are
// those of the recommendation, on 14 bits (mu-law) and 13 bits (A-law), scaled here to 16.

const MULAW_BIAS = 132 // 33 on 14 bits
const MULAW_CLIP = 32635

function expandMulaw(code: number): number {
  const inverted = ~code & 0xff
  const size = ((((inverted & 15) << 3) + MULAW_BIAS) << ((inverted >> 4) & 7)) - MULAW_BIAS
  return inverted & 0x80 ? -size : size
}

function compressMulaw(step: number): number {
  const size = Math.min(Math.abs(step), MULAW_CLIP) + MULAW_BIAS
  const exponent = 24 - Math.clz32(size) // 132..32767 -> 0..7
  const mantissa = (size >> (exponent + 3)) & 15
  return ~((step < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff
}

const ALAW_TOGGLE = 0x55

function expandAlaw(code: number): number {
  const bits = code ^ ALAW_TOGGLE
  const exponent = (bits >> 4) & 7
  const mantissa = ((bits & 15) << 4) + 8
  const size = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1)
  return bits & 0x80 ? size : -size
}

function compressAlaw(step: number): number {
  const size = Math.min(step < 0 ? ~step : step, 32767) >> 4
  const exponent = Math.max(0, 28 - Math.clz32(size))
  const mantissa = exponent === 0 ? size : (size >> (exponent - 1)) & 15
  return ((step < 0 ? 0 : 0x80) | (exponent << 4) | (mantissa & 15)) ^ ALAW_TOGGLE
}
