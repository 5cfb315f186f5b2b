// The sender's half of the protocol against a model of the object that forgets at random: each message is taken once and in order,
// or announced as lost and counted; each hop is heard once.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../../../quantize/specimens.ts'
import { Link } from './link.ts'
import { decodePackets, encodeAudio, type FromObject, HOP_SAMPLES, type ToObject } from './protocol.ts'

const WINDOW = 8
const packet = new Uint8Array(36).fill(0x10, 0, 1)

/** Takes messages of one packet each, makes a hop of each, and may lose everything since the last checkpoint. */
class ForgetfulObject {
  /** Numbers taken, in order, and announced as lost. */
  taken: number[] = []
  lost: number[] = []
  next = 0
  #stored = { next: 0, taken: 0, lost: 0 }

  welcome(isNew: boolean): string {
    return text({ type: 'welcome', next: this.next, hop: this.taken.length, window: WINDOW, isNew, ended: false })
  }

  take(message: string | Uint8Array): (string | Uint8Array)[] {
    if (typeof message === 'string') return this.#takeText(JSON.parse(message))
    const { number } = decodePackets(message)!
    if (number > this.next) return [text({ type: 'resume', next: this.next })]
    if (number < this.next) return []
    this.next++
    const audio = encodeAudio(this.taken.length, new Float32Array(HOP_SAMPLES))
    this.taken.push(number)
    return [audio, text({ type: 'ack', taken: this.next, persisted: this.#stored.next })]
  }

  store(): void {
    this.#stored = { next: this.next, taken: this.taken.length, lost: this.lost.length }
  }

  forget(): void {
    this.next = this.#stored.next
    this.taken.length = this.#stored.taken
    this.lost.length = this.#stored.lost
  }

  #takeText(message: ToObject): string[] {
    if (message.type !== 'skip') return []
    for (; this.next < message.to; this.next++) this.lost.push(this.next)
    return [text({ type: 'ack', taken: this.next, persisted: this.#stored.next })]
  }
}

function text(message: FromObject): string {
  return JSON.stringify(message)
}

/** Everything that can be said is said, until nobody has anything to say. */
function converse(link: Link, object: ForgetfulObject, most = Number.POSITIVE_INFINITY): void {
  let said = 0
  for (let isQuiet = false; !isQuiet; ) {
    isQuiet = true
    for (const message of link.outgoing()) {
      isQuiet = false
      for (const answer of object.take(message)) {
        if (typeof answer === 'string') link.takeText(answer)
        else link.takeAudio(answer)
      }
      if (++said >= most) return
    }
  }
}

for (let seed = 0; seed < 200; seed++)
  test(`a forgetful object and a small buffer, seed ${seed}`, () => {
    const random = seedRandom(seed)
    const link = new Link({ bufferMessages: 24 })
    const object = new ForgetfulObject()
    let isConnected = false
    for (let i = 0; i < 400; i++) {
      link.push([packet])
      const dice = random()
      if (dice < 0.04) {
        link.disconnected()
        isConnected = false
      } else if (dice < 0.07) object.forget()
      else if (dice < 0.2) object.store()
      else if (dice < 0.4 && !isConnected) {
        link.takeText(object.welcome(i === 0))
        isConnected = true
      }
      if (isConnected) converse(link, object, 1 + Math.floor(6 * random()))
    }
    if (!isConnected) link.takeText(object.welcome(false))
    converse(link, object)
    const all = [...object.taken, ...object.lost].sort((a, b) => a - b)
    assert.equal(
      all,
      Array.from({ length: 400 }, (_, number) => number),
      'each once',
    )
    assert.equal(
      object.taken,
      [...object.taken].sort((a, b) => a - b),
      'in order',
    )
    assert.is(link.stats().lostMessages, object.lost.length)
    assert.ok(link.stats().mostBuffered <= 24)
  })

test('what was heard before is left out, what never came is counted', () => {
  const link = new Link()
  link.takeText(text({ type: 'welcome', next: 0, hop: 10, window: 1, isNew: true, ended: false }))
  const hear = (hop: number, hops: number) =>
    link.takeAudio(encodeAudio(hop, new Float32Array(hops * HOP_SAMPLES))).length
  assert.is(hear(10, 3), 3 * HOP_SAMPLES)
  assert.is(hear(11, 2), 0)
  assert.is(hear(12, 3), 2 * HOP_SAMPLES)
  assert.is(hear(20, 1), HOP_SAMPLES)
  assert.is(link.hop, 21)
  assert.equal([link.stats().heardHops, link.stats().missedHops], [6, 5])
})

test('the window holds back, and a buffer without room says so', () => {
  const link = new Link({ bufferMessages: 12 })
  for (let i = 0; i < 12; i++) link.push([packet])
  assert.is(link.room, 0)
  assert.is([...link.outgoing()].length, 0, 'nothing before welcome')
  link.takeText(text({ type: 'welcome', next: 0, hop: 0, window: 5, isNew: true, ended: false }))
  assert.is([...link.outgoing()].length, 5)
  link.takeText(text({ type: 'ack', taken: 3, persisted: 2 }))
  assert.is([...link.outgoing()].length, 3)
  assert.is(link.room, 2)
  assert.throws(() => link.push([]), /packets in a message, 0; give 1..64/)
  assert.throws(() => new Link({ bufferMessages: 0 }), /bufferMessages, 0; give a whole number/)
})

test.run()
