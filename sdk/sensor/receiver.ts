// Packets of a sensor in, clean samples out. In: packets (packet.ts) as they arrive: lost, late, twice, out of order. Out: f32
// at the denoiser's output rate, 16 ms for every packet sent: short gaps are concealed by the model, longer ones are
// silence, after a very long one (the sender began again) the stream goes on where it was.

import type { Denoiser } from '../denoiser.ts'
import { fail } from '../errors.ts'
import { checkKind } from '../kinds.ts'
import { joined } from '../pieces.ts'
import { ownerOfSnapshot, refuse, SnapshotReader, SnapshotWriter } from '../snapshot.ts'
import { BLOCK_SAMPLES, SENSOR_RATE } from './codec.ts'
import { decodePacket, isPacket, PACKET_BYTES, SEQUENCE_NUMBERS, sequenceOf } from './packet.ts'

/** What to do about packets that are late or lost. */
export interface SensorReceiverOptions {
  /** Lost packets in a row that are concealed (16 ms each) before silence. 1..64, default 6. */
  readonly concealPackets?: number
  /** Packets to wait for one that is missing: 16 ms of latency each, once one has been missed. 0..32, default 0. */
  readonly waitPackets?: number
  /** A gap or a step back of more packets is a sender that began again. 16..16384, default 250 (4 s). */
  readonly restartPackets?: number
}

/** Packets since the receiver was made: received = played + late + duplicates + waiting. */
export interface SensorStats {
  /** Came, whatever became of them. */
  readonly received: number
  /** Went into the stream, in their order. */
  readonly played: number
  /** Never came, or came too late. */
  readonly lost: number
  /** Of the lost: replaced by what the model expects, not by silence. */
  readonly concealed: number
  /** Came after their place had been given up. */
  readonly late: number
  /** Came twice. */
  readonly duplicates: number
  /** Came after one that was sent later, and still in time. */
  readonly reordered: number
  /** Came, and wait for one that is missing. */
  readonly waiting: number
  /** Times the sender began again. */
  readonly restarts: number
}

/** Places given up whose packets would still be known as late; what comes later counts as a duplicate. */
const KNOWN_GAPS = 256
/** First field of a receiver's snapshot, so that nobody takes it for a denoiser's (which begins with 1..8 channels). */
const RECEIVER_MARK = 0x52534e53

/** The receiving side: packets in any order in, clean samples at 16 kHz out; lost ones are concealed. */
export class SensorReceiver {
  readonly #denoiser: Denoiser
  readonly #concealPackets: number
  readonly #waitPackets: number
  readonly #restartPackets: number
  /** By sequence number: packets after a missing one. */
  readonly #waiting = new Map<number, Uint8Array>()
  readonly #samples = new Float32Array(BLOCK_SAMPLES)
  /** Sequence numbers that were given up, the oldest first. */
  readonly #givenUp = new Set<number>()
  #expected: number | undefined
  #stats = { received: 0, played: 0, lost: 0, concealed: 0, late: 0, duplicates: 0, reordered: 0, restarts: 0 }

  /** `denoiser`: nano or another model for 4 kHz, one channel; it stays the caller's. */
  constructor(denoiser: Denoiser, options: SensorReceiverOptions = {}) {
    checkKind('denoiser', denoiser, 'denoiser')
    checkKind('options', options, 'object')
    if (denoiser.sampleRate !== SENSOR_RATE)
      fail('RATE_UNSUPPORTED', 'denoiser for a sensor', `${denoiser.sampleRate} Hz`, 'create it with model: nano')
    if (denoiser.channels !== 1)
      fail('CHANNELS_UNSUPPORTED', 'channels of a sensor', denoiser.channels, 'use one denoiser per sensor')
    this.#denoiser = denoiser
    this.#concealPackets = readCount('concealPackets', options.concealPackets ?? 6, 1, 64)
    this.#waitPackets = readCount('waitPackets', options.waitPackets ?? 0, 0, 32)
    this.#restartPackets = readCount('restartPackets', options.restartPackets ?? 250, 16, 16384)
  }

  /** What can be said with this packet: nothing while one before it is awaited. Throws PACKET_INVALID. */
  take(packet: Uint8Array): Float32Array {
    const sequence = sequenceOf(packet)
    this.#expected ??= sequence
    const ahead = distance(this.#expected, sequence)
    if (Math.abs(ahead) > this.#restartPackets) return this.#restart(packet, sequence)
    this.#stats.received++
    if (ahead < 0 || this.#waiting.has(sequence)) {
      this.#stats[this.#givenUp.delete(sequence) ? 'late' : 'duplicates']++
      return new Float32Array(0)
    }
    if ([...this.#waiting.keys()].some((other) => distance(sequence, other) > 0)) this.#stats.reordered++
    this.#waiting.set(sequence, new Uint8Array(packet))
    const parts = this.#playReady()
    while (this.#waiting.size > this.#waitPackets) parts.push(...this.#skipGap(), ...this.#playReady())
    return joined(parts)
  }

  /** The end: what still waits and what the denoiser holds. */
  flush(): Float32Array {
    const parts: Float32Array[] = []
    while (this.#waiting.size > 0) parts.push(...this.#skipGap(), ...this.#playReady())
    parts.push(this.#denoiser.flush())
    this.#expected = undefined
    return joined(parts)
  }

  /** Counters since the receiver was made. */
  stats(): SensorStats {
    return { ...this.#stats, waiting: this.#waiting.size }
  }

  /** Receiver and denoiser as bytes, between two calls. Restored anywhere, by the same model, the stream goes on to the bit. */
  snapshot(): Uint8Array {
    const to = new SnapshotWriter()
    to.u32(RECEIVER_MARK)
    to.u32(this.#expected ?? SEQUENCE_NUMBERS)
    for (const total of Object.values(this.#stats)) to.f64(total)
    to.u32(this.#givenUp.size)
    for (const sequence of this.#givenUp) to.u32(sequence)
    to.u32(this.#waiting.size)
    for (const packet of this.#waiting.values()) to.bytes(packet)
    const stream = this.#denoiser.snapshot()
    to.u32(stream.length)
    to.bytes(stream)
    return to.seal(ownerOfSnapshot(stream))
  }

  /** Takes up what `snapshot` froze; counters too. Throws STATE_INVALID and leaves everything as it was. */
  restore(snapshot: Uint8Array): void {
    const from = new SnapshotReader(snapshot, ownerOfSnapshot(this.#denoiser.snapshot()))
    if (from.u32() !== RECEIVER_MARK) refuse('not of a receiver', `${snapshot.length} bytes`)
    const expected = from.count('sequence number', SEQUENCE_NUMBERS)
    const stats = { ...this.#stats }
    for (const name of Object.keys(stats) as (keyof typeof stats)[]) stats[name] = from.total(name)
    const givenUp = Array.from({ length: from.count('places given up', KNOWN_GAPS) }, () =>
      from.count('sequence number', SEQUENCE_NUMBERS - 1),
    )
    const waiting = Array.from({ length: from.count('packets that wait', this.#waitPackets) }, () =>
      this.#loadWaiting(from, expected),
    )
    const stream = from.bytes(from.u32())
    from.end()
    this.#denoiser.restore(stream) // the last that can fail
    this.#expected = expected === SEQUENCE_NUMBERS ? undefined : expected
    this.#stats = stats
    refill(this.#givenUp, givenUp)
    this.#waiting.clear()
    for (const packet of waiting) this.#waiting.set(sequenceOf(packet), packet)
  }

  #loadWaiting(from: SnapshotReader, expected: number): Uint8Array {
    const packet = new Uint8Array(from.bytes(PACKET_BYTES))
    const ahead = isPacket(packet) && expected < SEQUENCE_NUMBERS ? distance(expected, sequenceOf(packet)) : 0
    if (ahead <= 0 || ahead > this.#restartPackets) refuse('packet that waits', ahead)
    return packet
  }

  #playReady(): Float32Array[] {
    const parts: Float32Array[] = []
    for (let next = this.#waiting.get(this.#expected!); next !== undefined; next = this.#waiting.get(this.#expected!)) {
      this.#waiting.delete(this.#expected!)
      decodePacket(next, this.#samples)
      parts.push(this.#denoiser.process(this.#samples))
      this.#stats.played++
      this.#step(1)
    }
    return parts
  }

  /** Gives up on what is missing before the first packet that waits. */
  #skipGap(): Float32Array[] {
    const gap = Math.min(...[...this.#waiting.keys()].map((sequence) => distance(this.#expected!, sequence)))
    const concealed = Math.min(gap, this.#concealPackets)
    const silent = gap - concealed
    this.#stats.lost += gap
    this.#stats.concealed += concealed
    this.#giveUp(gap)
    this.#step(gap)
    const guess = this.#denoiser.conceal(concealed * BLOCK_SAMPLES)
    if (silent === 0) return [guess]
    fadeOut(guess, guess.length / concealed)
    return [guess, this.#beSilent(silent)]
  }

  #giveUp(packets: number): void {
    for (let i = Math.max(0, packets - KNOWN_GAPS); i < packets; i++)
      this.#givenUp.add((this.#expected! + i) % SEQUENCE_NUMBERS)
    for (const oldest of this.#givenUp) {
      if (this.#givenUp.size <= KNOWN_GAPS) break
      this.#givenUp.delete(oldest)
    }
  }

  #beSilent(packets: number): Float32Array {
    const { sampleRate, outputRate, model } = this.#denoiser
    this.#denoiser.advance((packets * BLOCK_SAMPLES) / model.inputHop)
    return new Float32Array(Math.round((packets * BLOCK_SAMPLES * outputRate) / sampleRate))
  }

  #restart(packet: Uint8Array, sequence: number): Float32Array {
    const parts: Float32Array[] = []
    while (this.#waiting.size > 0) parts.push(...this.#skipGap(), ...this.#playReady())
    this.#stats.restarts++
    this.#givenUp.clear()
    this.#expected = sequence
    this.#denoiser.advance(this.#restartPackets)
    return joined([...parts, this.take(packet)])
  }

  #step(packets: number): void {
    this.#expected = (this.#expected! + packets) % SEQUENCE_NUMBERS
  }
}

/** How far `to` lies after `from`: -32768..32767. */
function distance(from: number, to: number): number {
  const ahead = (to - from + SEQUENCE_NUMBERS) % SEQUENCE_NUMBERS
  return ahead < SEQUENCE_NUMBERS / 2 ? ahead : ahead - SEQUENCE_NUMBERS
}

function refill<T>(set: Set<T>, values: readonly T[]): void {
  set.clear()
  for (const value of values) set.add(value)
}

/** The last `count` samples, linearly to zero. */
function fadeOut(samples: Float32Array, count: number): void {
  const last = Math.min(count, samples.length)
  for (let i = 1; i <= last; i++) samples[samples.length - i] *= (i - 1) / last
}

function readCount(name: string, value: number, from: number, to: number): number {
  if (!Number.isInteger(value) || value < from || value > to) fail('OPTION_INVALID', name, value, `use ${from}..${to}`)
  return value
}
