// The way to the Worker: samples at 16 kHz in, 4-bit packets out over a connection that may break at any time. Reconnection with growing
// pauses, and resumption by message number, are the Worker's own client (../cloudflare-worker/client). What cannot be kept
// through a long outage is lost oldest first, and counted.

import { setTimeout } from 'node:timers/promises'
import { SensorEncoder } from 'attenuate-edge'
import { WebSocket } from 'ws'
import { Sender, type Socket } from '../cloudflare-worker/client/sender.ts'
import { pause } from './source.ts'

export interface UplinkOptions {
  readonly url: string
  readonly token: string | undefined
  /** Of 16 ms, in a message: 1..64. */
  readonly packetsPerMessage: number
  /** Kept for an outage. */
  readonly bufferMessages: number
  /** Samples that come back, where they are wanted: 16 kHz. */
  readonly onAudio?: ((samples: Float32Array) => void) | undefined
  readonly onBreak: (reason: string) => void
}

export interface UplinkReport {
  readonly packets: number
  readonly breaks: number
  readonly messages: number
  readonly replayed: number
  readonly lostMessages: number
  readonly missedHops: number
  /** Messages that nobody has confirmed yet. */
  readonly unconfirmed: number
  /** The Worker's own counters, once the stream has ended there. */
  readonly edge: Readonly<Record<string, number>> | undefined
}

export class Uplink {
  readonly #encoder = new SensorEncoder()
  readonly #options: UplinkOptions
  readonly #sender: Sender
  #waiting: Uint8Array[] = []
  #packets = 0
  #breaks = 0
  #edge: Readonly<Record<string, number>> | undefined

  constructor(options: UplinkOptions) {
    const { url, token, bufferMessages, onAudio } = options
    this.#options = options
    this.#sender = new Sender({
      url,
      token,
      bufferMessages,
      hear: onAudio !== undefined,
      connect: (to, protocols) => new WebSocket(to, protocols, { perMessageDeflate: false }) as unknown as Socket,
      onAudio: (samples) => onAudio?.(Float32Array.from(samples, (sample) => sample / 32768)),
      onBreak: (reason) => {
        this.#breaks++
        options.onBreak(reason)
      },
    })
  }

  /** Rejects when the Worker does not want this sender. */
  get refused(): Promise<never> {
    return this.#sender.ended.then(() => new Promise<never>(() => undefined))
  }

  push(samples: Float32Array): void {
    this.#pushPackets(this.#encoder.push(samples))
  }

  /** For sources that can wait: until there is room to keep more, or they cannot wait any longer. */
  async ready(mayWait: () => boolean): Promise<void> {
    while (this.#sender.link.room < 2 && mayWait()) await pause(2)
  }

  /** Sends what is left and waits until all of it is stored, at most so long. Was it? */
  async drain(limitMs: number): Promise<boolean> {
    this.#pushPackets(this.#encoder.flush())
    if (this.#waiting.length > 0) this.#send()
    this.#sender.end()
    const late = new AbortController()
    const stored = this.#sender.ended.then(({ counters }) => {
      this.#edge = counters
      return true
    })
    const tooLate = setTimeout(limitMs, false, { signal: late.signal }).catch(() => false)
    const isStored = await Promise.race([stored.catch(() => false), tooLate])
    late.abort()
    this.#sender.close()
    return isStored
  }

  report(): UplinkReport {
    const { messages, replayed, lostMessages, missedHops, buffered } = this.#sender.stats()
    const counted = { packets: this.#packets, breaks: this.#breaks, messages, replayed, lostMessages, missedHops }
    return { ...counted, unconfirmed: buffered, edge: this.#edge }
  }

  #pushPackets(packets: readonly Uint8Array[]): void {
    for (const packet of packets) {
      this.#packets++
      this.#waiting.push(packet)
      if (this.#waiting.length === this.#options.packetsPerMessage) this.#send()
    }
  }

  #send(): void {
    this.#sender.push(this.#waiting)
    this.#waiting = []
  }
}
