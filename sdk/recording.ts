// A flight recording as bytes: up to two stretches of a stream, each a snapshot and all that happened to the denoiser after
// it. In and out: `Recording`. Little-endian:
//
//   | 'ATNR' | version u32 | bytes u32 | channels u32 | input rate u32 | output rate u32 | stretches u32 | stretch ... | check u32 |
//   stretch: | snapshot bytes u32 | samples u32 | calls u32 | outputs u32 | output check u32 |
//            | calls: at u32, kind u32, value f64 ... | snapshot | samples f32 ... |
//
// Samples are what `process` was given, all channels; a call happened before the sample `at`. Both checks are CRC-32, the one
// of outputs over their f32 bytes.

import { fail } from './errors.ts'
import { crc32 } from './snapshot.ts'

const RECORDING_VERSION = 1
const MAGIC = 0x524e5441 // 'ATNR'
const HEADER_BYTES = 28
const STRETCH_BYTES = 20
const CALL_BYTES = 16
const CHECK_BYTES = 4
const MAX_STRETCHES = 2

/** What else than samples can happen to a stream. The order is part of the format. */
export const CALLS = ['conceal', 'advance', 'flush', 'reset', 'strengthDb', 'comfortNoiseDb'] as const
/** One of `CALLS`. */
export type CallKind = (typeof CALLS)[number]

/** One call. */
export interface Call {
  readonly kind: CallKind
  /** Its argument: samples, hops, dB, or 0. */
  readonly value: number
  /** Samples of the stretch (all channels) before it. */
  readonly at: number
}

/** A snapshot and what came after it. */
export interface Stretch {
  readonly snapshot: Uint8Array
  /** As given to `process`, channels interleaved. */
  readonly samples: Float32Array
  readonly calls: readonly Call[]
  /** Samples that came out, all channels, and the CRC-32 of their bytes. */
  readonly outputs: number
  readonly outputCheck: number
}

/** The last seconds of a stream. */
export interface Recording {
  readonly channels: number
  readonly inputRate: number
  readonly outputRate: number
  /** One after the other, one or two. */
  readonly stretches: readonly Stretch[]
}

export function encodeRecording({ channels, inputRate, outputRate, stretches }: Recording): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + stretches.reduce((sum, each) => sum + bytesOf(each), 0) + CHECK_BYTES)
  const view = new DataView(bytes.buffer)
  const header = [MAGIC, RECORDING_VERSION, bytes.length, channels, inputRate, outputRate, stretches.length]
  for (const [i, word] of header.entries()) view.setUint32(4 * i, word, true)
  let at = HEADER_BYTES
  for (const stretch of stretches) at = putStretch(view, at, stretch)
  view.setUint32(at, crc32(bytes.subarray(0, at)), true)
  return bytes
}

function bytesOf({ snapshot, samples, calls }: Stretch): number {
  return STRETCH_BYTES + CALL_BYTES * calls.length + snapshot.length + samples.byteLength
}

function putStretch(view: DataView, from: number, stretch: Stretch): number {
  const { snapshot, samples, calls, outputs, outputCheck } = stretch
  const bytes = new Uint8Array(view.buffer)
  let at = from
  for (const word of [snapshot.length, samples.length, calls.length, outputs, outputCheck]) {
    view.setUint32(at, word, true)
    at += 4
  }
  for (const call of calls) {
    view.setUint32(at, call.at, true)
    view.setUint32(at + 4, CALLS.indexOf(call.kind), true)
    view.setFloat64(at + 8, call.value, true)
    at += CALL_BYTES
  }
  bytes.set(snapshot, at)
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), at + snapshot.length)
  return at + snapshot.length + samples.byteLength
}

/** Throws STATE_INVALID on what `encodeRecording` cannot have written. */
export function decodeRecording(bytes: Uint8Array): Recording {
  if (bytes.length < HEADER_BYTES + CHECK_BYTES) refuse('shorter than its header', `${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [magic, version, length, channels, inputRate, outputRate, count] = words(view, 0, 7)
  if (magic !== MAGIC) refuse('not a recording: magic', `0x${magic.toString(16)}`)
  if (version !== RECORDING_VERSION) refuse('version', version)
  if (length !== bytes.length) refuse('length', `${bytes.length} of ${length} bytes`)
  const end = bytes.length - CHECK_BYTES
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end))) refuse('check sum', view.getUint32(end, true))
  if (count < 1 || count > MAX_STRETCHES) refuse('stretches', count)
  const stretches: Stretch[] = []
  let at = HEADER_BYTES
  for (let i = 0; i < count; i++) {
    const stretch = takeStretch(bytes, view, at, end)
    stretches.push(stretch)
    at += bytesOf(stretch)
  }
  if (at !== end) refuse('bytes left over', end - at)
  return { channels, inputRate, outputRate, stretches }
}

function takeStretch(bytes: Uint8Array, view: DataView, from: number, end: number): Stretch {
  if (from + STRETCH_BYTES > end) refuse('bytes missing', from + STRETCH_BYTES - end)
  const [snapshotBytes, samples, calls, outputs, outputCheck] = words(view, from, 5)
  const callsAt = from + STRETCH_BYTES
  const snapshotAt = callsAt + CALL_BYTES * calls
  const samplesAt = snapshotAt + snapshotBytes
  const stop = samplesAt + 4 * samples
  if (stop > end) refuse('bytes missing', stop - end)
  return {
    snapshot: new Uint8Array(bytes.subarray(snapshotAt, samplesAt)),
    samples: new Float32Array(new Uint8Array(bytes.subarray(samplesAt, stop)).buffer),
    calls: Array.from({ length: calls }, (_, i) => takeCall(view, callsAt + CALL_BYTES * i, samples)),
    outputs,
    outputCheck,
  }
}

function takeCall(view: DataView, from: number, samples: number): Call {
  const [at, kind] = words(view, from, 2)
  if (kind >= CALLS.length) refuse('call', kind)
  if (at > samples) refuse('place of a call', at)
  return { at, kind: CALLS[kind], value: view.getFloat64(from + 8, true) }
}

function words(view: DataView, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => view.getUint32(from + 4 * i, true))
}

function refuse(what: string, value: unknown): never {
  return fail('STATE_INVALID', `recording: ${what}`, value, 'take another recording; this one is damaged')
}
