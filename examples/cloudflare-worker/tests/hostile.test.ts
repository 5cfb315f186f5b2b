// Everything that must not get in, while a stream beside it goes on as if nothing were: clear statuses, clear close codes.

import { once } from 'node:events'
import { request } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser, SensorReceiver } from '../../../sdk/index.ts'
import { CLOSE, encodePackets, type FromObject, SUBPROTOCOL } from '../client/protocol.ts'
import type { Socket } from '../client/sender.ts'
import { Edge } from './edge.ts'
import { drawPackets, expectSame, inMessages, joined, pause, receiveInNode } from './reference.ts'

const TOKEN = 'a-long-secret'
const VARIABLES = { TOKEN, MAX_LISTENERS: '3', MAX_CONNECTIONS: '12', MAX_SPEED: '4', CHECKPOINT_MS: '1000' }
const BEARER = { authorization: `Bearer ${TOKEN}` }
const AS_SENDER = '?role=sender&session=s1'

/** Beside every test: its stream must not notice. */
const bystander = inMessages(drawPackets(640, 21), 8)
const test = suite<{ edge: Edge; expected: Int16Array; play: Promise<Int16Array> }>('hostile')

test.before(async (context) => {
  context.edge = await Edge.start(VARIABLES)
  context.expected = (await receiveInNode(bystander.flat())).samples
  context.play = playBystander(context.edge)
})

test.after(({ edge }) => edge.stop())

async function playBystander(edge: Edge): Promise<Int16Array> {
  const parts: Int16Array[] = []
  const sender = edge.sender('bystander', { token: TOKEN, onAudio: (samples) => parts.push(samples) })
  for (const message of bystander) {
    sender.push(message)
    await pause(60)
  }
  sender.end()
  await sender.ended
  return joined(parts)
}

interface Ending {
  readonly code: number
  readonly reason: string
  readonly messages: FromObject[]
}

/** Opens a connection, says things as soon as it is welcome, and waits for the end that they bring. */
function provoke(
  edge: Edge,
  path: string,
  say: (socket: Socket, messages: FromObject[]) => unknown = () => undefined,
): Promise<Ending> {
  return new Promise((resolve) => {
    const socket = edge.socket(path, [SUBPROTOCOL, `bearer.${TOKEN}`])
    const messages: FromObject[] = []
    socket.on('message', (data, isBinary) => {
      if (isBinary) return
      messages.push(JSON.parse(String(data)))
      if (messages.length === 1) say(socket, messages)
    })
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason), messages }))
    socket.on('error', () => undefined)
  })
}

/** Of an upgrade that is refused. */
function statusOf(
  edge: Edge,
  path: string,
  protocols: string[],
  headers: Record<string, string> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = edge.socket(path, protocols, { headers })
    socket.on('unexpected-response', (_, response) => {
      socket.terminate()
      resolve(response.statusCode ?? 0)
    })
    socket.on('open', () => {
      socket.close()
      resolve(101)
    })
    socket.on('error', reject)
  })
}

test('without the token nothing but the page and /healthz answers', async ({ edge }) => {
  for (const path of ['/', '/healthz']) assert.is((await edge.fetch(path)).status, 200, path)
  for (const path of ['/denoise', '/metrics', '/stream/a', '/stream/a/snapshot', '/nowhere']) {
    const response = await edge.fetch(path)
    assert.is(response.status, 401, path)
    assert.is(response.headers.get('www-authenticate'), 'Bearer')
    assert.match(((await response.json()) as { error: string }).error, /^no token; send the header/)
    assert.is((await edge.fetch(path, { headers: { authorization: 'Bearer wrong' } })).status, 401, path)
    assert.is((await edge.fetch(path, { headers: { authorization: `Basic ${TOKEN}` } })).status, 401, path)
  }
  assert.is(await statusOf(edge, '/stream/door', [SUBPROTOCOL]), 401)
  assert.is(await statusOf(edge, '/stream/door', [SUBPROTOCOL, 'bearer.a-long-secreT']), 401)
  assert.is(await statusOf(edge, '/stream/door', [SUBPROTOCOL, `bearer.${TOKEN}`]), 101)
  assert.is(await statusOf(edge, '/stream/door', [SUBPROTOCOL], BEARER), 101)
})

test('addresses and methods that do not exist', async ({ edge }) => {
  const ask = async (path: string, method = 'GET') => (await edge.fetch(path, { method, headers: BEARER })).status
  assert.is(await ask('/nowhere'), 404)
  assert.is(await ask('/stream/'), 400)
  assert.is(await ask('/stream/a%20b'), 400)
  assert.is(await ask(`/stream/${'x'.repeat(65)}`), 400)
  assert.is(await ask('/stream/a', 'DELETE'), 405)
  assert.is(await ask('/metrics', 'POST'), 405)
  const upgrade = (query: string) => statusOf(edge, `/stream/upgrade${query}`, [SUBPROTOCOL], BEARER)
  assert.is(await upgrade('?role=king'), 400)
  assert.is(await upgrade('?role=sender'), 400)
  assert.is(await upgrade('?role=sender&session=a/b'), 400)
})

const [first, second] = inMessages(drawPackets(16, 5), 8)
const GARBAGE: [string, number, RegExp, (socket: Socket) => unknown][] = [
  [
    'no number',
    CLOSE.badMessage,
    /^3 bytes; send a number and runs of whole packets/,
    (s) => s.send(new Uint8Array(3)),
  ],
  ['half a packet', CLOSE.badMessage, /^22 bytes/, (s) => s.send(new Uint8Array(22))],
  [
    'random bytes',
    CLOSE.badMessage,
    /^PACKET_INVALID: packet: version, 9/,
    (s) => s.send(encodePackets(0, [zeros(36).fill(0x99)])),
  ],
  [
    'one broken packet among sound ones',
    CLOSE.badMessage,
    /^PACKET_INVALID: packet: gain, 255/,
    (s) => s.send(encodePackets(0, [...first, second[0].map((byte, i) => (i === 1 ? 255 : byte))])),
  ],
  ['65 packets', CLOSE.tooLarge, /^2409 bytes; send at most 2372/, (s) => s.send(zeros(4 + 65 * 37))],
  ['a megabyte', CLOSE.tooLarge, /^1000000 bytes/, (s) => s.send(zeros(1e6))],
  ['text that is no JSON', CLOSE.badMessage, /^no message that this role may send/, (s) => s.send('hello')],
  ['null', CLOSE.badMessage, /^no message/, (s) => s.send('null')],
  ['an unknown type', CLOSE.badMessage, /^no message/, (s) => s.send('{"type":"welcome","next":9}')],
  ['a skip to nowhere', CLOSE.badMessage, /^no message/, (s) => s.send('{"type":"skip","to":-1}')],
  [
    'a skip beyond all numbers',
    CLOSE.badMessage,
    /^skip to 4294967296/,
    (s) => s.send('{"type":"skip","to":4294967296}'),
  ],
  ['a long text', CLOSE.tooLarge, /^300 letters; send at most 256/, (s) => s.send('x'.repeat(300))],
]

function zeros(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length)
}

for (const [i, [name, code, reason, say]] of GARBAGE.entries())
  test(`garbage: ${name}`, async ({ edge }) => {
    const ending = await provoke(edge, `/stream/garbage-${i}${AS_SENDER}`, say)
    assert.match(ending.reason, reason)
    assert.is(ending.code, code)
    const { hop } = (await (await edge.fetch(`/stream/garbage-${i}`, { headers: BEARER })).json()) as { hop: number }
    assert.is(hop, 0, 'nothing of it was taken')
  })

test('listeners only listen', async ({ edge }) => {
  const packets = await provoke(edge, '/stream/quiet', (socket) => socket.send(encodePackets(0, first)))
  assert.is(packets.code, CLOSE.badMessage)
  assert.is(packets.reason, 'only the sender sends packets')
  assert.is(
    (await provoke(edge, '/stream/quiet', (socket) => socket.send('{"type":"skip","to":9}'))).code,
    CLOSE.badMessage,
  )
  const flood = await provoke(edge, '/stream/quiet', (socket) => {
    for (let i = 0; i < 300; i++) socket.send('{"type":"heard","hop":0}')
  })
  assert.is(flood.code, CLOSE.tooFast)
})

test('a sender that does not listen may not say more than others', async ({ edge }) => {
  const flood = await provoke(edge, `/stream/chatty${AS_SENDER}&hear=0`, (socket) => {
    for (let i = 0; i < 300; i++) socket.send(`{"type":"skip","to":${i}}`)
  })
  assert.is(flood.code, CLOSE.tooFast)
})

test('messages before their turn: asked for once, borne for a while', async ({ edge }) => {
  const { code, reason, messages } = await provoke(edge, `/stream/turn${AS_SENDER}`, (socket) => {
    for (let number = 1; number <= 1001; number++) socket.send(encodePackets(number, [first[0]]))
  })
  assert.is(code, CLOSE.badMessage)
  assert.match(reason, /^message 1001; message 0 never came/)
  assert.equal(
    messages.filter(({ type }) => type === 'resume'),
    [{ type: 'resume', next: 0 }],
  )
})

test('a sender that is much too fast', async ({ edge }) => {
  const message = drawPackets(64, 1)
  const { code, reason } = await provoke(edge, `/stream/fast${AS_SENDER}&hear=0`, (socket) => {
    for (let number = 0; number < 120; number++) socket.send(encodePackets(number, message))
  })
  assert.is(code, CLOSE.tooFast)
  assert.is(reason, 'faster than 4 times real time')
})

test('the newest sender wins, and the older one is told', async ({ edge }) => {
  const older = provoke(edge, `/stream/throne${AS_SENDER}`)
  await pause(200)
  const newer = edge.sender('throne', { token: TOKEN })
  assert.is((await older).code, CLOSE.replaced)
  newer.push(first)
  newer.end()
  assert.is((await newer.ended).counters.played, 8)
})

test('too many listeners, too many connections: 429', async ({ edge }) => {
  const listeners = Array.from({ length: 3 }, () => edge.listen('full', { token: TOKEN }))
  await Promise.all(listeners.map(({ opened }) => opened))
  assert.is(await statusOf(edge, '/stream/full', [SUBPROTOCOL], BEARER), 429)
  const statuses = []
  for (let i = 0; i < 10; i++) statuses.push(await statusOf(edge, `/stream/full${AS_SENDER}`, [SUBPROTOCOL], BEARER))
  assert.equal([...new Set(statuses)], [101, 429])
  for (const listener of listeners) listener.close()
})

test('a listener that does not keep up misses hops; the stream and the others do not', async ({ edge }) => {
  const packets = drawPackets(1000, 8)
  const { samples } = await receiveInNode(packets)
  const deaf = edge.listen('deaf', { token: TOKEN, isDeaf: true })
  const good = edge.listen('deaf', { token: TOKEN })
  await Promise.all([deaf.opened, good.opened])
  const sender = edge.sender('deaf', { token: TOKEN })
  for (const message of inMessages(packets, 8)) {
    sender.push(message)
    await pause(25) // five times real time: who answers within two seconds is not behind
  }
  sender.end()
  const { counters } = await sender.ended
  await Promise.all([deaf.closed, good.closed])
  expectSame(joined(good.parts), samples)
  assert.ok(counters.skippedHops > 0)
  assert.is(joined(deaf.parts).length / 256 + counters.skippedHops, packets.length)
})

async function put(edge: Edge, stream: string, body: Uint8Array) {
  const response = await edge.fetch(`/stream/${stream}/snapshot`, {
    method: 'PUT',
    headers: BEARER,
    body: new Uint8Array(body),
  })
  return { status: response.status, ...((await response.json()) as { error?: string }) }
}

test('snapshots from outside: forged ones are refused, sound ones go on to the bit', async ({ edge }) => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser, { waitPackets: 3 })
  const packets = drawPackets(100, 9)
  const before = packets.slice(0, 40).map((packet) => receiver.take(packet))
  const snapshot = receiver.snapshot()
  using base = await Denoiser.create({ model: 'base' })
  const refused: [Uint8Array, number, RegExp][] = [
    [new Uint8Array(0), 422, /^STATE_INVALID: snapshot: shorter/],
    [new Uint8Array(30000).fill(7), 422, /^STATE_INVALID: snapshot: not a snapshot/],
    [snapshot.subarray(0, -9), 422, /^STATE_INVALID: snapshot: length/],
    [snapshot.map((byte, i) => (i === 5000 ? byte ^ 4 : byte)), 422, /^STATE_INVALID: snapshot: check sum/],
    [base.snapshot(), 422, /^STATE_INVALID: snapshot of another model/],
    [denoiser.snapshot(), 422, /^STATE_INVALID: snapshot: not of a receiver/],
    [new Uint8Array(2 << 20), 413, /^snapshot of 2097152 bytes; send one of at most/],
  ]
  for (const [bytes, status, message] of refused) {
    const answer = await put(edge, 'moved', bytes)
    assert.match(answer.error ?? '', message)
    assert.is(answer.status, status)
  }
  assert.is((await put(edge, 'moved', snapshot)).status, 200)
  const parts: Int16Array[] = []
  const sender = edge.sender('moved', { token: TOKEN, onAudio: (samples) => parts.push(samples) })
  await pause(300)
  assert.is((await put(edge, 'moved', snapshot)).status, 409)
  sender.push(packets.slice(40))
  sender.end()
  await sender.ended
  const { samples } = await receiveInNode(packets)
  expectSame(joined(parts), samples.subarray(joined(before).length))
})

test('a snapshot that is still on its way when a sender comes is refused', async ({ edge }) => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const snapshot = new SensorReceiver(denoiser, { waitPackets: 3 }).snapshot()
  const upload = request(edge.url('/stream/late/snapshot'), {
    method: 'PUT',
    headers: { ...BEARER, 'content-length': snapshot.length },
  })
  const status = once(upload, 'response').then(([response]) => response.resume().statusCode)
  upload.write(snapshot.subarray(0, 400))
  await pause(300)
  const sender = edge.sender('late', { token: TOKEN })
  sender.push(first)
  while (sender.link.hop === undefined) await pause(20)
  upload.end(snapshot.subarray(400))
  assert.is(await status, 409)
  sender.end()
  assert.is((await sender.ended).counters.played, 8)
})

test('a checkpoint tampered with in storage: the stream goes on from silence, and says so', async ({ edge }) => {
  const sender = edge.sender('forged', { token: TOKEN })
  for (const message of inMessages(drawPackets(160, 4), 8)) sender.push(message)
  while (sender.link.stats().buffered > 10) await pause(20)
  await edge.accident('forged', 'forge', new Uint8Array(500).fill(9))
  sender.end()
  const { counters } = await sender.ended
  assert.is(counters.freshStarts, 1)
  assert.is(counters.received, counters.played + counters.late + counters.duplicates)
})

test('the stream beside all this did not notice', async ({ play, expected }) => {
  expectSame(await play, expected)
})

test('and everything was counted', async ({ edge }) => {
  const text = await (await edge.fetch('/metrics', { headers: BEARER })).text()
  const read = (series: string) =>
    Number(text.match(new RegExp(`^${series.replace(/[{}"]/g, '\\$&')} (\\d+)$`, 'm'))?.[1])
  const packets = (state: string) => read(`attenuate_packets_total{state="${state}"}`)
  const events = (event: string) => read(`attenuate_stream_events_total{event="${event}"}`)
  assert.ok(read('attenuate_http_requests_total{status="4xx"}') > 30)
  assert.is(events('refusal'), GARBAGE.length + 3 + 1 + 1 + 1) // listeners, chatty, turn, pace
  assert.is(events('fresh_start'), 1)
  assert.is(packets('received'), packets('played') + packets('late') + packets('duplicate'))
  assert.ok(packets('played') >= 640 + 8 + 1000 + 60)
  assert.is(read('attenuate_live_streams'), 0)
})

test.run()
