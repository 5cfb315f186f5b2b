// Levels: RMS and active level of known signals, spread of steady and of interrupted noise, quantiles.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { activeLevelDb, levelSpreadDb, median, quantile, rmsDb } from './level.ts'
import { synthesiseNoise } from './syntheticSpeech.ts'

const near = (value: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`)
const noise = synthesiseNoise(64000, 0.1, 1)

test('RMS of noise of RMS 0.1 is -20 dB', () => near(rmsDb(noise), -20, 0.1))

test('silence is the floor, not minus infinity', () => assert.is(rmsDb(new Float32Array(100)), -120))

test('pauses lower the RMS but not the active level', () => {
  const halfSilent = noise.map((v, i) => (i < 32000 ? v : 0))
  near(rmsDb(halfSilent), -23, 0.1)
  near(activeLevelDb(halfSilent), -20, 0.1)
})

test('steady noise has a small spread, interrupted noise a large one', () => {
  assert.ok(levelSpreadDb(noise) < 1)
  assert.ok(levelSpreadDb(noise.map((v, i) => (Math.floor(i / 8000) % 2 === 0 ? v : 0.01 * v))) > 30)
})

test('quantiles interpolate', () => {
  assert.is(median([3, 1, 2]), 2)
  assert.is(median([4, 1, 2, 3]), 2.5)
  assert.is(quantile([0, 10], 0.9), 9)
  assert.ok(Number.isNaN(median([])))
})

test.run()
