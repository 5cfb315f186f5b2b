// What a stream's object costs the platform, without a stream: the same messages, audio, acknowledgements and writes, made of
// nothing. In: a sender's messages. Out: silence of the same length. The baseline of the soak's memory.

import { DurableObject } from 'cloudflare:workers'
import { decodePackets, encodeAudio, type FromObject, HOP_SAMPLES, SUBPROTOCOL } from '../client/protocol.ts'
import type { Env } from '../src/limits.ts'

/** Of a stream's checkpoint. */
const CHECKPOINT_BYTES = 25_000
const CHECKPOINT_HOPS = 250
const MARK_HOPS = 62
const ACK_EVERY = 4
const WINDOW = 16
const IDLE_MS = 2000

interface Place {
  readonly next: number
  readonly hop: number
}

export class Echo extends DurableObject<Env> {
  #next = 0
  #hop = 0
  #marked = 0
  #stored: Place = { next: 0, hop: 0 }
  #idle: number | null = null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.blockConcurrencyWhile(async () => {
      this.#goTo((await ctx.storage.get<Place>('checkpoint')) ?? this.#stored)
    })
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/crash') this.ctx.abort('crashed by a test')
    const [ours, theirs] = Object.values(new WebSocketPair())
    this.ctx.acceptWebSocket(ours)
    this.#goTo(this.#stored)
    const { next, hop } = this.#stored
    tell(ours, { type: 'welcome', next, hop, window: WINDOW, isNew: next === 0, ended: false })
    return new Response(null, { status: 101, webSocket: theirs, headers: { 'sec-websocket-protocol': SUBPROTOCOL } })
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (typeof message === 'string') return
    const { number, packets } = decodePackets(new Uint8Array(message))!
    if (number !== this.#next) return
    socket.send(encodeAudio(this.#hop, new Float32Array(packets.length * HOP_SAMPLES)))
    this.#next++
    this.#hop += packets.length
    if (this.#hop - this.#marked >= MARK_HOPS) {
      this.#marked = this.#hop
      tell(socket, { type: 'mark', hop: this.#hop })
    }
    const isEnd = packets.length === 0
    if (this.#hop - this.#stored.hop >= CHECKPOINT_HOPS || isEnd) this.#store()
    if (this.#next % ACK_EVERY === 0 || isEnd) this.#acknowledge(socket)
    clearTimeout(this.#idle)
    if (!isEnd) this.#idle = setTimeout(() => this.#rest(socket), IDLE_MS)
    if (isEnd) {
      tell(socket, { ...REPORT, type: 'ended' })
      socket.close(1000)
    }
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    if (socket.readyState !== WebSocket.READY_STATE_CLOSED) socket.close(1000)
  }

  #goTo(place: Place): void {
    this.#stored = place
    this.#next = place.next
    this.#hop = place.hop
    this.#marked = place.hop
  }

  #rest(socket: WebSocket): void {
    this.#store()
    if (socket.readyState === WebSocket.READY_STATE_OPEN) this.#acknowledge(socket)
  }

  #acknowledge(socket: WebSocket): void {
    tell(socket, { type: 'ack', taken: this.#next, persisted: this.#stored.next })
  }

  #store(): void {
    this.#stored = { next: this.#next, hop: this.#hop }
    const checkpoint = { ...this.#stored, snapshot: new Uint8Array(CHECKPOINT_BYTES) }
    this.ctx.waitUntil(this.ctx.storage.put('checkpoint', checkpoint))
  }
}

const REPORT = { hop: 0, seconds: 0, counters: {}, inputDb: null, outputDb: null, listeners: 0, sending: true }

function tell(socket: WebSocket, message: FromObject): void {
  socket.send(JSON.stringify(message))
}
