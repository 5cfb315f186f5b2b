// A sender over real sockets: keeps a connection to the stream's object, sends what the link says, comes back with growing
// pauses when the connection breaks. In: packets. Out: clean samples in order, each once; a promise of the end.

import { Link, type LinkOptions, type LinkStats } from './link.ts'
import { CLOSE, type FromObject, type StreamReport, SUBPROTOCOL } from './protocol.ts'

/** What is used of a WebSocket: the platform's own (browsers, Node 22) or that of the package `ws`. */
export interface Socket {
  binaryType: string
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number): void
  addEventListener(type: 'open' | 'close' | 'message' | 'error', listener: (event: never) => void): void
}

export interface SenderOptions extends LinkOptions {
  /** `wss://HOST/stream/NAME`. */
  readonly url: string
  readonly token?: string | undefined
  /** Who numbers the messages: keep it (and the link's buffer) to go on, take another to begin anew. Default: random. */
  readonly session?: string
  /** Clean samples are wanted back. Default: true. */
  readonly hear?: boolean
  /** Default: the platform's WebSocket. */
  readonly connect?: (url: string, protocols: string[]) => Socket
  /** (256 n) s16 at 16 kHz, in order. */
  readonly onAudio?: (samples: Int16Array) => void
  readonly onMessage?: (message: FromObject) => void
  /** A connection that broke, and why. */
  readonly onBreak?: (reason: string) => void
  /** Pauses before the next attempt: the first, and the longest. */
  readonly retryMs?: number
  readonly mostRetryMs?: number
  /** Silence of the object that counts as a break while it owes an answer. */
  readonly silenceMs?: number
}

/** Closings after which trying again is of no use. */
const FINAL: readonly number[] = [CLOSE.badMessage, CLOSE.tooLarge, CLOSE.replaced]

export class Sender {
  readonly link: Link
  readonly session: string
  /** Fulfilled with the object's last word; rejected when it does not want this sender. */
  readonly ended: Promise<StreamReport>
  readonly #options: SenderOptions
  #socket: Socket | undefined
  #pauseMs: number
  #retry: ReturnType<typeof setTimeout> | undefined
  #watch: ReturnType<typeof setTimeout> | undefined
  #isOver = false
  #isWelcome = false
  /** Attempts given up unanswered: one may arrive late all the same, and take the place of the connection that came after. */
  #abandoned = 0
  #resolve!: (report: StreamReport) => void
  #reject!: (error: Error) => void

  constructor(options: SenderOptions) {
    this.#options = options
    this.link = new Link(options)
    this.session = options.session ?? crypto.randomUUID()
    this.#pauseMs = options.retryMs ?? 250
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.ended.catch(() => undefined) // who does not wait for it shall not fall over it
    this.#connect()
  }

  /** 1..64 packets; kept until they are persisted, connected or not. */
  push(packets: readonly Uint8Array[]): void {
    this.link.push(packets)
    this.#pump()
  }

  /** Nothing follows; `ended` is fulfilled when the object has stored everything. */
  end(): void {
    this.link.end()
    this.#pump()
  }

  stats(): LinkStats {
    return this.link.stats()
  }

  /** Drops the connection; another one is made. For tests, and for networks that changed. */
  reconnect(): void {
    this.#socket?.close()
  }

  /** For good, without an end of the stream: what is not persisted is lost. */
  close(): void {
    this.#isOver = true
    clearTimeout(this.#retry)
    this.#rest()
    this.#socket?.close()
  }

  #connect(): void {
    const {
      url,
      token,
      hear = true,
      connect = (to, protocols) => new WebSocket(to, protocols) as Socket,
    } = this.#options
    const address = new URL(url)
    for (const [name, value] of Object.entries({ role: 'sender', session: this.session, hear: hear ? '1' : '0' }))
      address.searchParams.set(name, value)
    if (this.link.hop !== undefined) address.searchParams.set('hop', String(this.link.hop))
    this.link.disconnected()
    this.#isWelcome = false
    const socket = connect(address.href, token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${token}`])
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    let reason = ''
    socket.addEventListener('error', (event: { message?: string }) => {
      reason = event.message ?? 'no connection'
    })
    socket.addEventListener('message', ({ data }: { data: string | ArrayBuffer }) => {
      if (this.#socket === socket) this.#take(data)
    })
    socket.addEventListener('close', (event: { code: number; reason: string }) => {
      if (this.#socket === socket) this.#break(event.code, event.reason || reason)
    })
    this.#expectAnswer()
  }

  #take(data: string | ArrayBuffer): void {
    this.#rest()
    if (typeof data === 'string') this.#takeText(data)
    else {
      const samples = this.link.takeAudio(new Uint8Array(data))
      if (samples.length > 0) this.#options.onAudio?.(samples)
    }
    this.#pump()
  }

  #takeText(text: string): void {
    const message = this.link.takeText(text)
    if (message.type === 'welcome') {
      this.#isWelcome = true
      this.#pauseMs = this.#options.retryMs ?? 250
    }
    if (message.type === 'ended') this.#resolve(message)
    this.#options.onMessage?.(message)
  }

  #pump(): void {
    if (this.#socket === undefined) return
    for (const message of this.link.outgoing()) this.#socket.send(message)
    if (this.link.isOwed) this.#expectAnswer()
  }

  /**
   * A connection may be dead without a word, or an object gone with all that was on its way to it. Begins with what is owed, not
   * again with each message: else a sender that goes on would wait for ever.
   */
  #expectAnswer(): void {
    this.#watch ??= setTimeout(() => {
      // if this process was busy all the while, the answer may be here, unread: what has arrived is read before the next timer
      this.#watch = setTimeout(() => this.#giveUp(), 0)
    }, this.#options.silenceMs ?? 15_000)
  }

  #giveUp(): void {
    const socket = this.#socket
    if (!this.#isWelcome) this.#abandoned++
    this.#break(1006, 'no answer')
    socket?.close()
  }

  #rest(): void {
    clearTimeout(this.#watch)
    this.#watch = undefined
  }

  #break(code: number, reason: string): void {
    this.#rest()
    this.#socket = undefined
    this.link.disconnected()
    if (this.#isOver || this.link.ended) return
    this.#options.onBreak?.(`${code}${reason === '' ? '' : ` ${reason}`}`)
    const isOwn = code === CLOSE.replaced && this.#abandoned > 0
    if (isOwn) this.#abandoned--
    if (FINAL.includes(code) && !isOwn) {
      this.#isOver = true
      this.#reject(new Error(`the stream refused this sender: ${code} ${reason}`))
      return
    }
    this.#retry = setTimeout(() => this.#connect(), this.#pauseMs * (0.5 + 0.5 * Math.random()))
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#options.mostRetryMs ?? 15_000)
  }
}
