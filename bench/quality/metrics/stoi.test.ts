// STOI: identity, order, and values of an independent float64 numpy implementation of the paper on the same signals.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { synthesiseNoise, synthesiseSpeech } from '../syntheticSpeech.ts'
import { measureStoi } from './stoi.ts'

const clean = synthesiseSpeech(4, 1)
const addNoise = (rms: number): Float32Array => {
  const noise = synthesiseNoise(clean.length, rms, 2)
  return clean.map((v, i) => v + noise[i])
}

/** [noise RMS, score of the numpy reference] */
const REFERENCE: [number, number][] = [
  [0.01, 0.9226567928],
  [0.05, 0.6889280863],
  [0.2, 0.4201982768],
]

for (const [rms, expected] of REFERENCE) {
  test(`agrees with the reference at noise RMS ${rms}`, () => {
    assert.ok(Math.abs(measureStoi(clean, addNoise(rms)) - expected) < 1e-6)
  })
}

test('is 1 for the clean signal, at any level', () => {
  assert.ok(Math.abs(measureStoi(clean, clean) - 1) < 1e-9)
  assert.ok(
    Math.abs(
      measureStoi(
        clean,
        clean.map((v) => 0.1 * v),
      ) - 1,
    ) < 1e-9,
  )
})

test('is near 0 for unrelated noise', () => {
  assert.ok(measureStoi(clean, synthesiseNoise(clean.length, 0.1, 5)) < 0.45)
})

test('is NaN when the clip is too short for one segment', () => {
  assert.ok(Number.isNaN(measureStoi(clean.subarray(0, 4000), clean.subarray(0, 4000))))
})

test('refuses unequal lengths', () => {
  assert.throws(() => measureStoi(clean, clean.subarray(1)), /LENGTH_MISMATCH/)
})

test.run()
