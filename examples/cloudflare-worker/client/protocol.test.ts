// Messages as bytes: what goes in comes out, whatever the packets' order; what they cost; what is no message.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../../../quantize/specimens.ts'
import { encodePacket } from '../../../sdk/index.ts'
import { decodePackets, decodeText, encodePackets, MAX_MESSAGE_BYTES, MAX_PACKETS } from './protocol.ts'

const tone = Float32Array.from({ length: 64 }, (_, i) => 0.3 * Math.sin(i))
const packetsOf = (...sequences: number[]) => sequences.map((sequence) => encodePacket(tone, sequence & 65535))

test('eight packets that follow one another share a header, over the end of the numbers too', () => {
  for (const first of [0, 250, 65530]) {
    const packets = packetsOf(...Array.from({ length: 8 }, (_, i) => first + i))
    const bytes = encodePackets(7, packets)
    assert.is(bytes.length, 4 + 4 + 8 * 33)
    assert.equal(decodePackets(bytes), { number: 7, packets })
  }
})

test('any order, any number of packets', () => {
  const random = seedRandom(4)
  for (let count = 0; count <= MAX_PACKETS; count++) {
    let sequence = 65000
    const packets = Array.from({ length: count }, () => {
      sequence += random() < 0.7 ? 1 : Math.floor(2000 * random()) - 1000
      return encodePacket(tone, sequence & 65535, { law: random() < 0.1 ? 'linear' : 'mulaw' })
    })
    const bytes = encodePackets(2 ** 32 - 1, packets)
    assert.equal(decodePackets(bytes), { number: 2 ** 32 - 1, packets })
    assert.ok(bytes.length <= MAX_MESSAGE_BYTES)
  }
})

test('what is no message', () => {
  const sound = encodePackets(1, packetsOf(5, 6, 9))
  assert.is(sound.length, 4 + 2 * 4 + 3 * 33)
  for (let length = 0; length < sound.length; length++) {
    const isWhole = length === 4 || length === 4 + 4 + 2 * 33
    assert.is(decodePackets(sound.subarray(0, length)) !== undefined, isWhole, `${length} bytes`)
  }
  const empty = sound.map((byte, i) => (i === 5 ? 0 : byte))
  assert.is(decodePackets(empty), undefined, 'an empty run')
  const many = new Uint8Array(4 + 4 + 65 * 33).fill(65, 5, 6)
  assert.is(decodePackets(many), undefined, '65 packets')
})

test('text that is a message, and text that is none', () => {
  assert.equal(decodeText('{"type":"heard","hop":3,"more":1}'), { type: 'heard', hop: 3 })
  assert.equal(decodeText('{"type":"skip","to":0}'), { type: 'skip', to: 0 })
  for (const text of ['', 'null', '[]', '{"type":"skip"}', '{"type":"skip","to":-1}', '{"type":"heard","hop":"3"}'])
    assert.is(decodeText(text), undefined, text)
})

test.run()
