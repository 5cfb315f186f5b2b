// Many streams at once, as fast as the machine goes, over a bad radio and a bad network: 5 % of the packets lost, 2 % doubled, 3 %
// late by a few places, connections cut, objects killed; then the same traffic to objects that only echo (echo.ts). In: how
// many streams, how long. Out: a report; throws when a sample differs from Node's, a counter does not add up, something was
// lost that nobody reported, or memory grows with the audio.
//
//   npm run soak:edge                         64 streams of five minutes
//   npm run soak:edge -- --streams 8 --seconds 20

import { Command } from 'commander'
import * as assert from 'uvu/assert'
import { seedRandom } from '../../../quantize/specimens.ts'
import { wholeNumber } from '../../../scripts/wholeNumber.ts'
import { PACKET_BYTES } from '../../../sdk/sensor/packet.ts'
import { Edge } from './edge.ts'
import { expectNoGrowth, type Growth, growthOf, Meeting, type Sample, takeSample, untilStill } from './growth.ts'
import { drawPackets, expectSame, joined, pause, receiveInNode } from './reference.ts'

export interface SoakOptions {
  readonly streams: number
  readonly seconds: number
  /** Accidents of each stream: connections cut, and objects that die. */
  readonly cuts: number
  readonly crashes: number
  /** Of audio, at whose ends memory is measured; 0: it is not. */
  readonly windows: number
}

export interface SoakReport {
  readonly audioSeconds: number
  readonly wallSeconds: number
  readonly totals: Readonly<Record<string, number>>
  /** Of the runtime's memory: with streams, and with what only echoes. */
  readonly growth?: Growth
  readonly baseline?: Growth
  /** Why connections broke, and how often. */
  readonly breaks: Readonly<Record<string, number>>
}

const WAIT_PACKETS = 3
const PER_MESSAGE = 8
const VARIABLES = { MAX_SPEED: '0', MAX_CONNECTIONS: '1000', WAIT_PACKETS: String(WAIT_PACKETS) }

export async function soak(options: SoakOptions): Promise<SoakReport> {
  // drawn before anything is connected: it keeps this process busy for long
  const radios = Array.from({ length: options.streams }, (_, i) => receiveByRadio(i, options.seconds))
  const started = performance.now()
  const { runs, growth, breaks } = await playAll('soak', radios, options)
  const wallSeconds = (performance.now() - started) / 1000
  const baseline = options.windows > 0 ? (await playAll('echo', radios, options)).growth : undefined
  const totals: Record<string, number> = {}
  for (const [i, run] of runs.entries())
    for (const [name, count] of Object.entries(await check(i, radios[i], run)))
      totals[name] = (totals[name] ?? 0) + count
  return {
    audioSeconds: options.streams * options.seconds,
    wallSeconds,
    totals,
    breaks,
    ...(baseline && { growth, baseline }),
  }
}

/** `kind`: of object, and what the streams' names begin with. */
async function playAll(kind: 'soak' | 'echo', radios: readonly Radio[], options: SoakOptions) {
  const edge = await Edge.start(VARIABLES, options.windows > 0 ? 0 : undefined)
  const samples: Sample[] = []
  const breaks: Record<string, number> = {}
  const windowMinutes = (options.streams * options.seconds) / 60 / options.windows
  const meeting = new Meeting(radios.length, async () => {
    samples.push(await takeSample(edge, windowMinutes * (samples.length + 1)))
  })
  try {
    const runs = await Promise.all(
      radios.map((radio, i) => {
        const sender = { name: `${kind}-${i}`, onBreak: (why: string) => (breaks[why] = (breaks[why] ?? 0) + 1) }
        return play(edge, i, sender, radio, options, meeting)
      }),
    )
    return { runs, growth: growthOf(samples), breaks }
  } finally {
    await edge.stop()
  }
}

/** What arrives at the gateway of one sensor. */
interface Radio {
  readonly sent: number
  /** (arrived) packets of 36 bytes, one after the other: a million arrays would be in the way. */
  readonly bytes: Uint8Array
}

interface Run {
  readonly samples: Int16Array
  readonly counters: Readonly<Record<string, number>>
  readonly link: Readonly<Record<string, number>>
}

async function play(
  edge: Edge,
  stream: number,
  { name, onBreak }: { name: string; onBreak: (why: string) => void },
  radio: Radio,
  { cuts, crashes, windows }: SoakOptions,
  meeting: Meeting,
): Promise<Run> {
  const messages = Math.ceil(radio.bytes.length / (PER_MESSAGE * PACKET_BYTES))
  const random = seedRandom(1000 + stream)
  const draw = (count: number) => new Set(Array.from({ length: count }, () => Math.floor(random() * messages)))
  const [cutAt, crashAt] = [draw(cuts), draw(crashes)]
  const meetAt = new Set(Array.from({ length: windows }, (_, i) => Math.floor(((i + 1) * messages) / windows)))
  const parts: Int16Array[] = []
  const sender = edge.sender(name, { onAudio: (samples) => parts.push(samples), onBreak })
  for (let i = 0; i < messages; i++) {
    if (cutAt.has(i)) sender.reconnect()
    if (crashAt.has(i)) await edge.accident(name, 'crash')
    sender.push(packetsOf(radio, PER_MESSAGE * i, PER_MESSAGE * (i + 1)))
    while (sender.link.room < 448) await pause(1)
    if (!meetAt.has(i + 1)) continue
    await untilStill(sender.link)

    await meeting.join()
  }
  sender.end()
  const { counters } = await sender.ended
  return { samples: joined(parts), counters, link: { ...sender.stats() } }
}

function receiveByRadio(stream: number, seconds: number): Radio {
  const packets = drawPackets(Math.round(seconds / 0.016), stream)
  return { sent: packets.length, bytes: Buffer.concat(disturb(packets, stream)) }
}

/** Views of those `from`..`to` - 1. */
function packetsOf({ bytes }: Radio, from = 0, to = bytes.length / PACKET_BYTES): Uint8Array[] {
  const count = Math.min(to, bytes.length / PACKET_BYTES) - from
  return Array.from({ length: count }, (_, i) =>
    bytes.subarray(PACKET_BYTES * (from + i), PACKET_BYTES * (from + i + 1)),
  )
}

/** What the radio does. */
function disturb(packets: readonly Uint8Array[], seed: number): Uint8Array[] {
  const random = seedRandom(seed)
  const places = packets.flatMap((packet, i) => {
    if (random() < 0.05) return []
    const at = random() < 0.03 ? i + 1 + 4 * random() : i
    return random() < 0.02
      ? [
          { packet, at },
          { packet, at: at + 3 * random() },
        ]
      : [{ packet, at }]
  })
  return places.sort((a, b) => a.at - b.at).map(({ packet }) => packet)
}

async function check(stream: number, radio: Radio, { samples, counters, link }: Run) {
  const arrived = packetsOf(radio)
  const expected = await receiveInNode(arrived, WAIT_PACKETS)
  expectSame(samples, expected.samples, `samples of stream ${stream}`)
  for (const [name, count] of Object.entries(expected.stats))
    assert.is(counters[name], count, `${name} of stream ${stream}`)
  assert.is(counters.received, arrived.length)
  assert.is(counters.received, counters.played + counters.late + counters.duplicates)
  assert.is(samples.length, 256 * (counters.played + counters.lost))
  const losses = {
    'messages the sender gave up': link.lostMessages,
    'messages the object was told of': counters.lostMessages,
    'hops missed on the way down': link.missedHops,
    'fresh starts': counters.freshStarts,
  }
  for (const [name, count] of Object.entries(losses)) assert.is(count, 0, `${name}, stream ${stream}: ${count}`)
  assert.is(link.buffered, 0)
  const { lost, concealed, late, duplicates, reordered } = counters
  return {
    sent: radio.sent,
    arrived: arrived.length,
    lost,
    concealed,
    late,
    duplicates,
    reordered,
    ...pick(counters, link),
  }
}

function pick(counters: Run['counters'], link: Run['link']) {
  return { connections: counters.connections, returns: counters.returns, replayed: link.replayed }
}

if (process.argv[1]?.endsWith('soak.ts')) {
  const { streams, seconds } = new Command('npm run soak:edge --')
    .option('--streams <n>', 'at once', wholeNumber, 64)
    .option('--seconds <n>', 'of audio in each', wholeNumber, 300)
    .parse()
    .opts<{ streams: number; seconds: number }>()
  const report = await soak({ streams, seconds, cuts: 5, crashes: 2, windows: 12 })
  console.log(JSON.stringify(report, null, 2))
  await expectNoGrowth(report.growth!, streams)
}
