// One stream, one Durable Object. In: packets of a sensor over a WebSocket. Out: clean samples to the sender and to listeners.
// The course of the audio is course.ts, the words are client/protocol.ts; here are sockets, storage and their order:
//
//   message -> course -> ears;  every second a `mark` asks the ears what they heard;  every four a checkpoint is taken, and
//   stored once the sender has heard everything before it. Only then does `ack` say `persisted`, so that whatever ends this
//   object (there is no hook before an eviction), the sender can have the rest made again from its own buffer.

import { DurableObject } from 'cloudflare:workers'
import { AttenuateError } from 'attenuate-edge'
import {
  CLOSE,
  decodePackets,
  decodeText,
  type FromObject,
  HOP_MS,
  MAX_MESSAGE_BYTES,
  MAX_TEXT_BYTES,
  type PacketMessage,
  type StreamReport,
  SUBPROTOCOL,
} from '../client/protocol.ts'
import { protocolsOf } from './access.ts'
import { censusOf } from './census.ts'
import { type Checkpoint, Course } from './course.ts'
import { Ear } from './ear.ts'
import { type Env, type Limits, limitsOf } from './limits.ts'
import { Pace } from './pace.ts'
import { Problem, toResponse } from './problem.ts'

/** Messages that a sender may have on their way, and after how many it hears of them. */
const WINDOW = 16
const ACK_EVERY = 4
/** Hops that a sender may owe an ear for, before it hears of no messages and so sends none. */
const MOST_UNHEARD = 300
const MARK_HOPS = Math.round(1000 / HOP_MS)
const HOPS_PER_SECOND = 1000 / HOP_MS
/** What a sender may catch up at once, in seconds of audio: its buffer and one checkpoint. */
const BURST_SECONDS = 90
/** After the last message: then the checkpoint is taken early, and the object may hibernate. */
const IDLE_MS = 2000
const REPORT_MS = 60_000
/** Messages out of turn after which the sender is not one of ours. */
const MOST_OUT_OF_TURN = 1000
const MAX_SNAPSHOT_BYTES = 1 << 20

/** Bytes of a closing frame's reason: 123; ours are ASCII. */
const MOST_REASON = 120

/** In storage; the time says when the stream may be forgotten. */
interface Stored extends Checkpoint {
  readonly storedMs: number
}

/** Ends a connection with a code and one line that says what to do. */
class Refusal extends Error {
  readonly closeCode: number

  constructor(closeCode: number, message: string) {
    super(message)
    this.closeCode = closeCode
  }
}

export class Stream extends DurableObject<Env> {
  readonly #limits: Limits
  readonly #ears = new Map<WebSocket, Ear>()
  /** Of each connection, whether it hears or not. */
  readonly #texts = new WeakMap<WebSocket, Pace>()
  readonly #doors: Pace
  /** The newest sender. What comes from an older one, its end too, comes too late: its ear is gone. */
  #seat: WebSocket | undefined
  #pace: Pace | undefined
  #course!: Course
  /** What storage holds, and what it will hold once the sender has heard as much. */
  #persisted: Checkpoint | undefined
  #pending: Checkpoint | undefined
  #acked = 0
  #marked = 0
  /** Message that was asked for again, and those that came instead. */
  #asked: number | undefined
  #outOfTurn = 0
  #idle: number | null = null
  /** Things that are not part of the course: they happened even if it goes back. */
  #events = { connections: 0, resumes: 0, returns: 0, repeatedMessages: 0, checkpoints: 0, refusals: 0, skippedHops: 0 }
  /** Told to the census, and when. */
  #reported: Record<string, number> = {}
  #reportedMs = Date.now()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#limits = limitsOf(env)
    this.#doors = new Pace(this.#limits.MAX_CONNECTIONS / 10, this.#limits.MAX_CONNECTIONS)
    const { MAX_SPEED } = this.#limits
    if (MAX_SPEED > 0) this.#pace = new Pace(MAX_SPEED * HOPS_PER_SECOND, BURST_SECONDS * HOPS_PER_SECOND)
    ctx.blockConcurrencyWhile(() => this.#wake())
  }

  /** From storage: the first time, after an eviction, after hibernation with the sockets still open. */
  async #wake(): Promise<void> {
    this.#course = await Course.open(this.#limits.WAIT_PACKETS)
    this.#persisted = await this.ctx.storage.get<Checkpoint>('checkpoint')
    this.#reported = (await this.ctx.storage.get<Record<string, number>>('reported')) ?? {}
    if (this.#persisted !== undefined) this.#course.goBack(this.#persisted)
    this.#marked = this.#course.hop
    this.#acked = this.#course.next
    for (const socket of this.ctx.getWebSockets()) {
      this.#texts.set(socket, newTextPace())
      const { hears } = socket.deserializeAttachment() as { hears: boolean }
      if (hears) this.#listen(socket, this.#course.hop)
    }
    this.#seat = this.ctx.getWebSockets('sender').find(({ readyState }) => readyState === WebSocket.READY_STATE_OPEN)
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      const url = new URL(request.url)
      if (request.headers.get('upgrade') === 'websocket') return this.#connect(request, url.searchParams)
      if (!url.pathname.endsWith('/snapshot')) return Response.json(this.#report())
      if (request.method === 'PUT') return await this.#adopt(request)
      return new Response(this.#course.checkpoint().snapshot, {
        headers: { 'content-type': 'application/octet-stream' },
      })
    } catch (error) {
      return toResponse(error)
    }
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (socket.readyState !== WebSocket.READY_STATE_OPEN) return // refused, and not yet silent
    try {
      if (typeof message === 'string') this.#takeText(socket, message)
      else this.#takePackets(socket, new Uint8Array(message))
    } catch (error) {
      if (!(error instanceof AttenuateError || error instanceof Refusal)) throw error
      this.#events.refusals++
      socket.close(error instanceof Refusal ? error.closeCode : CLOSE.badMessage, error.message.slice(0, MOST_REASON))
    }
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    // completes the closing handshake; codes that only a runtime may use (1005, 1006, 1015) cannot be sent
    if (socket.readyState !== WebSocket.READY_STATE_CLOSED) socket.close(code === 1000 || code >= 3000 ? code : 1000)
    this.webSocketError(socket)
  }

  override webSocketError(socket: WebSocket): void {
    if (socket === this.#seat) {
      this.#seat = undefined
      this.#pending ??= this.#course.checkpoint()
      this.#store(this.#ears.get(socket))
    }
    this.#leave(socket)
    if (this.#ears.size === 0 && this.#sender === undefined) this.#tellCensus()
  }

  /** Nobody has sent for long: nothing stays behind. */
  override async alarm(): Promise<void> {
    const stored = await this.ctx.storage.get<Stored>('checkpoint')
    if (stored === undefined) return // tried again by the platform, to which the end below looks like a failure
    const dueMs = (this.#sender === undefined ? stored.storedMs : Date.now()) + this.#limits.FORGET_MS
    if (dueMs > Date.now()) return this.ctx.storage.setAlarm(dueMs)
    for (const socket of this.ctx.getWebSockets()) socket.close(CLOSE.ended, 'forgotten')
    await this.ctx.storage.deleteAll()
    this.ctx.abort('forgotten') // the next one begins anew
  }

  // -- connections

  #connect(request: Request, query: URLSearchParams): Response {
    if (!this.#doors.allows(1))
      throw new Problem(429, `more than ${this.#limits.MAX_CONNECTIONS} connections in 10 s; wait`, {
        'retry-after': '10',
      })
    const role = query.get('role') ?? 'listener'
    if (role !== 'sender' && role !== 'listener') throw new Problem(400, `role, ${role}; use sender or listener`)
    const session = query.get('session') ?? ''
    if (role === 'sender' && !/^[\w-]{1,64}$/.test(session))
      throw new Problem(400, `session, ${session}; give 1..64 letters, digits, - or _`)
    const listeners = this.ctx.getWebSockets('listener').length
    if (role === 'listener' && listeners >= this.#limits.MAX_LISTENERS)
      throw new Problem(429, `${listeners} listeners already; try again later`, { 'retry-after': '60' })
    const [ours, theirs] = Object.values(new WebSocketPair())
    this.#events.connections++
    if (role === 'sender') this.#replaceSender()
    this.ctx.acceptWebSocket(ours, [role])
    this.#texts.set(ours, newTextPace())
    const hears = role === 'listener' || query.get('hear') !== '0'
    ours.serializeAttachment({ hears })
    if (role === 'sender') this.#begin(ours, session, hears, Number(query.get('hop') ?? Number.NaN))
    else {
      this.#listen(ours, this.#course.hop)
      ours.send(this.#statsText())
    }
    const isOffered = protocolsOf(request).includes(SUBPROTOCOL)
    return new Response(null, {
      status: 101,
      webSocket: theirs,
      ...(isOffered && { headers: { 'sec-websocket-protocol': SUBPROTOCOL } }),
    })
  }

  get #sender(): WebSocket | undefined {
    return this.#seat?.readyState === WebSocket.READY_STATE_OPEN ? this.#seat : undefined
  }

  /** The newest wins: the older connection may have been dead for minutes. */
  #replaceSender(): void {
    for (const socket of this.ctx.getWebSockets('sender')) {
      socket.close(CLOSE.replaced, 'another sender took over')
      this.#leave(socket)
    }
  }

  /**
   * A sender that goes on is taken back to the checkpoint: what was made since then may have been lost on the way to it, and
   * is made again from the messages that it has kept.
   */
  #begin(socket: WebSocket, session: string, hears: boolean, hop: number): void {
    this.#seat = socket
    const isKnown = this.#persisted?.session === session
    if (isKnown && this.#persisted!.next !== this.#course.next) {
      this.#course.goBack(this.#persisted!)
      this.#events.returns++
    }
    this.#pending = undefined
    this.#asked = undefined
    if (!isKnown) {
      this.#course.begin(session)
      this.#put(this.#course.checkpoint())
    }
    if (hears) this.#listen(socket, isKnown && Number.isInteger(hop) ? Math.max(hop, 0) : this.#course.hop)
    this.#acked = this.#course.next
    const { next, ended } = this.#course
    tell(socket, { type: 'welcome', next, hop: this.#course.hop, window: WINDOW, isNew: !isKnown, ended })
    if (ended) this.#finish()
  }

  #listen(socket: WebSocket, hop: number): void {
    this.#ears.set(socket, new Ear(socket, hop, this.ctx.getTags(socket).includes('sender') ? 'sender' : 'listener'))
  }

  #leave(socket: WebSocket): void {
    this.#events.skippedHops += this.#ears.get(socket)?.skippedHops ?? 0
    this.#ears.delete(socket)
  }

  // -- messages

  #takePackets(socket: WebSocket, bytes: Uint8Array): void {
    if (socket !== this.#sender) throw new Refusal(CLOSE.badMessage, 'only the sender sends packets')
    if (bytes.length > MAX_MESSAGE_BYTES)
      throw new Refusal(CLOSE.tooLarge, `${bytes.length} bytes; send at most ${MAX_MESSAGE_BYTES}`)
    const message = decodePackets(bytes)
    if (message === undefined)
      throw new Refusal(CLOSE.badMessage, `${bytes.length} bytes; send a number and runs of whole packets`)
    this.#keepPace(Math.max(1, message.packets.length))
    if (message.number === this.#course.next) this.#advance(socket, message)
    else this.#takeOutOfTurn(socket, message.number)
  }

  #advance(socket: WebSocket, message: PacketMessage): void {
    if (this.#course.ended) throw new Refusal(CLOSE.badMessage, 'the stream has ended; begin another session')
    const { hop } = this.#course
    const samples = this.#course.take(message)
    this.#outOfTurn = 0
    for (const ear of this.#ears.values()) ear.say(hop, samples)
    this.#acknowledgeInTime(socket)
    if (this.#course.hop - this.#marked >= MARK_HOPS || this.#course.ended) this.#mark()
    this.#whenIdle()
  }

  /** Before its turn: this object has forgotten what came before, and says so once. After it: sent twice, nothing to do. */
  #takeOutOfTurn(socket: WebSocket, number: number): void {
    const { next } = this.#course
    if (number < next) {
      this.#events.repeatedMessages++
      return
    }
    if (++this.#outOfTurn > MOST_OUT_OF_TURN)
      throw new Refusal(CLOSE.badMessage, `message ${number}; message ${next} never came`)
    if (this.#asked === next) return
    this.#asked = next
    this.#events.resumes++
    tell(socket, { type: 'resume', next })
  }

  #takeText(socket: WebSocket, text: string): void {
    if (text.length > MAX_TEXT_BYTES)
      throw new Refusal(CLOSE.tooLarge, `${text.length} letters; send at most ${MAX_TEXT_BYTES}`)
    if (!this.#texts.get(socket)!.allows(1)) throw new Refusal(CLOSE.tooFast, 'more than 20 text messages per second')
    const message = decodeText(text)
    if (message?.type === 'heard') this.#takeHeard(socket, message.hop)
    else if (message?.type === 'skip' && socket === this.#sender) this.#takeSkip(socket, message.to)
    else throw new Refusal(CLOSE.badMessage, 'no message that this role may send')
  }

  #takeHeard(socket: WebSocket, hop: number): void {
    const ear = this.#ears.get(socket)
    ear?.heard(hop)
    if (socket !== this.#sender) return
    this.#store(ear)
    this.#acknowledgeInTime(socket)
  }

  #takeSkip(socket: WebSocket, to: number): void {
    if (to < this.#course.next || to > 2 ** 32 - 1)
      throw new Refusal(CLOSE.badMessage, `skip to ${to}; message ${this.#course.next} is next`)
    this.#course.skip(to)
    this.#acknowledge(socket)
  }

  #keepPace(packets: number): void {
    if (this.#pace?.allows(packets) === false)
      throw new Refusal(CLOSE.tooFast, `faster than ${this.#limits.MAX_SPEED} times real time`)
  }

  // -- checkpoints

  /** Back-pressure: who does not read what comes back is not asked for more. */
  #acknowledgeInTime(socket: WebSocket): void {
    const unheard = this.#ears.get(socket)?.aheadHops ?? 0
    if (this.#course.next - this.#acked >= ACK_EVERY && unheard <= MOST_UNHEARD) this.#acknowledge(socket)
  }

  #acknowledge(socket: WebSocket): void {
    this.#acked = this.#course.next
    tell(socket, { type: 'ack', taken: this.#course.next, persisted: this.#persisted?.next ?? 0 })
  }

  #mark(): void {
    this.#marked = this.#course.hop
    const sinceMs = (this.#course.hop - (this.#persisted?.hop ?? 0)) * HOP_MS
    if (this.#pending === undefined && (sinceMs >= this.#limits.CHECKPOINT_MS || this.#course.ended))
      this.#pending = this.#course.checkpoint()
    const texts = [JSON.stringify({ type: 'mark', hop: this.#course.hop } satisfies FromObject), this.#statsText()]
    for (const ear of this.#ears.values()) if (!ear.isBehind) for (const text of texts) ear.tell(text)
    const sender = this.#sender
    if (sender !== undefined && !this.#ears.has(sender)) this.#store(undefined)
  }

  /** The checkpoint that waits, if the sender has heard everything before it (or does not listen, or cannot keep up). */
  #store(ear: Ear | undefined): void {
    const pending = this.#pending
    if (pending === undefined || !(ear === undefined || ear.isBehind || ear.hasHeard(pending.hop))) return
    this.#pending = undefined
    this.#put(pending)
    const sender = this.#sender
    if (sender !== undefined) this.#acknowledge(sender)
    if (pending.ended) this.#finish()
    else if (this.#course.ended) this.#mark()
  }

  /** Not awaited: the platform holds back every message after it, the acknowledgement too, until the write is safe. */
  #put(checkpoint: Checkpoint): void {
    const isFirst = this.#persisted === undefined
    this.#persisted = checkpoint
    this.#events.checkpoints++
    const storedMs = Date.now()
    this.ctx.waitUntil(this.ctx.storage.put('checkpoint', { ...checkpoint, storedMs } satisfies Stored))
    // from the first on, and renewed by itself: no event tells of a sender that went with the object
    if (isFirst) this.ctx.waitUntil(this.ctx.storage.setAlarm(storedMs + this.#limits.FORGET_MS))
    if (checkpoint.ended || Date.now() - this.#reportedMs >= REPORT_MS) this.#tellCensus()
  }

  /** As long as the timer runs, the object does not hibernate with anything unsaved. */
  #whenIdle(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      if (this.#course.next === this.#persisted?.next) return
      this.#pending = this.#course.checkpoint()
      this.#mark()
    }, IDLE_MS)
  }

  #finish(): void {
    clearTimeout(this.#idle)
    const text = JSON.stringify({ type: 'ended', ...this.#report() } satisfies FromObject)
    for (const socket of this.ctx.getWebSockets()) {
      if (socket.readyState !== WebSocket.READY_STATE_OPEN) continue
      socket.send(text)
      socket.close(CLOSE.ended, 'ended')
    }
  }

  // -- counters

  #counts(): Record<string, number> {
    const skipped = [...this.#ears.values()].reduce((sum, ear) => sum + ear.skippedHops, this.#events.skippedHops)
    return { ...this.#course.counters, ...this.#events, skippedHops: skipped }
  }

  #report(): StreamReport {
    const { inputDb, outputDb } = this.#course.levels
    return {
      hop: this.#course.hop,
      seconds: this.#course.seconds,
      counters: this.#counts(),
      inputDb: Number.isFinite(inputDb) ? inputDb : null,
      outputDb: Number.isFinite(outputDb) ? outputDb : null,
      listeners: this.ctx.getWebSockets('listener').length,
      sending: this.#sender !== undefined,
    }
  }

  #statsText(): string {
    return JSON.stringify({ type: 'stats', ...this.#report() } satisfies FromObject)
  }

  /** What has grown since the last time. Written down before it is told: rather never than twice. */
  #tellCensus(): void {
    this.#reportedMs = Date.now()
    const increments: Record<string, number> = {}
    for (const [name, count] of Object.entries(this.#counts())) {
      const before = this.#reported[name] ?? 0
      increments[name] = Math.max(0, count - before)
      this.#reported[name] = Math.max(count, before)
    }
    // events are counted from 0 by the next one that wakes
    const kept = Object.keys(this.#course.counters).map((name) => [name, this.#reported[name]])
    // a stream that has had listeners only leaves nothing
    if (this.#persisted !== undefined) this.ctx.waitUntil(this.ctx.storage.put('reported', Object.fromEntries(kept)))
    const isLive = this.#sender !== undefined && !this.#course.ended
    this.ctx.waitUntil(censusOf(this.env).add(increments, { name: this.ctx.id.toString(), isLive }))
  }

  // -- moving a stream

  async #adopt(request: Request): Promise<Response> {
    const length = Number(request.headers.get('content-length') ?? Number.NaN)
    if (!(length <= MAX_SNAPSHOT_BYTES))
      throw new Problem(413, `snapshot of ${length} bytes; send one of at most ${MAX_SNAPSHOT_BYTES} with its length`)
    const snapshot = new Uint8Array(await request.arrayBuffer())
    // now, and not before: one may have come while the bytes did
    if (this.#sender !== undefined) throw new Problem(409, 'a sender is connected; disconnect it first')
    this.#course.adopt(snapshot)
    this.#put({ ...this.#course.checkpoint(), session: '' })
    return Response.json(this.#report())
  }
}

/** 20 per second: one in answer to each mark is due. */
function newTextPace(): Pace {
  return new Pace(20, 200)
}

function tell(socket: WebSocket, message: FromObject): void {
  socket.send(JSON.stringify(message))
}
