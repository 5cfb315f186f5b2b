// SI-SDR: known answers from orthogonal errors of known energy, invariance to level and offset.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { measureSiSdr } from './sisdr.ts'

const LENGTH = 16000
const sine = (cycles: number, amplitude: number): Float32Array =>
  Float32Array.from({ length: LENGTH }, (_, i) => amplitude * Math.sin((2 * Math.PI * cycles * i) / LENGTH))
const add = (a: Float32Array, b: Float32Array): Float32Array => a.map((v, i) => v + b[i])
const near = (value: number, expected: number, tolerance = 1e-3): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`)

const clean = sine(440, 0.5)

for (const expectedDb of [-10, 0, 20]) {
  test(`is ${expectedDb} dB for an orthogonal error ${expectedDb} dB below`, () => {
    near(measureSiSdr(clean, add(clean, sine(1000, 0.5 * 10 ** (-expectedDb / 20)))), expectedDb)
  })
}

test('ignores level and offset of the output', () => {
  const enhanced = add(clean, sine(1000, 0.05))
  near(
    measureSiSdr(
      clean,
      enhanced.map((v) => 0.01 * v + 0.2),
    ),
    measureSiSdr(clean, enhanced),
    0.01,
  )
})

test('is very low for an output orthogonal to the clean signal', () => {
  assert.ok(measureSiSdr(clean, sine(441, 0.5)) < -60)
})

test('is above 100 dB for the clean signal itself', () => {
  assert.ok(measureSiSdr(clean, clean) > 100)
})

test('refuses unequal lengths', () => {
  assert.throws(() => measureSiSdr(clean, clean.subarray(1)), /LENGTH_MISMATCH/)
})

test.run()
