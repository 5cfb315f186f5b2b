// mix against f64: groups of odd widths, result positions around the tiles' edges, with and without bias, activation.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, padded, randoms, relativeError } from './fixture.ts'

for (const [groups, width] of [
  [1, 1],
  [1, 3],
  [1, 4],
  [3, 2],
  [4, 12],
  [2, 9],
  [1, 31],
]) {
  test(`mix: ${groups} groups of ${width} channels`, () => {
    const C = groups * width
    for (const [steps, P, Q] of [
      [1, 1, 1],
      [2, 5, 3],
      [1, 24, 8],
      [1, 7, 13],
      [2, 64, 4],
    ]) {
      const W = randoms(groups * Q * P, 1)
      const b = P === 24 ? undefined : randoms(Q, 2)
      const x = randoms(steps * P * C, 3)
      const expected: number[] = []
      for (let t = 0; t < steps; t++) {
        for (let q = 0; q < Q; q++) {
          for (let c = 0; c < C; c++) {
            let sum = b ? b[q] : 0
            const g = Math.floor(c / width)
            for (let p = 0; p < P; p++) sum += W[(g * Q + q) * P + p] * x[(t * P + p) * C + c]
            expected.push(Math.tanh(sum))
          }
        }
      }
      const bench = new Bench(
        buildModel([
          {
            kind: 'mix',
            steps,
            positions: P,
            channels: C,
            resultPositions: Q,
            inputs: [x.length],
            weights: [padded(W), b && padded(b)],
            parameters: [groups, 4],
          },
        ]),
      )
      assert.ok(relativeError(bench.hop([x]), expected) < 2e-6, `${steps}, ${P}, ${Q}`)
      assert.ok(bench.canariesLive())
    }
  })
}

test.run()
