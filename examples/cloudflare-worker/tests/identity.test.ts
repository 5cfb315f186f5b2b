// The same packets in Node and at the edge: the same samples to the bit, and the same state, whatever happens in mid-stream.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Link } from '../client/link.ts'
import type { StreamReport } from '../client/protocol.ts'
import type { Sender } from '../client/sender.ts'
import { Edge } from './edge.ts'
import { drawPackets, expectSame, inMessages, joined, pause, receiveInNode } from './reference.ts'
import { type Held, measureIsolate } from './runtime.ts'

const PACKETS = 700
const PER_MESSAGE = 8
const WAIT_PACKETS = 3
/** Two seconds of stream between checkpoints, so that an accident hits what is not stored. */
const VARIABLES = { MAX_SPEED: '0', CHECKPOINT_MS: '2000', WAIT_PACKETS: String(WAIT_PACKETS) }

const inOrder = drawPackets(PACKETS, 3)
/** As a radio delivers them: some lost, some swapped, some twice, and a gap of two seconds. */
const packets = inOrder
  .filter((_, i) => i % 37 !== 5 && !(i > 300 && i < 425))
  .flatMap((packet, i, all) =>
    i % 23 === 7 ? [all[i + 1], packet] : i % 23 === 8 ? [] : i % 41 === 0 ? [packet, packet] : [packet],
  )
  .filter((packet) => packet !== undefined)

const test = suite<{ edge: Edge; expected: Int16Array; snapshot: Uint8Array }>('identity')

test.before(async (context) => {
  context.edge = await Edge.start(VARIABLES)
  const { samples, snapshot } = await receiveInNode(packets, WAIT_PACKETS)
  context.expected = samples
  context.snapshot = snapshot
})

test.after(({ edge }) => edge.stop())

/** Sends everything; before each message `before` may do something, and is waited for. */
async function send(
  edge: Edge,
  stream: string,
  before: (message: number, sender: Sender) => Promise<unknown> | undefined = () => undefined,
) {
  const parts: Int16Array[] = []
  const sender = edge.sender(stream, { onAudio: (samples) => parts.push(samples) })
  for (const [i, message] of inMessages(packets, PER_MESSAGE).entries()) {
    await before(i, sender)
    sender.push(message)
  }
  sender.end()
  const report = await sender.ended
  return { heard: joined(parts), stats: sender.stats(), report }
}

/** Until the object has worked on some more hops. */
async function heard(sender: Sender, hop: number): Promise<void> {
  while ((sender.link.hop ?? 0) < hop) await pause(5)
}

async function snapshotOf(edge: Edge, stream: string): Promise<Uint8Array> {
  return new Uint8Array(await (await edge.fetch(`/stream/${stream}/snapshot`)).arrayBuffer())
}

test('packets in, samples out: as in Node, and the state afterwards too', async ({ edge, expected, snapshot }) => {
  const { heard: samples, report } = await send(edge, 'calm')
  expectSame(samples, expected)
  expectSame(await snapshotOf(edge, 'calm'), snapshot, 'state')
  const { counters } = report
  for (const name of ['lost', 'concealed', 'duplicates', 'reordered']) assert.ok(counters[name] > 0, name)
  assert.is(counters.received, packets.length)
  assert.is(counters.received, counters.played + counters.late + counters.duplicates)
  assert.is(counters.resumes + counters.returns, 0)
})

test('the object dies in mid-stream, twice', async ({ edge, expected, snapshot }) => {
  const {
    heard: samples,
    stats,
    report,
  } = await send(edge, 'crash', async (i, sender) => {
    if (i !== 30 && i !== 50) return
    await heard(sender, PER_MESSAGE * (i - 10))
    await edge.accident('crash', 'crash')
  })
  expectSame(samples, expected)
  expectSame(await snapshotOf(edge, 'crash'), snapshot, 'state')
  assert.ok(stats.replayed > 0)
  assert.is(stats.lostMessages + stats.missedHops, 0)
  assert.is(report.counters.received, packets.length)
})

test('the object dies with a full window on its way to it, and nothing follows', async ({ edge, expected }) => {
  for (const hop of [20, 60, 120, 200]) {
    const parts: Int16Array[] = []
    const sender = edge.sender(`window-${hop}`, { silenceMs: 700, onAudio: (samples) => parts.push(samples) })
    for (const message of inMessages(packets, PER_MESSAGE)) sender.push(message)
    sender.end()
    await heard(sender, hop)
    await edge.accident(`window-${hop}`, 'crash')
    await sender.ended
    expectSame(joined(parts), expected, `death at hop ${hop}`)
  }
})

test('the connection breaks five times', async ({ edge, expected, snapshot }) => {
  const {
    heard: samples,
    stats,
    report,
  } = await send(edge, 'breaks', async (i, sender) => {
    if (i % 12 !== 11) return
    await heard(sender, PER_MESSAGE * (i - 6))
    sender.reconnect()
  })
  expectSame(samples, expected)
  expectSame(await snapshotOf(edge, 'breaks'), snapshot, 'state')
  assert.is(stats.lostMessages + stats.missedHops, 0)
  assert.ok(report.counters.returns > 0)
})

test('an outage longer than the buffer: what is lost is announced, counted, and concealed', async ({ edge }) => {
  const all = inMessages(drawPackets(480, 6), PER_MESSAGE)
  let isCut = false
  const parts: Int16Array[] = []
  const sender = edge.sender('outage', {
    bufferMessages: 20,
    onAudio: (samples) => parts.push(samples),
    connect: (url, protocols) => {
      const { pathname, search } = new URL(url)
      return edge.socket(isCut ? '/nowhere' : pathname + search, protocols)
    },
  })
  for (const message of all.slice(0, 20)) sender.push(message)
  // two idle seconds later everything is stored
  while (sender.stats().buffered > 0) await pause(20)
  isCut = true
  sender.reconnect()
  for (const message of all.slice(20)) sender.push(message)
  await pause(300)
  isCut = false
  sender.end() // one more message: 21 of the 41 do not fit
  const { counters } = await sender.ended
  assert.is(sender.stats().lostMessages, 21)
  assert.is(counters.lostMessages, 21)
  assert.is(counters.lost, 21 * PER_MESSAGE)
  const arrived = [...all.slice(0, 20), ...all.slice(41)].flat()
  expectSame(joined(parts), (await receiveInNode(arrived, WAIT_PACKETS)).samples)
})

/** A connection of session `s` to the stream `late`, as a sender makes it. A deaf one does not know what it hears. */
function connectLate(edge: Edge, link: Link, isDeaf = false) {
  link.disconnected()
  const from = link.hop === undefined ? '' : `&hop=${link.hop}`
  const socket = edge.socket(`/stream/late?role=sender&session=s${from}`)
  const parts: Int16Array[] = []
  const closed = new Promise((resolve) => socket.on('close', resolve))
  const welcome = new Promise((resolve) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary && link.takeText(String(data)).type === 'welcome') resolve(undefined)
      if (isBinary && !isDeaf) parts.push(link.takeAudio(data))
      for (const message of link.outgoing()) socket.send(message)
    })
  })
  return { socket, parts, closed, welcome }
}

test('a connection long replaced ends last: nothing is stored that nobody has heard', async ({ edge }) => {
  const link = new Link()
  const first = connectLate(edge, link)
  await first.welcome
  first.socket.pause() // does not see yet that it is replaced, and so does not end
  for (const message of inMessages(packets, PER_MESSAGE).slice(0, 10)) link.push(message)
  const second = connectLate(edge, link, true)
  await second.welcome
  const hop = async () => ((await (await edge.fetch('/stream/late')).json()) as StreamReport).hop
  while ((await hop()) < 60) await pause(5)
  second.socket.close()
  await second.closed
  first.socket.resume()
  await first.closed
  const third = connectLate(edge, link)
  link.end()
  await third.closed
  assert.is(link.stats().missedHops, 0)
  expectSame(joined(third.parts), (await receiveInNode(packets.slice(0, 80), WAIT_PACKETS)).samples)
})

test('objects that die leave no memory behind', async () => {
  const edge = await Edge.start(VARIABLES, 0)
  try {
    const wakeOften = async () => {
      for (let i = 0; i < 60; i++) await edge.accident(`wake-${i % 4}`, 'crash')
      return measureIsolate(edge)
    }
    await wakeOften()
    const before = await wakeOften()
    for (let i = 0; i < 6; i++) await wakeOften()
    const after = await wakeOften()
    // 420 states of the model would be 9 MB of the core's; those of one round may wait for their collection
    for (const [name, mb] of Object.entries(after))
      assert.ok(mb < before[name as keyof Held] + 2, `${name} grew: ${JSON.stringify({ before, after })}`)
  } finally {
    await edge.stop()
  }
})

test('the object hibernates with the sockets open, and wakes', async ({ edge, expected, snapshot }) => {
  const breaks: string[] = []
  const parts: Int16Array[] = []
  const sender = edge.sender('sleep', {
    onAudio: (samples) => parts.push(samples),
    onBreak: (reason) => breaks.push(reason),
  })
  const listener = edge.listen('sleep')
  await listener.opened
  const countConnections = async () => {
    const { counters } = (await (await edge.fetch('/stream/sleep')).json()) as StreamReport
    return counters.connections
  }
  for (const message of inMessages(packets, PER_MESSAGE).slice(0, 20)) sender.push(message)
  await heard(sender, 100)
  assert.is(await countConnections(), 2)
  // two seconds until the rest is stored, ten more until workerd lets it go
  await pause(14_000)
  assert.is(sender.stats().buffered, 0, 'everything is stored')
  assert.is(await countConnections(), 0, 'another instance, which has counted nothing yet')
  for (const message of inMessages(packets, PER_MESSAGE).slice(20)) sender.push(message)
  sender.end()
  await sender.ended
  await listener.closed
  expectSame(joined(parts), expected)
  expectSame(joined(listener.parts), expected, 'what the listener heard')
  expectSame(await snapshotOf(edge, 'sleep'), snapshot, 'state')
  assert.equal(breaks, [])
})

test('a stream that nobody sends to is forgotten, however its sender went', async ({ expected, snapshot }) => {
  const edge = await Edge.start({ ...VARIABLES, FORGET_MS: '1500' })
  const hopOf = async (stream: string) => ((await (await edge.fetch(`/stream/${stream}`)).json()) as StreamReport).hop
  try {
    const first = await send(edge, 'ended')
    const gone = edge.sender('crashed', { retryMs: 60_000 })
    const idle = edge.sender('connected')
    for (const sender of [gone, idle]) {
      for (const message of inMessages(packets, PER_MESSAGE).slice(0, 40)) sender.push(message)
      while (sender.stats().buffered > 0) await pause(20)
    }
    await edge.accident('crashed', 'crash')
    await edge.fetch('/stream/moved/snapshot', { method: 'PUT', body: new Uint8Array(snapshot) })
    assert.ok((await hopOf('crashed')) > 0)
    await pause(4000)
    for (const stream of ['ended', 'crashed', 'moved']) {
      const report = (await (await edge.fetch(`/stream/${stream}`)).json()) as StreamReport
      assert.is(report.counters.received, 0, stream)
    }
    assert.ok((await hopOf('connected')) > 0, 'its sender is there, silent')
    const again = await send(edge, 'ended')
    expectSame(first.heard, expected)
    expectSame(again.heard, expected)
    for (const sender of [gone, idle]) sender.close()
  } finally {
    await edge.stop()
  }
})

test('the whole process is replaced', async ({ edge, expected }) => {
  const { heard: samples, stats } = await send(edge, 'process', async (i, sender) => {
    if (i !== 40) return
    await heard(sender, PER_MESSAGE * 25)
    await edge.restart(VARIABLES)
  })
  expectSame(samples, expected)
  assert.is(stats.lostMessages + stats.missedHops, 0)
})

test.run()
