// norm against f64: odd widths, weights per position, fused activation, an offset much larger than the spread, silence.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, floatWord, padded, randoms, relativeError } from './fixture.ts'

const EPS = 1e-5

const PER_POSITION = 256

/** `parameter`: activation, and PER_POSITION where weights are (positions, channels). */
function run(x: Float32Array, channels: number, w: Float32Array, b: Float32Array, parameter = 0, positions = 2) {
  const bench = new Bench(
    buildModel([
      {
        kind: 'norm',
        steps: x.length / channels / positions,
        positions,
        channels,
        inputs: [x.length],
        weights: [padded(w), padded(b)],
        parameters: [floatWord(EPS), parameter],
      },
    ]),
  )
  const y = bench.hop([x])
  assert.ok(bench.canariesLive())
  return y
}

function reference(x: Float32Array, channels: number, w: Float32Array, b: Float32Array): number[] {
  const y: number[] = []
  for (let row = 0; row < x.length; row += channels) {
    const values = [...x.subarray(row, row + channels)]
    const mean = values.reduce((a, v) => a + v, 0) / channels
    const variance = values.reduce((a, v) => a + (v - mean) ** 2, 0) / channels
    for (let c = 0; c < channels; c++)
      y.push(
        ((values[c] - mean) / Math.sqrt(variance + Math.fround(EPS))) * w[(row + c) % w.length] +
          b[(row + c) % b.length],
      )
  }
  return y
}

for (const channels of [1, 2, 3, 4, 5, 7, 16, 24, 27, 96]) {
  test(`norm over ${channels} channels`, () => {
    const x = randoms(6 * channels, channels)
    const [w, b] = [randoms(channels, 1), randoms(channels, 2)]
    assert.ok(relativeError(run(x, channels, w, b), reference(x, channels, w, b)) < 1e-6)
    const gated = reference(x, channels, w, b).map((v) => v / (1 + Math.exp(-v)))
    assert.ok(relativeError(run(x, channels, w, b, 1), gated) < 5e-6)
  })
}

for (const [positions, channels] of [
  [3, 5],
  [4, 8],
  [6, 12],
  [7, 16],
  [24, 48],
  // more rows than go together, and then a few
  [75, 12],
]) {
  test(`weights for each of ${positions} positions, ${channels} channels, two steps`, () => {
    const x = randoms(2 * positions * channels, channels)
    const [w, b] = [randoms(positions * channels, 1), randoms(positions * channels, 2)]
    const expected = reference(x, channels, w, b)
    assert.ok(relativeError(run(x, channels, w, b, PER_POSITION, positions), expected) < 1e-6)
    const gated = expected.map((v) => v / (1 + Math.exp(-v)))
    assert.ok(relativeError(run(x, channels, w, b, PER_POSITION | 1, positions), gated) < 5e-6)
  })
}

test('an offset of 100 spreads costs no more than its rounding', () => {
  const x = randoms(48, 3).map((v) => 100 + v)
  const [w, b] = [randoms(24, 1), randoms(24, 2)]
  assert.ok(relativeError(run(x, 24, w, b, 0, 1), reference(x, 24, w, b)) < 3e-5)
})

test('silence yields the bias', () => {
  const b = randoms(7, 2)
  assert.equal(run(new Float32Array(14), 7, randoms(7, 1), b), Float32Array.of(...b, ...b))
})

test.run()
