// A sender's half of the protocol without a socket: what to send, what to keep, what has come back. In: packets as the sensor
// gives them, and everything that the object says. Out: messages to put on the wire, samples in order, each once.
//
//   buffer:   | ... persisted | taken | on its way | waits for the window |      bounded; the oldest goes when it is full
//
// Nothing is forgotten before the object says that it is persisted: after a reconnection, an eviction or a crash it asks
// from there (`welcome`, `resume`), and makes the same samples again, of which those already heard are left out. What could
// not be kept is announced (`skip`) and counted. No clock, no allocation beyond the messages; any runtime.

import { decodeAudio, encodePackets, type FromObject, HOP_SAMPLES, MAX_PACKETS, type ToObject } from './protocol.ts'

export interface LinkOptions {
  /** Messages kept until they are persisted. Default 512: a minute of 8 packets each. */
  readonly bufferMessages?: number
}

/** Since the link was made. */
export interface LinkStats {
  readonly messages: number
  /** Sent more than once. */
  readonly replayed: number
  /** Fell out of the buffer and were then missed by the object. */
  readonly lostMessages: number
  /** Most that waited at once. */
  readonly mostBuffered: number
  readonly buffered: number
  /** Hops that came back, and those that never did (the link was too slow to hear them). */
  readonly heardHops: number
  readonly missedHops: number
  /** Times the object had to go back to what it had persisted. */
  readonly resumes: number
}

interface Kept {
  readonly number: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Numbers from..to - 1. */
interface Range {
  readonly from: number
  readonly to: number
}

export class Link {
  readonly #most: number
  /** In order of their numbers, without gaps. */
  readonly #kept: Kept[] = []
  /** Number of the next message to be made, and to be sent. */
  #made = 0
  #toSend = 0
  /** Highest number sent so far, plus one. */
  #everSent = 0
  #taken = 0
  #window = 0
  #heard: number | undefined
  #isWelcome = false
  #ended = false
  readonly #replies: ToObject[] = []
  /** Announced as lost, apart from one another, and not yet persisted: the object may come back to them. */
  #lost: Range[] = []
  #lostForGood = 0
  #stats = { replayed: 0, mostBuffered: 0, heardHops: 0, missedHops: 0, resumes: 0 }

  constructor({ bufferMessages = 512 }: LinkOptions = {}) {
    if (!Number.isInteger(bufferMessages) || bufferMessages < 1)
      throw new RangeError(`bufferMessages, ${bufferMessages}; give a whole number of at least 1`)
    this.#most = bufferMessages
  }

  /** 1..64 packets of 36 bytes that belong into one message. */
  push(packets: readonly Uint8Array[]): void {
    if (packets.length < 1 || packets.length > MAX_PACKETS)
      throw new RangeError(`packets in a message, ${packets.length}; give 1..${MAX_PACKETS}`)
    this.#keep(packets)
  }

  /** Nothing follows. The object plays what it holds and says `ended`. */
  end(): void {
    this.#keep([])
  }

  /** The first hop not heard yet; the object is told when a connection begins. Undefined: whatever comes first. */
  get hop(): number | undefined {
    return this.#heard
  }

  /** The object has everything, up to the end. */
  get ended(): boolean {
    return this.#ended
  }

  /** Messages that can be kept before the oldest goes: who can wait (files) waits while there are none. */
  get room(): number {
    return this.#most - this.#kept.length
  }

  /** Something is not persisted yet: the object will have a word to say. */
  get isOwed(): boolean {
    return this.#kept.length > 0
  }

  stats(): LinkStats {
    const lostMessages = this.#lost.reduce((sum, { from, to }) => sum + to - from, this.#lostForGood)
    return { ...this.#stats, lostMessages, messages: this.#made, buffered: this.#kept.length }
  }

  /** A connection is gone, or about to begin: nothing is sent before `welcome`. */
  disconnected(): void {
    this.#isWelcome = false
    this.#replies.length = 0
  }

  /** What may be sent now: text or bytes, in order. */
  *outgoing(): Generator<string | Uint8Array<ArrayBuffer>> {
    if (!this.#isWelcome) return
    for (let reply = this.#replies.shift(); reply !== undefined; reply = this.#replies.shift())
      yield JSON.stringify(reply)
    while (this.#toSend < this.#made && this.#toSend < this.#taken + this.#window) {
      const first = this.#kept[0].number
      if (this.#toSend < first) yield this.#skipTo(first)
      const message = this.#kept[this.#toSend - first]
      if (this.#toSend < this.#everSent) this.#stats.replayed++
      this.#toSend++
      this.#everSent = Math.max(this.#everSent, this.#toSend)
      yield message.bytes
    }
  }

  /** A binary message: the samples in it that were not heard before, none where all were. */
  takeAudio(bytes: Uint8Array): Int16Array {
    const { hop, samples } = decodeAudio(bytes)
    const expected = this.#heard ?? hop
    const end = hop + samples.length / HOP_SAMPLES
    if (end <= expected) return samples.subarray(0, 0)
    this.#stats.missedHops += Math.max(0, hop - expected)
    const fresh = samples.subarray(HOP_SAMPLES * Math.max(0, expected - hop))
    this.#stats.heardHops += fresh.length / HOP_SAMPLES
    this.#heard = end
    return fresh
  }

  /** A text message. */
  takeText(text: string): FromObject {
    const message = JSON.parse(text) as FromObject
    if (message.type === 'welcome') this.#beWelcome(message)
    else if (message.type === 'resume') this.#resume(message.next)
    else if (message.type === 'ack') this.#acknowledge(message)
    else if (message.type === 'mark') this.#replies.push({ type: 'heard', hop: this.#heard ?? message.hop })
    else if (message.type === 'ended') this.#ended = true
    return message
  }

  #keep(packets: readonly Uint8Array[]): void {
    this.#kept.push({ number: this.#made, bytes: encodePackets(this.#made, packets) })
    this.#made++
    if (this.#kept.length > this.#most) this.#kept.shift()
    this.#stats.mostBuffered = Math.max(this.#stats.mostBuffered, this.#kept.length)
  }

  #beWelcome({ next, window, hop, isNew }: FromObject & { type: 'welcome' }): void {
    this.#isWelcome = true
    this.#window = window
    if (isNew || this.#heard === undefined) this.#heard = hop
    this.#goTo(next)
  }

  #resume(next: number): void {
    this.#stats.resumes++
    this.#goTo(next)
  }

  #goTo(next: number): void {
    this.#taken = next
    this.#toSend = next // what lies before is kept all the same: the object may have it, and not have stored it
  }

  #acknowledge({ taken, persisted }: FromObject & { type: 'ack' }): void {
    this.#taken = Math.max(this.#taken, taken)
    this.#forget(persisted)
  }

  #forget(before: number): void {
    const first = this.#kept[0]?.number ?? before
    this.#kept.splice(0, Math.max(0, before - first))
    for (const { from, to } of this.#lost) if (to <= before) this.#lostForGood += to - from
    this.#lost = this.#lost.filter(({ to }) => to > before)
  }

  #skipTo(first: number): string {
    this.#lose({ from: this.#toSend, to: first })
    this.#toSend = first
    return JSON.stringify({ type: 'skip', to: first } satisfies ToObject)
  }

  /** Joined with the ranges that it touches. */
  #lose({ from, to }: Range): void {
    const isApart = (other: Range) => other.to < from || other.from > to
    const touching = [{ from, to }, ...this.#lost.filter((other) => !isApart(other))]
    const all = { from: Math.min(...touching.map((r) => r.from)), to: Math.max(...touching.map((r) => r.to)) }
    this.#lost = [...this.#lost.filter(isApart), all]
  }
}
