// What a sender may say to the Worker's Durable Object, and what nobody should: messages of packets and of text, damaged,
// doubled, out of order, far too long. In: random numbers. Out: a conversation for the object's parsers and its course;
// after a refusal the course must be where it was, after each message its counters must add up.

import { decodePackets, decodeText, encodePackets } from '../../examples/cloudflare-worker/client/protocol.ts'
import { Course } from '../../examples/cloudflare-worker/src/course.ts'
import type { Random } from '../../quantize/specimens.ts'
import { AttenuateError } from '../../sdk/errors.ts'
import { encodePacket } from '../../sdk/index.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, damage, disturb, EDGES, happens, joined } from './mutation.ts'

const WAIT_PACKETS = 3
const HOP_SAMPLES = 256
const TEXT = 1
const HEAD_BYTES = 5
const tone = Float32Array.from({ length: 64 }, (_, i) => 0.3 * Math.sin(i))
const toBytes = (text: string) => new TextEncoder().encode(text)

let course: Course
let start: ReturnType<Course['checkpoint']>

export const message: Target = {
  name: 'message',
  codes: ['PACKET_INVALID'],
  async prepare() {
    course = await Course.open(WAIT_PACKETS)
    course.begin('fuzz')
    start = course.checkpoint()
  },
  draw(random) {
    let sequence = below(random, 65536)
    let number = 0
    const said: Uint8Array[] = []
    for (let n = 1 + below(random, 6); n > 0; n--) {
      if (happens(random, 0.2)) {
        said.push(framed(TEXT, drawText(random, number)))
        continue
      }
      const packets = Array.from({ length: below(random, 5) }, () =>
        encodePacket(tone, (happens(random, 0.9) ? sequence++ : disturb(random, sequence)) & 65535),
      )
      const bytes = encodePackets(happens(random, 0.9) ? number++ : disturb(random, number) >>> 0, packets)
      said.push(framed(0, happens(random, 0.2) ? damage(random, bytes) : bytes))
      if (happens(random, 0.1)) said.push(said[below(random, said.length)])
    }
    return joined(...said)
  },
  parse(bytes) {
    course.goBack(start)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < bytes.length; ) {
      const length = view.getUint32(at + 1, true)
      const part = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length)
      if (bytes[at] === TEXT) takeText(new TextDecoder().decode(part))
      else takePackets(part)
      at += HEAD_BYTES + length
    }
  },
}

function takePackets(bytes: Uint8Array): void {
  const taken = decodePackets(bytes)
  if (taken === undefined) throw refusal('message', bytes.length)
  const again = decodePackets(encodePackets(taken.number, taken.packets))!
  promise(again.number === taken.number && packed(again) === packed(taken), 'what is read is what was written')
  if (taken.number !== course.next || course.ended) return
  const before = course.checkpoint()
  try {
    const samples = course.take(taken)
    promise(samples.length % HOP_SAMPLES === 0 && !samples.some(Number.isNaN), 'whole hops of numbers')
    promise(course.hop === before.hop + samples.length / HOP_SAMPLES, 'every hop is counted')
  } catch (error) {
    // of the built package, as the Worker has it: another class of the same name
    const { code, message: why } = error as AttenuateError
    if (code !== 'PACKET_INVALID') throw error
    promise(same(course.checkpoint(), before), `a refused message changes nothing (${why})`)
    throw refusal('packet', bytes.length)
  }
  const { received, played, late, duplicates, waiting, messages, lostMessages } = course.counters
  promise(received === played + late + duplicates + waiting, 'packets add up')
  promise(messages + lostMessages === course.next, 'messages add up')
}

function packed({ packets }: { packets: readonly Uint8Array[] }): string {
  return Buffer.concat(packets).toString('hex')
}

function takeText(text: string): void {
  const said = decodeText(text)
  if (said === undefined) throw refusal('text', text.slice(0, 20))
  const count = said.type === 'skip' ? said.to : said.hop
  promise(Number.isSafeInteger(count) && count >= 0, 'a count is one')
  if (said.type === 'skip' && count >= course.next && count < 2 ** 32) course.skip(count)
}

function same(a: typeof start, b: typeof start): boolean {
  const rest = ({ snapshot, ...others }: typeof start) => JSON.stringify(others)
  return rest(a) === rest(b) && Buffer.compare(a.snapshot, b.snapshot) === 0
}

function refusal(what: string, value: unknown): AttenuateError {
  return new AttenuateError('PACKET_INVALID', what, value, 'as the object would')
}

function framed(kind: number, bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES)
  head[0] = kind
  new DataView(head.buffer).setUint32(1, bytes.length, true)
  return joined(head, bytes)
}

const TYPES = ['heard', 'skip', 'skip', 'welcome', '__proto__', 5]
const VALUES = [...EDGES, -1, 0.5, 1e300, null, '7', [7], { valueOf: 7 }]

function drawText(random: Random, number: number): Uint8Array {
  if (happens(random, 0.4)) return toBytes(`{"type":"skip","to":${number + below(random, 3)}}`)
  const text = JSON.stringify({ type: choose(random, TYPES), hop: choose(random, VALUES), to: choose(random, VALUES) })
  if (happens(random, 0.2))
    return toBytes(choose(random, ['', 'null', '[]', '"skip"', '1e999', '{'.repeat(5000), text + text]))
  return happens(random, 0.5) ? damage(random, toBytes(text)) : toBytes(text)
}
