// Log-spectral distance: a gain of g dB gives g in every band that lies above the floor; silence costs its height over the floor.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { limitBand } from '../degrade.ts'
import { synthesiseNoise } from '../syntheticSpeech.ts'
import { type Band, FLOOR_DB, HIGH_BAND, LOW_BAND, measureLsd } from './lsd.ts'

const measureIn = (clean: Float32Array, enhanced: Float32Array, band: Band): number =>
  measureLsd(clean, enhanced, [band])[0]
const noise = synthesiseNoise(32000, 0.1, 1)
const near = (value: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`)

test('is 0 for the clean signal', () => {
  assert.is(measureIn(noise, noise, LOW_BAND), 0)
})

test('is the gain in dB for a scaled white signal', () => {
  // The floor clips the rare bins that fall more than 54 dB below the loudest.
  near(
    measureIn(
      noise,
      noise.map((v) => v / 2),
      LOW_BAND,
    ),
    20 * Math.log10(2),
    0.01,
  )
  near(
    measureIn(
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
  assert.ok(measureIn(noise, limited, { fromHz: 0, toHz: 1700 }) < 0.2)
  assert.ok(measureIn(noise, limited, HIGH_BAND) > 30)
})

test('is bounded by the floor', () => {
  const silence = new Float32Array(noise.length)
  const distance = measureIn(noise, silence, LOW_BAND)
  assert.ok(distance > 30 && distance < -FLOOR_DB, `${distance}`)
  // Both at or below the floor: no distance at all.
  const loud = Float32Array.from({ length: 32000 }, (_, i) => (i < 16000 ? noise[i] : 0))
  const faint = loud.map((v, i) => (i < 16000 ? v : 1e-6 * noise[i]))
  assert.ok(measureIn(loud, faint, HIGH_BAND) < 1e-3)
})

test('measures several bands at once', () => {
  const half = noise.map((v) => v / 2)
  assert.equal(measureLsd(noise, half, [LOW_BAND, HIGH_BAND]), [
    measureIn(noise, half, LOW_BAND),
    measureIn(noise, half, HIGH_BAND),
  ])
})

test('is NaN for a silent clean clip', () => {
  assert.ok(Number.isNaN(measureIn(new Float32Array(4000), noise.subarray(0, 4000), LOW_BAND)))
})

test.run()
