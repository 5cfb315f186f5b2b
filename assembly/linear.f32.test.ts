// linear and bandconv against plain f64 loops: sizes around every tile's edge, clamped windows, activations.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, pack, padded, randoms, relativeError } from './fixture.ts'

const TOLERANCE = 2e-6

function product(W: Float32Array, b: Float32Array | undefined, x: Float32Array, rows: number, depth: number): number[] {
  const y: number[] = []
  for (let n = 0; n < x.length / depth; n++) {
    for (let d = 0; d < rows; d++) {
      let sum = b ? b[d] : 0
      for (let k = 0; k < depth; k++) sum += W[d * depth + k] * x[n * depth + k]
      y.push(sum)
    }
  }
  return y
}

for (const rows of [1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 31, 48]) {
  for (const [steps, positions] of [
    [1, 1],
    [1, 2],
    [3, 1],
    [2, 2],
    [1, 5],
    [2, 4],
    [3, 5],
    [1, 24],
  ]) {
    test(`linear: ${rows} rows, ${steps} x ${positions} columns`, () => {
      for (const depth of [1, 3, 4, 17]) {
        const W = randoms(rows * depth, rows + depth)
        const b = depth === 3 ? undefined : randoms(rows, 7)
        const x = randoms(steps * positions * depth, 5)
        const bench = new Bench(
          buildModel([
            {
              kind: 'linear',
              steps,
              positions,
              channels: depth,
              resultChannels: rows,
              inputs: [x.length],
              weights: [pack(rows, depth, W), b && padded(b)],
            },
          ]),
        )
        const y = bench.hop([x])
        assert.ok(relativeError(y, product(W, b, x, rows, depth)) < TOLERANCE, `depth ${depth}`)
        assert.ok(bench.canariesLive())
      }
    })
  }
}

test('linear: a column has the same bits whatever columns stand beside it', () => {
  const [rows, depth] = [21, 37]
  const weights = [pack(rows, depth, randoms(rows * depth, 1)), padded(randoms(rows, 2))]
  const x = randoms(9 * depth, 3)
  const spec = { kind: 'linear', steps: 1, channels: depth, resultChannels: rows, weights } as const
  const all = new Bench(buildModel([{ ...spec, weights: [...weights], positions: 9, inputs: [x.length] }])).hop([x])
  const one = new Bench(buildModel([{ ...spec, weights: [...weights], positions: 1, inputs: [depth] }]))
  for (let n = 0; n < 9; n++) {
    const y = one.hop([x.subarray(n * depth, (n + 1) * depth)])
    assert.equal(y, all.slice(n * rows, (n + 1) * rows))
  }
})

for (const [taps, stride, left, right, P] of [
  [3, 1, 1, 1, 16],
  [3, 2, 1, 1, 17],
  [1, 1, 0, 0, 5],
  [5, 3, 4, 4, 7],
  [4, 2, 0, 3, 8],
  [7, 1, 3, 3, 2],
  [2, 2, 5, 6, 1],
  [3, 1, 0, 0, 3],
]) {
  test(`bandconv: ${taps} taps, stride ${stride}, pad ${left},${right}, ${P} positions`, () => {
    for (const [C, d, steps] of [
      [1, 1, 1],
      [3, 6, 2],
      [8, 12, 1],
      [5, 17, 3],
    ]) {
      const Q = Math.floor((P + left + right - taps) / stride) + 1
      const W = randoms(d * taps * C, 11)
      const b = randoms(d, 12)
      const x = randoms(steps * P * C, 13)
      const expected: number[] = []
      for (let t = 0; t < steps; t++) {
        for (let q = 0; q < Q; q++) {
          for (let i = 0; i < d; i++) {
            let sum = b[i]
            for (let j = 0; j < taps; j++) {
              const p = q * stride + j - left
              for (let c = 0; c < C && p >= 0 && p < P; c++) sum += W[(i * taps + j) * C + c] * x[(t * P + p) * C + c]
            }
            expected.push(Math.max(sum, 0))
          }
        }
      }
      const bench = new Bench(
        buildModel([
          {
            kind: 'bandconv',
            steps,
            positions: P,
            channels: C,
            resultPositions: Q,
            resultChannels: d,
            inputs: [x.length],
            weights: [pack(d, taps * C, W), padded(b)],
            parameters: [taps | (stride << 8) | (left << 16) | (2 << 24), 0],
          },
        ]),
      )
      assert.ok(relativeError(bench.hop([x]), expected) < TOLERANCE, `C ${C}, d ${d}`)
      assert.ok(bench.canariesLive())
    }
  })
}

test.run()
