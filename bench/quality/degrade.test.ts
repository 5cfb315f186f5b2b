// Degraded speech: what a band limit leaves, how many levels four bits have, how much noise they add.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compress, expand, limitBand, quantise4Bit, quantiseUniform } from './degrade.ts'
import { meanPower, powerToDb, rmsDb } from './level.ts'
import { measureSiSdr } from './metrics/sisdr.ts'
import { synthesiseSpeech } from './syntheticSpeech.ts'

const tone = (hz: number): Float32Array =>
  Float32Array.from({ length: 16000 }, (_, i) => Math.sin((2 * Math.PI * hz * i) / 16000))
const innerDb = (x: Float32Array): number => powerToDb(meanPower(x.subarray(2000, 14000)))

test('a 4 kHz recording keeps 1.5 kHz and loses 2.5 kHz', () => {
  assert.ok(Math.abs(innerDb(limitBand(tone(1500), 4000)) + 3.01) < 0.05)
  assert.ok(innerDb(limitBand(tone(2500), 4000)) < -80)
})

test('an 8 kHz recording keeps 3.5 kHz and loses 5 kHz, length unchanged', () => {
  const kept = limitBand(tone(3500), 8000)
  assert.is(kept.length, 16000)
  assert.ok(Math.abs(innerDb(kept) + 3.01) < 0.05)
  assert.ok(innerDb(limitBand(tone(5000), 8000)) < -80)
})

test('mu-law and its inverse cancel', () => {
  for (const v of [-1, -0.3, -0.001, 0, 0.02, 1]) assert.ok(Math.abs(expand(compress(v)) - v) < 1e-12)
})

test('four bits are 16 levels, none of them zero', () => {
  const levels = new Set(Array.from({ length: 2001 }, (_, i) => quantiseUniform(i / 1000 - 1, 4)))
  assert.is(levels.size, 16)
  assert.not.ok(levels.has(0))
})

test('quantising does not depend on the level and costs most of the signal-to-noise ratio', () => {
  const speech = synthesiseSpeech(3, 1)
  const quantised = quantise4Bit(speech)
  assert.ok(new Set(quantised).size <= 16)
  const sdr = measureSiSdr(speech, quantised)
  assert.ok(sdr > 8 && sdr < 20, `${sdr}`)
  const faint = speech.map((v) => v / 128)
  assert.ok(Math.abs(rmsDb(quantise4Bit(faint)) - rmsDb(quantised) + 20 * Math.log10(128)) < 1e-3)
})

test.run()
