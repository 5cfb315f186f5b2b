// What a sensor sends: one block of 64 samples (16 ms) with its place in the stream. 36 bytes, 18 kbit/s:
//
//   | 0: format | 1: gain | 2, 3: sequence number, low byte first, wraps at 65536 | 4..35: nibbles |
//
// format: version 1 in the high four bits; bit 0: linear instead of mu-law; bit 1: high nibble first; bits 2, 3 zero.

import { fail } from '../errors.ts'
import { checkKind } from '../kinds.ts'
import { BLOCK_BYTES, type BlockFormat, decodeBlock, encodeBlock } from './codec.ts'

/** Of one packet: header, gain, nibbles. */
export const PACKET_BYTES = 36
export const SEQUENCE_NUMBERS = 65536
const VERSION = 1
const LINEAR = 1
const HIGH_FIRST = 2
const NIBBLES_AT = 4

/** `samples`: (64) at 4 kHz, in -1..1. `sequence`: 0..65535. Returns a new packet. */
export function encodePacket(samples: Float32Array, sequence: number, format: BlockFormat = {}): Uint8Array {
  checkKind('sequence', sequence, 'number')
  const block = new Uint8Array(BLOCK_BYTES)
  encodeBlock(samples, block, format)
  const flags = (format.law === 'linear' ? LINEAR : 0) | (format.nibbleOrder === 'high-first' ? HIGH_FIRST : 0)
  const packet = new Uint8Array(PACKET_BYTES)
  packet.set([(VERSION << 4) | flags, block[0], sequence & 255, (sequence >> 8) & 255])
  packet.set(block.subarray(1), NIBBLES_AT)
  return packet
}

/** Fills `samples` (64) and returns the sequence number. Throws PACKET_INVALID. */
export function decodePacket(packet: Uint8Array, samples: Float32Array): number {
  const sequence = sequenceOf(packet)
  const block = new Uint8Array(BLOCK_BYTES)
  block[0] = packet[1]
  block.set(packet.subarray(NIBBLES_AT), 1)
  decodeBlock(block, samples, {
    law: packet[0] & LINEAR ? 'linear' : 'mulaw',
    nibbleOrder: packet[0] & HIGH_FIRST ? 'high-first' : 'low-first',
  })
  return sequence
}

/** Checks a packet. Throws PACKET_INVALID. */
export function sequenceOf(packet: Uint8Array): number {
  checkKind('packet', packet, 'bytes')
  if (packet.length !== PACKET_BYTES) refuse('length', packet.length, `expected ${PACKET_BYTES}`)
  if (packet[0] >> 4 !== VERSION) refuse('version', packet[0] >> 4, `expected ${VERSION}`)
  if (packet[0] & 12) refuse('format', `0x${packet[0].toString(16)}`, 'update the library')
  if (packet[1] > 127) refuse('gain', packet[1], 'expected 0..127')
  return packet[2] | (packet[3] << 8)
}

/** Whether `sequenceOf` would take it. */
export function isPacket(bytes: Uint8Array): boolean {
  try {
    sequenceOf(bytes)
    return true
  } catch {
    return false
  }
}

function refuse(what: string, value: unknown, remedy: string): never {
  return fail('PACKET_INVALID', `packet: ${what}`, value, remedy)
}
