// Noise alone and onsets: known attenuation and known loss come out as such.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rmsDb } from './level.ts'
import { makeNoiseClips, measureAttenuation } from './noiseOnly.ts'
import { addSilentLead, findOnset, measureOnsetLoss } from './onset.ts'
import { synthesiseNoise, synthesiseSpeech } from './syntheticSpeech.ts'

const near = (value: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`)

test('noise clips: steady recordings and three generated ones, at -36 dBFS', () => {
  const steady = { name: 'fan', samples: synthesiseNoise(200000, 0.1, 1) }
  const unsteady = { name: 'knocks', samples: steady.samples.map((v, i) => (i % 16000 < 3000 ? v : 0)) }
  const clips = makeNoiseClips({ noise: [steady, unsteady] }, 1)
  assert.equal(
    clips.map((c) => c.name),
    ['fan', 'generated white', 'generated pink', 'generated hum'],
  )
  for (const { noise } of clips) {
    near(rmsDb(noise), -36, 0.01)
    assert.is(noise.length, 30 * 16000)
  }
})

test('attenuation counts after the settling time only', () => {
  const noise = synthesiseNoise(128000, 0.1, 1)
  near(
    measureAttenuation(
      noise,
      noise.map((v, i) => (i < 32000 ? v : 0.1 * v)),
    ),
    20,
    0.01,
  )
})

const clip = addSilentLead(synthesiseSpeech(3, 4))

test('the onset lies at the first syllable', () => {
  const onset = findOnset(clip)
  assert.ok(onset >= 16000)
  assert.ok(rmsDb(clip.subarray(0, onset)) < -40)
  assert.ok(rmsDb(clip.subarray(onset, onset + 3200)) > -35)
})

test('loss is the missing energy of the first 200 ms', () => {
  near(measureOnsetLoss(clip, clip), 0, 1e-9)
  near(
    measureOnsetLoss(
      clip,
      clip.map((v) => v / 2),
    ),
    6.02,
    0.01,
  )
  const late = findOnset(clip) + 3200
  near(
    measureOnsetLoss(
      clip,
      clip.map((v, i) => (i < late ? v : 0)),
    ),
    0,
    1e-9,
  )
})

test.run()
