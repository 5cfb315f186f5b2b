// One connection that hears a stream: a listener, or the sender itself. In: hops of audio as they are made, and what the other
// side says it has heard. Out: audio messages, in order and each hop once; none while the other side is too far behind. The
// platform does not say how much waits in a socket, so the ears do (`mark`, answered by `heard`).

import { encodeAudio, HOP_MS, HOP_SAMPLES } from '../client/protocol.ts'

/** Sent and not heard, before hops are left out for a listener: 320 kB. */
const LISTENER_AHEAD = 10_000 / HOP_MS
/** A sender is kept back long before by acknowledgements that do not come; only one that ignores them gets here: 1 MB. */
const SENDER_AHEAD = 2000

export class Ear {
  readonly #socket: WebSocket
  readonly #mostAhead: number
  /** First hop not sent, and not heard, yet. */
  #sent: number
  #heard: number
  /** Hops that it will never hear. */
  skippedHops = 0

  constructor(socket: WebSocket, hop: number, role: 'sender' | 'listener') {
    this.#socket = socket
    this.#mostAhead = role === 'sender' ? SENDER_AHEAD : LISTENER_AHEAD
    this.#sent = hop
    this.#heard = hop
  }

  get isBehind(): boolean {
    return this.aheadHops > this.#mostAhead
  }

  /** Sent and not heard. */
  get aheadHops(): number {
    return this.#sent - this.#heard
  }

  hasHeard(hop: number): boolean {
    return this.#heard >= hop
  }

  /** Whole hops from `hop` on; what was sent before (the stream went back to a checkpoint) is left out. */
  say(hop: number, samples: Float32Array): void {
    const end = hop + samples.length / HOP_SAMPLES
    const from = Math.max(hop, this.#sent)
    if (end <= from) return
    if (this.isBehind) {
      this.skippedHops += end - from
      return
    }
    this.#sent = end
    this.tell(encodeAudio(from, samples.subarray((from - hop) * HOP_SAMPLES)))
  }

  /** The other side has everything before `hop` (of what was sent). */
  heard(hop: number): void {
    this.#heard = Math.max(this.#heard, Math.min(hop, this.#sent))
  }

  tell(message: string | Uint8Array): void {
    try {
      this.#socket.send(message)
    } catch {
      // closed a moment ago: the close event follows
    }
  }
}
