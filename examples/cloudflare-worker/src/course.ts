// The audio of one stream, apart from sockets and storage: messages in their order, samples out, and checkpoints that the
// course can go back to. What comes after a checkpoint depends on it and on the messages alone, so that after any accident
// the same messages make the same samples, to the bit.

import { Denoiser, decodePacket, SensorReceiver, type SensorStats } from 'attenuate-edge'
import { HOP_MS, HOP_SAMPLES, type PacketMessage } from '../client/protocol.ts'

export interface CourseCounters {
  /** Messages taken, in order. */
  messages: number
  /** Announced as lost by the sender. */
  lostMessages: number
  sessions: number
  /** Snapshots that this version of the Worker could not take up (another model): the stream went on from silence. */
  freshStarts: number
}

/** Everything that goes on; small enough for one value of the storage (nano: under 20 kB). */
export interface Checkpoint {
  readonly session: string
  /** Number of the first message after it. */
  readonly next: number
  readonly hop: number
  readonly ended: boolean
  readonly counters: CourseCounters
  readonly snapshot: Uint8Array
}

export class Course {
  readonly #waitPackets: number
  readonly #denoiser: Denoiser
  #receiver: SensorReceiver
  /** Of the sender: who numbers its messages from 0 has a new one. */
  session = ''
  next = 0
  /** First one not made yet. */
  hop = 0
  ended = false
  #counters: CourseCounters = { messages: 0, lostMessages: 0, sessions: 0, freshStarts: 0 }

  private constructor(denoiser: Denoiser, waitPackets: number) {
    this.#waitPackets = waitPackets
    this.#denoiser = denoiser
    this.#receiver = new SensorReceiver(denoiser, { waitPackets })
  }

  static async open(waitPackets: number): Promise<Course> {
    return new Course(await Denoiser.create({ model: 'nano' }), waitPackets)
  }

  /** The next message, by number: its samples, whole hops. Throws PACKET_INVALID and takes nothing if a packet is none. */
  take({ packets }: PacketMessage): Float32Array {
    for (const packet of packets) decodePacket(packet, SCRATCH)
    this.next++
    this.#counters.messages++
    if (packets.length === 0) this.ended = true
    const samples = joined(packets.length === 0 ? [this.#receiver.flush()] : packets.map((p) => this.#receiver.take(p)))
    this.hop += samples.length / HOP_SAMPLES
    return samples
  }

  /** Messages before `to` will never come. */
  skip(to: number): void {
    this.#counters.lostMessages += to - this.next
    this.next = to
  }

  /** Another sender, or the same one started anew: the sound goes on, the numbers begin again. */
  begin(session: string): void {
    this.session = session
    this.next = 0
    this.ended = false
    this.#counters.sessions++
  }

  checkpoint(): Checkpoint {
    const { session, next, hop, ended } = this
    return { session, next, hop, ended, counters: { ...this.#counters }, snapshot: this.#receiver.snapshot() }
  }

  goBack({ session, next, hop, ended, counters, snapshot }: Checkpoint): void {
    Object.assign(this, { session, next, hop, ended })
    this.#counters = { ...counters }
    try {
      this.#receiver.restore(snapshot)
    } catch {
      this.#denoiser.reset()
      this.#receiver = new SensorReceiver(this.#denoiser, { waitPackets: this.#waitPackets })
      this.#counters.freshStarts++
    }
  }

  /** Takes up a stream from elsewhere. Throws STATE_INVALID, and nothing has changed. */
  adopt(snapshot: Uint8Array): void {
    this.#receiver.restore(snapshot)
  }

  get counters(): CourseCounters & SensorStats {
    return { ...this.#receiver.stats(), ...this.#counters }
  }

  get seconds(): number {
    return (this.hop * HOP_MS) / 1000
  }

  /** dBFS over the whole stream. */
  get levels(): { inputDb: number; outputDb: number } {
    const { inputDb, outputDb } = this.#denoiser.stats()
    return { inputDb, outputDb }
  }
}

const SCRATCH = new Float32Array(64)

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
