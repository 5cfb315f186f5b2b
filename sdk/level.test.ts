// Levels against sums by definition, whatever is among the samples.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawNoise } from './fixture.ts'
import { Level } from './level.ts'

const CHUNK = drawNoise(1, 100_003)
const NONE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -65537]

function measure(chunks: readonly Float32Array[]): Level {
  const level = new Level()
  for (const chunk of chunks) level.take(chunk, chunk.length)
  return level
}

function energyDb(samples: Float32Array): number {
  return 10 * Math.log10(samples.reduce((sum, x) => sum + x * x, 0) / samples.length)
}

test('energy and peak of all samples, in one chunk or many', () => {
  const parts = [0, 1, 2, 3, 5, 50_001].map((from, i, all) => CHUNK.subarray(from, all[i + 1]))
  for (const level of [measure([CHUNK]), measure(parts)]) {
    assert.ok(Math.abs(level.rmsDb - energyDb(CHUNK)) < 1e-9)
    assert.is(
      level.peak,
      CHUNK.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0),
    )
  }
})

test('what is no sample, anywhere in one large chunk, is left out by itself', () => {
  for (const value of NONE)
    for (const at of [0, 5000, CHUNK.length - 1]) {
      const [spoiled, clean] = [CHUNK.slice(), CHUNK.slice()]
      spoiled[at] = value
      clean[at] = 0
      const [found, expected] = [measure([spoiled]), measure([clean])]
      assert.ok(Math.abs(found.rmsDb - expected.rmsDb) < 1e-9, `${value} at ${at}: ${found.rmsDb} dB`)
      assert.is(found.peak, expected.peak, `${value} at ${at}`)
    }
})

test('nothing but what is none is silence', () => {
  const level = measure([Float32Array.from(NONE)])
  assert.is(level.rmsDb, Number.NEGATIVE_INFINITY)
  assert.is(level.peak, 0)
})

test.run()
