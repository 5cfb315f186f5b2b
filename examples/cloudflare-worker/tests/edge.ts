// The Worker in real workerd, from the files that Wrangler would upload. In: variables of the configuration. Out: its address,
// senders and listeners over real sockets, accidents.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Miniflare } from 'miniflare'
import { type ClientOptions, WebSocket } from 'ws'
import { type Bundle, bundleWorker, COMPATIBILITY_DATE } from '../../../tests/workerd/bundle.ts'
import { Link } from '../client/link.ts'
import { SUBPROTOCOL } from '../client/protocol.ts'
import { Sender, type SenderOptions, type Socket } from '../client/sender.ts'

export const CONFIG = 'examples/cloudflare-worker/wrangler.jsonc'
let bundle: Promise<Bundle> | undefined

export class Edge {
  /** What the runtime wrote on its standard error. */
  readonly complaints: string[]
  readonly #storage: string
  #workerd: Miniflare
  #origin: string

  private constructor(workerd: Miniflare, origin: string, storage: string, complaints: string[]) {
    this.complaints = complaints
    this.#workerd = workerd
    this.#origin = origin
    this.#storage = storage
  }

  /** `inspectorPort` 0: any; undefined: no inspector. */
  static async start(variables: Readonly<Record<string, string>> = {}, inspectorPort?: number): Promise<Edge> {
    const storage = mkdtempSync(join(tmpdir(), 'edge-'))
    const complaints: string[] = []
    const workerd = await run(variables, storage, complaints, inspectorPort)
    return new Edge(workerd, (await workerd.ready).origin, storage, complaints)
  }

  /** The process ends without warning and another one takes its place, with the same storage. */
  async restart(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#workerd.dispose()
    this.#workerd = await run(variables, this.#storage, this.complaints)
    this.#origin = (await this.#workerd.ready).origin
  }

  async stop(): Promise<void> {
    await this.#workerd.dispose()
    rmSync(this.#storage, { recursive: true })
  }

  /** Where the runtime's inspector (Chrome DevTools protocol) answers. */
  async inspectorUrl(): Promise<string> {
    const { origin } = await this.#workerd.getInspectorURL()
    const [{ webSocketDebuggerUrl }] = (await (await fetch(`${origin.replace('ws', 'http')}/json`)).json()) as {
      webSocketDebuggerUrl: string
    }[]
    return webSocketDebuggerUrl
  }

  url(path: string): string {
    return this.#origin + path
  }

  /** Each over a connection of its own: one kept open may have been closed by the other side while this process was busy. */
  fetch(path: string, options: RequestInit = {}): Promise<Response> {
    const headers = new Headers(options.headers)
    headers.set('connection', 'close')
    return fetch(this.url(path), { ...options, headers })
  }

  /** `crash`, `forge` (body: the snapshot it wakes with). */
  async accident(stream: string, kind: string, body: Uint8Array<ArrayBuffer> = new Uint8Array(0)): Promise<void> {
    await (await this.fetch(`/test/${stream}/${kind}`, { method: 'POST', body })).arrayBuffer()
  }

  sender(stream: string, options: Partial<SenderOptions> = {}): Sender {
    return new Sender({
      url: this.url(`/stream/${stream}`),
      // the address is asked for at every attempt: a restarted process has another one
      connect: (url, protocols) => this.socket(new URL(url).pathname + new URL(url).search, protocols),
      retryMs: 20,
      mostRetryMs: 200,
      ...options,
    })
  }

  socket(path: string, protocols: string[] = [], options: ClientOptions = {}): Socket & WebSocket {
    return new WebSocket(this.url(path).replace('http', 'ws'), protocols, {
      perMessageDeflate: false,
      ...options,
    }) as Socket & WebSocket
  }

  listen(stream: string, options: ListenerOptions = {}): Listener {
    const protocols = options.token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${options.token}`]
    return new Listener(this.socket(`/stream/${stream}`, protocols), options)
  }
}

interface ListenerOptions {
  readonly token?: string
  /** Takes everything and never says so. */
  readonly isDeaf?: boolean
}

/** Hears until the stream ends. */
export class Listener {
  readonly link = new Link()
  readonly parts: Int16Array[] = []
  readonly opened: Promise<void>
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #socket: WebSocket

  constructor(socket: WebSocket, { isDeaf = false }: ListenerOptions) {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    this.opened = new Promise((resolve) => socket.addEventListener('open', () => resolve()))
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }))
    })
    socket.addEventListener('error', () => undefined)
    socket.addEventListener('message', ({ data }) => {
      if (typeof data !== 'string') return this.parts.push(this.link.takeAudio(new Uint8Array(data as ArrayBuffer)))
      const { type, hop } = JSON.parse(data)
      if (type === 'mark' && !isDeaf) socket.send(JSON.stringify({ type: 'heard', hop: this.link.hop ?? hop }))
      return undefined
    })
  }

  close(): void {
    this.#socket.close()
  }
}

async function run(
  variables: Readonly<Record<string, string>>,
  storage: string,
  complaints: string[],
  inspectorPort?: number,
): Promise<Miniflare> {
  bundle ??= bundleWorker('examples/cloudflare-worker/tests/worker.ts', ['-c', CONFIG])
  return new Miniflare({
    modules: (await bundle).modules,
    compatibilityDate: COMPATIBILITY_DATE,
    host: '127.0.0.1',
    port: 0,
    bindings: variables,
    handleRuntimeStdio(stdout: Readable, stderr: Readable) {
      stdout.resume()
      stderr.setEncoding('utf8').on('data', (text: string) => {
        complaints.push(text)
        process.stderr.write(text)
      })
    },
    durableObjects: {
      STREAMS: { className: 'Stream', useSQLite: true },
      ECHOES: { className: 'Echo', useSQLite: true },
      CENSUS: { className: 'Census', useSQLite: true },
    },
    durableObjectsPersist: storage,
    ...(inspectorPort !== undefined && { inspectorPort }),
  })
}
