// Snapshots of a sensor's receiver, forged: places in the sequence, counters, packets that wait, and the denoiser's own snapshot
// inside, with all check sums right again or not. In: random numbers. Out: bytes for SensorReceiver.restore; after a refusal
// the receiver must be what it was, after an acceptance the packets that follow must make whole hops of numbers.

import type { Random } from '../../quantize/specimens.ts'
import { Denoiser, encodePacket, SensorReceiver } from '../../sdk/index.ts'
import { wordsOfSnapshot } from '../../sdk/snapshot.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, EDGES, happens, joined } from './mutation.ts'
import { resealed, spoil } from './seal.ts'

const WAIT_PACKETS = 3
const HOP_SAMPLES = 256
/** More than a step back and a gap can make of one packet. */
const MOST_HOPS = 600
const HEADER_BYTES = 48
const CHECK_BYTES = 4
const tone = Float32Array.from({ length: 64 }, (_, i) => 0.3 * Math.sin(i))
const packetAt = (sequence: number) => encodePacket(tone, sequence & 65535)

let receiver: SensorReceiver
let before: Uint8Array
/** Where the denoiser's snapshot begins. */
let innerAt = 0

export const received: Target = {
  name: 'receiver',
  codes: ['STATE_INVALID'],
  async prepare() {
    const denoiser = await Denoiser.create({ model: 'nano' })
    receiver = new SensorReceiver(denoiser, { waitPackets: WAIT_PACKETS })
    for (const sequence of [65530, 65531, 65533, 65534, 3, 65532, 4, 7, 6]) receiver.take(packetAt(sequence))
    before = receiver.snapshot()
    innerAt = before.length - CHECK_BYTES - denoiser.snapshot().length
  },
  draw(random) {
    const inner = before.subarray(innerAt, -CHECK_BYTES)
    const way = below(random, 4)
    if (way === 0) return spoil(random, before)
    if (way === 1) return resealed(joined(before.subarray(0, innerAt - 4), withLength(spoil(random, inner))))
    if (way === 2) return resealed(withEdges(random, before.subarray(0, -CHECK_BYTES)))
    return happens(random, 0.3) ? before.slice() : before.subarray(0, below(random, before.length))
  },
  parse(bytes, random) {
    try {
      receiver.restore(bytes)
    } catch (error) {
      promise(Buffer.compare(receiver.snapshot(), before) === 0, 'a refused snapshot changes nothing')
      throw error
    }
    const [, expected] = wordsOfSnapshot(bytes, 2)
    for (const sequence of [expected, expected + below(random, 40), below(random, 65536)]) {
      const samples = receiver.take(packetAt(sequence))
      promise(
        samples.length % HOP_SAMPLES === 0 && samples.length < MOST_HOPS * HOP_SAMPLES,
        'whole hops, not too many',
      )
      promise(!samples.some(Number.isNaN), 'numbers come out')
    }
    promise(receiver.stats().waiting <= WAIT_PACKETS, 'no more wait than may')
    receiver.restore(before)
  },
}

function withLength(inner: Uint8Array): Uint8Array {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, inner.length, true)
  return joined(length, inner)
}

/** Some of the receiver's own words, before the denoiser's. */
function withEdges(random: Random, body: Uint8Array): Uint8Array {
  const out = body.slice()
  const view = new DataView(out.buffer)
  const words = (innerAt - HEADER_BYTES) / 4
  for (let n = 1 + below(random, 3); n > 0; n--)
    view.setUint32(HEADER_BYTES + 4 * below(random, words), choose(random, EDGES), true)
  return out
}
