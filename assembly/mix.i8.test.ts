// mix with int8 weights against plain loops, bit for bit, on the SIMD and the scalar core: odd positions, results and
// channels, several groups; the largest sums.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawBytes, integerDot, packBytes, quantised } from './fixture.integers.ts'
import { Bench, buildModel, padded, randoms, type Target } from './fixture.ts'

const TARGETS: Target[] = ['simd', 'scalar']

function check(P: number, Q: number, C: number, G: number, steps: number, x: Float32Array, largest = false): void {
  const W = drawBytes(G * Q, P, P + Q)
  if (largest) W.values.fill(127)
  const b = P % 3 === 0 ? undefined : randoms(Q, 5)
  const y: number[] = []
  for (let t = 0; t < steps; t++) {
    const { q, scale } = quantised(x.subarray(t * P * C, (t + 1) * P * C))
    for (let r = 0; r < Q; r++) {
      for (let c = 0; c < C; c++) {
        const g = Math.floor(c / (C / G))
        const column = Array.from({ length: P }, (_, p) => q[p * C + c])
        y.push(integerDot(W, g * Q + r, column, 0, scale, b?.[r]))
      }
    }
  }
  for (const target of TARGETS) {
    const bench = new Bench(
      buildModel([
        {
          kind: 'mix',
          format: 1,
          steps,
          positions: P,
          channels: C,
          resultPositions: Q,
          inputs: [x.length],
          weights: [packBytes(W, G), b && padded(b)],
          parameters: [G, 0],
          temporaryFloats: Math.ceil(P / 2) * C + 4,
        },
      ]),
      target,
    )
    assert.equal(Array.from(bench.hop([x])), y, `${P} -> ${Q}, ${C} channels, ${G} groups, ${target}`)
    assert.ok(bench.canariesLive())
  }
}

for (const [P, Q] of [
  [1, 1],
  [2, 4],
  [3, 5],
  [24, 24],
  [64, 24],
  [25, 7],
  [10, 2],
]) {
  test(`int8 mix: ${P} -> ${Q} positions`, () => {
    for (const [C, G] of [
      [1, 1],
      [3, 1],
      [8, 1],
      [12, 2],
      [48, 4],
      [24, 4],
      [10, 2],
    ])
      check(P, Q, C, G, 2, randoms(2 * P * C, 17))
  })
}

test('int8 mix: the largest products, 516 positions', () => {
  check(516, 5, 9, 1, 1, new Float32Array(516 * 9).fill(-8), true)
})

test.run()
