// Connections to the real Worker that say anything: frames of WebSocket sound and damaged, glued to the request that asks for the
// connection, after its end, of any kind and size, in any role. In: a seed, how many. Out: how they ended; throws where an end
// is not a clear one (a 4xx, a documented close code with one line), where something inside shows, or a stream beside notices.
//
//   npm run fuzz:edge -- --connections 5000 --seed 7
//   npm run fuzz:edge -- --seed 7 --from 1234 --connections 1     one of them again

import { connect } from 'node:net'
import { Command } from 'commander'
import * as assert from 'uvu/assert'
import type { Random } from '../../../quantize/specimens.ts'
import { wholeNumber } from '../../../scripts/wholeNumber.ts'
import { randomOf } from '../../../tests/fuzz/campaign.ts'
import { below, choose, damage, disturb, EDGES, happens, joined } from '../../../tests/fuzz/mutation.ts'
import { CLOSE, encodePackets } from '../client/protocol.ts'
import { Edge } from './edge.ts'
import { drawPackets, expectSame, inMessages, joined as joinedSamples, receiveInNode } from './reference.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly from: number
  readonly connections: number
}

const VARIABLES = { MAX_CONNECTIONS: '1000000', MAX_LISTENERS: '1000', MAX_SPEED: '0' }
const STREAMS = 6
const AT_ONCE = 24
/** RFC 6455, section 5.2. */
const OPCODES = { text: 1, binary: 2, close: 8, ping: 9 }
const CONTINUATION = 0
/** RFC 6455, section 7.4.1: what a runtime may say of frames that are none, beside our own. */
const PROTOCOL_CODES = [1002, 1003, 1007, 1009]
const CODES: readonly number[] = [...Object.values(CLOSE), ...PROTOCOL_CODES]
/** Who has broken off in mid-frame hears nothing more: the runtime lets its connection go later still. */
const SILENCE_MS = 5000
const packets = drawPackets(64, 31)

export async function fuzzEdge({ seed, from, connections }: FuzzOptions): Promise<Record<string, number>> {
  const edge = await Edge.start(VARIABLES)
  try {
    const beside = playBeside(edge)
    const ends: Record<string, number> = {}
    let next = from
    const work = async () => {
      while (next < from + connections) {
        const number = next++
        const end = await provoke(edge, randomOf(seed, number))
        assert.is(end.finding, undefined, `case ${number} of seed ${seed}: ${end.finding}`)
        ends[end.name] = (ends[end.name] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    await beside
    for (let i = 0; i < STREAMS; i++) await expectAlive(edge, i)
    assert.equal(complaintsOf(edge), [], 'what the runtime complained of')
    return ends
  } finally {
    await edge.stop()
  }
}

/** Exceptions that reached the runtime, but for its own of frames that are none: those never reach the Worker. */
function complaintsOf({ complaints }: Edge): string[] {
  const lines = complaints.join('').split('\n')
  return lines.filter((line) => /exception|error/i.test(line) && !line.includes('WebSocket protocol error'))
}

/** Its samples are Node's, whatever happens beside it. */
async function playBeside(edge: Edge): Promise<void> {
  const parts: Int16Array[] = []
  const sender = edge.sender('beside', { onAudio: (samples) => parts.push(samples) })
  const all = drawPackets(640, 32)
  for (const message of inMessages(all, 8)) sender.push(message)
  sender.end()
  await sender.ended
  expectSame(joinedSamples(parts), (await receiveInNode(all)).samples, 'the stream beside')
}

/** A stream that was maltreated takes a new sender as if nothing had been. */
async function expectAlive(edge: Edge, stream: number): Promise<void> {
  const sender = edge.sender(`fuzz-${stream}`)
  sender.push(packets.slice(0, 8))
  sender.end()
  const { counters } = await sender.ended
  const { received, played, late, duplicates } = counters
  assert.is(received, played + late + duplicates)
  assert.is(counters.freshStarts, 0)
}

interface End {
  readonly name: string
  readonly finding?: string
  /** Nothing follows. */
  readonly isOver?: boolean
}

/** Request and frames in one piece or several; then the end of what is said, and the wait for the other side's. */
function provoke(edge: Edge, random: Random): Promise<End> {
  const { hostname, port } = new URL(edge.url('/'))
  return new Promise((resolve) => {
    const heard: Buffer[] = []
    const socket = connect(Number(port), hostname)
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
    socket.on('data', (data) => {
      heard.push(data)
      if (judge(Buffer.concat(heard)).isOver) socket.destroy()
    })
    socket.on('error', () => undefined) // reset by the other side: an end too
    socket.on('close', () => resolve(judge(Buffer.concat(heard))))
    const said = [drawRequest(random), ...drawFrames(random)]
    if (happens(random, 0.5)) socket.end(joined(...said))
    else {
      for (const part of said) socket.write(part)
      socket.end()
    }
  })
}

function judge(bytes: Buffer): End {
  if (bytes.length === 0) return { name: 'no answer' }
  const head = bytes.indexOf('\r\n\r\n') + 4
  const status = Number(bytes.subarray(9, 12))
  const text = bytes.toString('latin1')
  if (/\bat \S+:\d+|worker\.js|stack/i.test(text)) return { name: 'leak', finding: text.slice(0, 500) }
  if (status !== 101)
    return { name: `${status}`, ...(!(status >= 400 && status < 500) && { finding: text.slice(0, 200) }) }
  const close = findClose(bytes.subarray(head))
  if (close === undefined) return { name: 'dropped' }
  const isClear = CODES.includes(close.code) && !/[^ -~]/.test(close.reason)
  return { name: `${close.code}`, isOver: true, ...(!isClear && { finding: `${close.code} ${close.reason}` }) }
}

/** Frames of a server are not masked. */
function findClose(bytes: Buffer): { code: number; reason: string } | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1] & 127
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    const data = at + (short < 126 ? 2 : short === 126 ? 4 : 10)
    if ((bytes[at] & 15) === OPCODES.close) {
      if (length < 2) return { code: CLOSE.ended, reason: '' }
      return { code: bytes.readUInt16BE(data), reason: bytes.toString('latin1', data + 2, data + length) }
    }
    at = data + length
  }
  return undefined
}

function drawRequest(random: Random): Uint8Array {
  const query = new URLSearchParams()
  query.set(
    'role',
    happens(random, 0.9) ? choose(random, ['sender', 'sender', 'listener']) : choose(random, ['', 'king']),
  )
  query.set('session', happens(random, 0.9) ? choose(random, ['a', 'b']) : choose(random, ['', '../', 'x'.repeat(80)]))
  if (happens(random, 0.3)) query.set('hop', String(choose(random, [...EDGES, -1, 'NaN', '1e9', '0x10'])))
  if (happens(random, 0.2)) query.set('hear', choose(random, ['0', '1', 'no']))
  const head = [
    `GET /stream/fuzz-${below(random, STREAMS)}?${query} HTTP/1.1`,
    'host: edge',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${Buffer.from('sixteen letters!').toString('base64')}`,
    ...(happens(random, 0.7) ? ['sec-websocket-protocol: attenuate.1'] : []),
  ]
  return new TextEncoder().encode(`${head.join('\r\n')}\r\n\r\n`)
}

function drawFrames(random: Random): Uint8Array[] {
  const frames: Uint8Array[] = []
  let number = 0
  let sequence = below(random, 65536)
  for (let n = below(random, 10); n > 0; n--) {
    const way = random()
    if (way < 0.6) {
      const some = packets.slice(0, below(random, 6)).map((packet) => numbered(packet, sequence++))
      const message = encodePackets(happens(random, 0.9) ? number++ : disturb(random, number) >>> 0, some)
      frames.push(frame(random, OPCODES.binary, happens(random, 0.3) ? damage(random, message) : message))
    } else if (way < 0.8) frames.push(frame(random, OPCODES.text, drawText(random, number)))
    else if (way < 0.85) frames.push(frame(random, OPCODES.ping, new Uint8Array(below(random, 130))))
    else if (way < 0.9)
      frames.push(frame(random, OPCODES.binary, new Uint8Array(choose(random, [0, 4, 2373, 70_000, 1 << 20]))))
    else if (way < 0.95)
      frames.push(damage(random, frame(random, OPCODES.binary, encodePackets(number, packets.slice(0, 2)))))
    else frames.push(closing(random)) // and goes on
  }
  return [...frames, closing(random)]
}

function numbered(packet: Uint8Array, sequence: number): Uint8Array {
  const out = packet.slice()
  new DataView(out.buffer).setUint16(2, sequence & 65535, true)
  return out
}

const TEXTS = ['', 'null', '[]', '{', '{"type":"heard"}', '{"type":"heard","hop":-1}', '{"type":"skip","to":1e300}']

function drawText(random: Random, number: number): Uint8Array {
  const encode = (text: string) => new TextEncoder().encode(text)
  if (happens(random, 0.3)) return encode(`{"type":"heard","hop":${choose(random, EDGES)}}`)
  if (happens(random, 0.3))
    return encode(`{"type":"skip","to":${happens(random, 0.5) ? number + 1 : choose(random, EDGES)}}`)
  if (happens(random, 0.2)) return encode('x'.repeat(choose(random, [255, 256, 257, 100_000])))
  if (happens(random, 0.2)) return Uint8Array.of(0xff, 0xfe, 0x80) // not UTF-8
  return encode(choose(random, TEXTS))
}

function closing(random: Random): Uint8Array {
  const code = choose(random, [1000, 1000, 1001, 1005, 999, 2999, 4400, 65535])
  return frame(
    random,
    OPCODES.close,
    happens(random, 0.2) ? new Uint8Array(0) : Uint8Array.of(code >> 8, code & 255, 104, 105),
  )
}

/** As a client sends it, masked with zeros; seldom in two fragments, or without a mask. */
function frame(random: Random, opcode: number, payload: Uint8Array): Uint8Array {
  if (payload.length < 2 || !happens(random, 0.05)) return plain(opcode, payload, true, !happens(random, 0.01))
  const half = payload.length >> 1
  return joined(plain(opcode, payload.subarray(0, half), false), plain(CONTINUATION, payload.subarray(half)))
}

function plain(opcode: number, payload: Uint8Array, isLast = true, isMasked = true): Uint8Array {
  const { length } = payload
  const mask = isMasked ? 128 : 0
  const size =
    length < 126
      ? [mask | length]
      : length < 65536
        ? [mask | 126, length >> 8, length & 255]
        : [mask | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]
  const head = [(isLast ? 128 : 0) | opcode, ...size, ...(isMasked ? [0, 0, 0, 0] : [])]
  return joined(Uint8Array.from(head), payload)
}

if (process.argv[1]?.endsWith('fuzz.ts')) {
  const options = new Command('npm run fuzz:edge --')
    .option('--connections <n>', 'to the real Worker', wholeNumber, 2000)
    .option('--seed <n>', 'of what they say', wholeNumber, 1)
    .option('--from <n>', 'the first of them', wholeNumber, 0)
    .parse()
    .opts<{ connections: number; seed: number; from: number }>()
  console.log(JSON.stringify({ ...options, ends: await fuzzEdge(options) }, null, 2))
}
