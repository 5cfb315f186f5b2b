// The free list: alignment, reuse, merging, and that random lives never overlap.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../quantize/specimens.ts'
import { ALIGNMENT, Arena } from './arena.ts'

test('addresses are aligned, begin after the core and follow one another', () => {
  const arena = new Arena(1000, () => {})
  assert.is(arena.allocate(1), 1024)
  assert.is(arena.allocate(65), 1088)
  assert.is(arena.allocate(1), 1216)
  assert.is(arena.end, 1280)
})

test('what is released is used again, neighbours as one piece', () => {
  const arena = new Arena(0, () => {})
  const [a, b, c, d] = [64, 128, 64, 64].map((bytes) => arena.allocate(bytes))
  arena.release(a, 64)
  arena.release(c, 64)
  arena.release(b, 128)
  assert.is(arena.allocate(256), a)
  arena.release(a, 256)
  arena.release(d, 64)
  assert.is(arena.end, 0)
})

test('memory grows before an address is handed out', () => {
  let bytes = 0
  const arena = new Arena(64, (end) => {
    bytes = end
  })
  arena.allocate(100)
  assert.is(bytes, 192)
  assert.is(arena.usedBytes, 128)
})

test('a refused growth changes nothing', () => {
  const arena = new Arena(0, (end) => {
    if (end > 128) throw new Error('full')
  })
  arena.allocate(128)
  assert.throws(() => arena.allocate(1), 'full')
  assert.is(arena.end, 128)
})

test('random lives never overlap and leave nothing', () => {
  const random = seedRandom(7)
  const arena = new Arena(0, () => {})
  const live: { address: number; bytes: number }[] = []
  for (let i = 0; i < 5000; i++) {
    if (live.length > 0 && random() < 0.5) {
      const [gone] = live.splice(Math.floor(random() * live.length), 1)
      arena.release(gone.address, gone.bytes)
      continue
    }
    const bytes = 1 + Math.floor(random() * 1000)
    const address = arena.allocate(bytes)
    assert.is(address % ALIGNMENT, 0)
    assert.ok(live.every((other) => address + bytes <= other.address || other.address + other.bytes <= address))
    live.push({ address, bytes })
  }
  for (const { address, bytes } of live) arena.release(address, bytes)
  assert.is(arena.end, 0)
})

test.run()
