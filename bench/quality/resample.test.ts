// Resampling: no delay, unit gain in the pass band, aliases gone, length rounded up.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { meanPower, powerToDb } from './level.ts'
import { resample } from './resample.ts'

const sine = (hz: number, rate: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate))

/** Error power re signal power in dB, away from the edges. */
const errorDb = (y: Float32Array, expected: Float32Array): number => {
  const inner = (x: Float32Array) => x.subarray(y.length / 8, (7 * y.length) / 8)
  const error = inner(y).map((v, i) => v - inner(expected)[i])
  return powerToDb(meanPower(error)) - powerToDb(meanPower(inner(expected)))
}

for (const [from, to] of [
  [16000, 48000],
  [48000, 16000],
  [44100, 16000],
  [16000, 4000],
]) {
  test(`${from} -> ${to} Hz keeps a tone in place`, () => {
    const y = resample(sine(1000, from, from), from, to)
    assert.is(y.length, to)
    assert.ok(errorDb(y, sine(1000, to, to)) < -90, `${errorDb(y, sine(1000, to, to))} dB`)
  })
}

test('a tone above the new Nyquist frequency disappears', () => {
  const y = resample(sine(9000, 48000, 48000), 48000, 16000)
  assert.ok(powerToDb(meanPower(y.subarray(1000, 15000))) < -90)
})

test('there and back is transparent below the transition band', () => {
  const x = sine(7000, 16000, 16000)
  assert.ok(errorDb(resample(resample(x, 16000, 48000), 48000, 16000), x) < -85)
})

test('equal rates return the same samples', () => {
  const x = sine(100, 16000, 100)
  assert.is(resample(x, 16000, 16000), x)
})

test.run()
