// What a sensor's gateway, the Durable Object and listeners say to one another over a WebSocket, as data. Binary messages carry
// audio, text messages (JSON) everything else. A `hop` is 16 ms of the stream: one packet in, 256 samples at 16 kHz out.
//
//   sender -> object   | number u32 | runs, 0..64 packets in all |      no packets: the stream ends here
//   a run              | format u8 | packets u8 | sequence u16 | (packets) gain u8, 32 bytes of nibbles |
//   object -> ear      | hop u32 | 256 n samples, s16 |                 little-endian; an ear is whoever hears the stream
//
// Packets that follow one another share what their headers would repeat: eight of them are 272 bytes, not 292.
// Messages are numbered from 0 in each session; the object takes each exactly once and in order, whatever happens to
// connections and to itself (link.ts). Packets inside have sequence numbers of their own, given by the sensor: what the radio
// lost, doubled or disordered is the receiver's business.

import { encodeSamples, PACKET_BYTES } from 'attenuate-edge'

export const HOP_SAMPLES = 256
export const HOP_MS = 16
export const MAX_PACKETS = 64
const NUMBER_BYTES = 4
const RUN_BYTES = 4
/** Of a packet: format, gain, sequence number, nibbles (sdk/sensor/packet.ts). */
const [GAIN_AT, SEQUENCE_AT, NIBBLES_AT] = [1, 2, 4]
const BLOCK_BYTES = 1 + PACKET_BYTES - NIBBLES_AT
/** Where no packet follows another one. */
export const MAX_MESSAGE_BYTES = NUMBER_BYTES + MAX_PACKETS * (RUN_BYTES + BLOCK_BYTES)
/** Of a text message that the object reads. */
export const MAX_TEXT_BYTES = 256
/** Offered as sub-protocol, and the one that is agreed on; a token goes beside it as `bearer.TOKEN`. */
export const SUBPROTOCOL = 'attenuate.1'

/** Why the object closes a connection; RFC 6455 leaves 4000..4999 to applications. */
export const CLOSE = {
  ended: 1000,
  badMessage: 4400,
  replaced: 4409,
  tooLarge: 4413,
  tooFast: 4429,
} as const

/** The object's text messages. */
export type FromObject =
  /**
   * First of all. `next`: number of the message it waits for; `window`: messages that may be on their way; `isNew`: it does
   * not know the session, and counts hops from `hop` on.
   */
  | { type: 'welcome'; next: number; hop: number; window: number; isNew: boolean; ended: boolean }
  /** Messages before `taken` have been worked on; those before `persisted` need never be sent again. */
  | { type: 'ack'; taken: number; persisted: number }
  /** It has lost its memory: send again from here. */
  | { type: 'resume'; next: number }
  /** How much has been heard? Answered with `heard`. */
  | { type: 'mark'; hop: number }
  | ({ type: 'stats' } & StreamReport)
  /** The stream is over and everything is stored. */
  | ({ type: 'ended' } & StreamReport)

/** Text messages to the object. */
export type ToObject =
  /** Messages before `to` are gone: the buffer was full. */
  | { type: 'skip'; to: number }
  /** Everything before this hop has arrived here. */
  | { type: 'heard'; hop: number }

/** A stream's counters, in hops of 16 ms and packets. */
export interface StreamReport {
  readonly hop: number
  readonly seconds: number
  readonly counters: Readonly<Record<string, number>>
  readonly inputDb: number | null
  readonly outputDb: number | null
  readonly listeners: number
  readonly sending: boolean
}

export interface PacketMessage {
  readonly number: number
  /** (36) each. None: the end. */
  readonly packets: readonly Uint8Array[]
}

export function encodePackets(number: number, packets: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const runs = runsOf(packets)
  const bytes = new Uint8Array(NUMBER_BYTES + runs.length * RUN_BYTES + packets.length * BLOCK_BYTES)
  new DataView(bytes.buffer).setUint32(0, number, true)
  let at = NUMBER_BYTES
  for (const run of runs) {
    bytes.set([run[0][0], run.length, run[0][SEQUENCE_AT], run[0][SEQUENCE_AT + 1]], at)
    at += RUN_BYTES
    for (const packet of run) {
      bytes[at] = packet[GAIN_AT]
      bytes.set(packet.subarray(NIBBLES_AT), at + 1)
      at += BLOCK_BYTES
    }
  }
  return bytes
}

/** Undefined where the bytes are no message: no number, a run that is empty or cut short, too many packets. */
export function decodePackets(bytes: Uint8Array): PacketMessage | undefined {
  if (bytes.length < NUMBER_BYTES) return undefined
  const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const packets: Uint8Array[] = []
  for (let at = NUMBER_BYTES; at < bytes.length; ) {
    const [format, count = 0, low, high] = bytes.subarray(at, at + RUN_BYTES)
    at += RUN_BYTES
    const end = at + count * BLOCK_BYTES
    if (count === 0 || end > bytes.length || packets.length + count > MAX_PACKETS) return undefined
    for (let sequence = low | (high << 8); at < end; at += BLOCK_BYTES, sequence++)
      packets.push(packetOf(format, sequence, bytes.subarray(at, at + BLOCK_BYTES)))
  }
  return { number, packets }
}

function packetOf(format: number, sequence: number, block: Uint8Array): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES)
  packet.set([format, block[0], sequence & 255, (sequence >> 8) & 255])
  packet.set(block.subarray(1), NIBBLES_AT)
  return packet
}

/** As they come; each run's packets have one format and follow one another. */
function runsOf(packets: readonly Uint8Array[]): Uint8Array[][] {
  const runs: Uint8Array[][] = []
  for (const packet of packets) {
    const run = runs.at(-1)
    if (run !== undefined && follows(run[run.length - 1], packet)) run.push(packet)
    else runs.push([packet])
  }
  return runs
}

function follows(before: Uint8Array, packet: Uint8Array): boolean {
  const sequenceOf = (each: Uint8Array) => each[SEQUENCE_AT] | (each[SEQUENCE_AT + 1] << 8)
  return packet[0] === before[0] && sequenceOf(packet) === ((sequenceOf(before) + 1) & 65535)
}

/** Of a text message to the object; undefined for anything else. */
export function decodeText(text: string): ToObject | undefined {
  try {
    const { type, hop, to } = JSON.parse(text) as Record<string, unknown>
    const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
    if (type === 'heard' && isCount(hop)) return { type, hop }
    if (type === 'skip' && isCount(to)) return { type, to }
  } catch {
    // not JSON, or null
  }
  return undefined
}

/** `samples`: f32, whole hops, the first one `hop`. */
export function encodeAudio(hop: number, samples: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(NUMBER_BYTES + 2 * samples.length)
  new DataView(bytes.buffer).setUint32(0, hop, true)
  encodeSamples('s16', samples, samples.length, bytes.subarray(NUMBER_BYTES))
  return bytes
}

export function decodeAudio(bytes: Uint8Array): { hop: number; samples: Int16Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const samples = new Int16Array((bytes.length - NUMBER_BYTES) >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(NUMBER_BYTES + 2 * i, true)
  return { hop: view.getUint32(0, true), samples }
}
