// The sender over a real socket of this process: whose answers it takes for silence, and whose it does not.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket, WebSocketServer } from 'ws'
import { CLOSE, type FromObject, SUBPROTOCOL } from './protocol.ts'
import { Sender } from './sender.ts'

const SILENCE_MS = 2000
const packet = new Uint8Array(36).fill(0x10, 0, 1)

/** Says welcome, then does as `answer` says with each message that comes. */
async function serve(answer: (socket: WebSocket) => void) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => SUBPROTOCOL })
  server.on('connection', (socket) => {
    tell(socket, { type: 'welcome', next: 0, hop: 0, window: 16, isNew: true, ended: false })
    socket.on('message', () => answer(socket))
  })
  await new Promise((resolve) => server.on('listening', resolve))
  const { port } = server.address() as { port: number }
  return { server, url: `ws://127.0.0.1:${port}/stream/test` }
}

function tell(socket: WebSocket, message: FromObject): void {
  socket.send(JSON.stringify(message))
}

function stop(server: WebSocketServer): void {
  for (const socket of server.clients) socket.terminate()
  server.close()
}

async function connect(url: string) {
  return new Promise<{ reason?: string; sender: Sender }>((resolve) => {
    const sender: Sender = new Sender({
      url,
      silenceMs: SILENCE_MS,
      retryMs: 60_000,
      connect: (to, protocols) => new WebSocket(to, protocols) as never,
      onBreak: (reason) => resolve({ reason, sender }),
      onMessage: ({ type }) => type === 'ack' && resolve({ sender }),
    })
    sender.push([packet])
  })
}

test('silence while an answer is owed is a break', async () => {
  const { server, url } = await serve(() => undefined)
  const { reason, sender } = await connect(url)
  assert.is(reason, '1006 no answer')
  sender.close()
  stop(server)
})

test('an answer that waits unread while this process is busy is none', async () => {
  const { server, url } = await serve((socket) => {
    tell(socket, { type: 'ack', taken: 1, persisted: 1 })
    // longer than silence may last, with the answer on its way
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SILENCE_MS + 500)
  })
  const { reason, sender } = await connect(url)
  assert.is(reason, undefined)
  assert.is(sender.stats().buffered, 0)
  sender.close()
  stop(server)
})

test('replaced by an attempt of its own that was given up: it comes again; by somebody else: it does not', async () => {
  let connections = 0
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => SUBPROTOCOL })
  await new Promise((resolve) => server.on('listening', resolve))
  server.on('connection', (socket) => {
    // the first is not answered; the others are welcome, and replaced at once
    if (++connections === 1) return
    tell(socket, { type: 'welcome', next: 0, hop: 0, window: 0, isNew: true, ended: false })
    socket.close(CLOSE.replaced, 'another sender took over')
  })
  const breaks: string[] = []
  const sender = new Sender({
    url: `ws://127.0.0.1:${(server.address() as { port: number }).port}/stream/test`,
    silenceMs: 300,
    retryMs: 10,
    connect: (to, protocols) => new WebSocket(to, protocols) as never,
    onBreak: (reason) => breaks.push(reason),
  })
  const error = await sender.ended.catch((reason: Error) => reason)
  assert.match(String(error), /refused this sender: 4409/)
  const replaced = breaks.filter((reason) => reason.startsWith('4409'))
  assert.is(replaced.length, 1 + breaks.filter((reason) => reason === '1006 no answer').length, breaks.join('; '))
  assert.ok(replaced.length > 1)
  stop(server)
})

test.run()
