// Stress conditions: a transparent system keeps its score, a bad one is caught.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { peak } from './level.ts'
import type { Mix } from './mixes.ts'
import { CONDITIONS, measureStress } from './stress.ts'
import { synthesiseNoise, synthesiseSpeech } from './syntheticSpeech.ts'

const clean = synthesiseSpeech(2, 1)
const noise = synthesiseNoise(clean.length, 0.005, 2)
const noisy = clean.map((v, i) => v + noise[i])
const mixes: Mix[] = [{ name: 'm', noiseClass: 'other', snrDb: 10, clean, noise, noisy }]

test('a transparent system scores alike at every level, and less when clipped', async () => {
  const { finite, silencePeakDb, siSdrDb } = await measureStress({ name: 'same', enhance: async (x) => x }, mixes)
  assert.ok(finite)
  assert.is(silencePeakDb, -120)
  for (const condition of ['-40 dB', 'full scale', 'after 10 s silence', 'after 30 s of the same'])
    assert.ok(Math.abs(siSdrDb[condition] - siSdrDb['as is']) < 0.01, condition)
  assert.ok(siSdrDb.clipped < siSdrDb['as is'] - 1)
})

test('a hum in silence and a NaN are seen', async () => {
  const hum = await measureStress({ name: 'hum', enhance: async (x) => x.map((v) => v + 0.01) }, mixes)
  assert.ok(Math.abs(hum.silencePeakDb + 40) < 0.01)
  const nan = await measureStress({ name: 'nan', enhance: async (x) => x.map((v) => v / 0) }, mixes)
  assert.not.ok(nan.finite)
})

test('what creeps in over a long stream is seen', async () => {
  const creeping = (x: Float32Array) => x.map((v, i) => v + 1e-8 * (i % 2 ? i : -i))
  const { siSdrDb } = await measureStress({ name: 'creeping', enhance: async (x) => creeping(x) }, mixes)
  assert.ok(siSdrDb['after 30 s of the same'] < siSdrDb['as is'] - 1)
})

test('full scale stays below 1, clipped reaches it', () => {
  assert.ok(peak(CONDITIONS['full scale'](noisy)) < 1)
  assert.is(peak(CONDITIONS.clipped(noisy)), 1)
})

test.run()
