// Log-spectral distance: a gain of g dB gives g in every band that lies above the floor; silence costs its height over the floor.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { limitBand } from '../degrade.ts'
import { synthesiseNoise } from '../syntheticSpeech.ts'
import { FLOOR_DB, HIGH_BAND, LOW_BAND, measureLsd } from './lsd.ts'

const noise = synthesiseNoise(32000, 0.1, 1)
const near = (value: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`)

test('is 0 for the clean signal', () => {
  assert.is(measureLsd(noise, noise, LOW_BAND), 0)
})

test('is the gain in dB for a scaled white signal', () => {
  // The floor clips the rare bins that fall more than 54 dB below the loudest.
  near(
    measureLsd(
      noise,
      noise.map((v) => v / 2),
      LOW_BAND,
    ),
    20 * Math.log10(2),
    0.01,
  )
  near(
    measureLsd(
      noise,
      noise.map((v) => v * 2),
      HIGH_BAND,
    ),
    20 * Math.log10(2),
    0.01,
  )
})

test('sees a missing upper band in the upper band only', () => {
  const limited = limitBand(noise, 4000)
  assert.ok(measureLsd(noise, limited, { fromHz: 0, toHz: 1700 }) < 0.2)
  assert.ok(measureLsd(noise, limited, HIGH_BAND) > 30)
})

test('is bounded by the floor', () => {
  const silence = new Float32Array(noise.length)
  const distance = measureLsd(noise, silence, LOW_BAND)
  assert.ok(distance > 30 && distance < -FLOOR_DB, `${distance}`)
  // Both at or below the floor: no distance at all.
  const loud = Float32Array.from({ length: 32000 }, (_, i) => (i < 16000 ? noise[i] : 0))
  const faint = loud.map((v, i) => (i < 16000 ? v : 1e-6 * noise[i]))
  assert.ok(measureLsd(loud, faint, HIGH_BAND) < 1e-3)
})

test('is NaN for a silent clean clip', () => {
  assert.ok(Number.isNaN(measureLsd(new Float32Array(4000), noise.subarray(0, 4000), LOW_BAND)))
})

test.run()
