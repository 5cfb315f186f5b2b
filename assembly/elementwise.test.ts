// add, mul, glu, affine, slice, concat, gather, flag on rows of odd widths.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, padded, type RecordSpec, randoms, relativeError } from './fixture.ts'

const SHAPES = [
  [1, 1, 1],
  [1, 3, 2],
  [2, 2, 3],
  [3, 1, 4],
  [1, 2, 7],
  [2, 5, 8],
  [1, 257, 1],
  [1, 3, 18],
]

/** Runs one record on random inputs of the given sizes; returns inputs and result. */
function run(spec: Omit<RecordSpec, 'inputs'>, sizes: number[]) {
  const inputs = sizes.map((size, i) => randoms(size, 20 + i, 3))
  const bench = new Bench(buildModel([{ ...spec, inputs: sizes }]))
  const y = bench.hop(inputs)
  assert.ok(bench.canariesLive())
  return { inputs, y }
}

for (const [steps, positions, channels] of SHAPES) {
  const shape = { steps, positions, channels }
  const n = steps * positions * channels
  const rows = steps * positions
  test(`rows of ${channels}, ${steps} x ${positions}: add, mul, affine`, () => {
    const gains = randoms(channels, 4)
    for (const [mode, gain] of [
      [0, () => 1],
      [1, () => gains[0]],
      [2, (i: number) => gains[i % channels]],
    ] as const) {
      const { inputs, y } = run({ kind: 'add', ...shape, parameters: [mode, 0], weights: [padded(gains)] }, [n, n])
      const expected = inputs[0].map((a, i) => a + gain(i) * inputs[1][i])
      assert.ok(relativeError(y, expected) < 2e-7, `add ${mode}`)
    }
    const product = run({ kind: 'mul', ...shape }, [n, n])
    assert.equal(
      product.y,
      product.inputs[0].map((a, i) => a * product.inputs[1][i]),
    )
    for (const floats of [channels, positions * channels]) {
      for (const biased of [true, false]) {
        const [w, b] = [randoms(floats, 1), randoms(floats, 2)]
        const weights = [padded(w), biased ? padded(b) : undefined]
        const mode = floats === channels ? 0 : 1
        const { inputs, y } = run({ kind: 'affine', ...shape, weights, parameters: [mode, 0] }, [n])
        const expected = inputs[0].map((x, i) => w[i % floats] * x + (biased ? b[i % floats] : 0))
        assert.ok(relativeError(y, expected) < 2e-7, `affine ${mode} ${biased}`)
      }
    }
  })

  test(`rows of ${channels}, ${steps} x ${positions}: glu, slice, concat, gather`, () => {
    const gated = run({ kind: 'glu', ...shape, channels: 2 * channels, resultChannels: channels }, [2 * n])
    const expected = Float64Array.from({ length: n }, (_, i) => {
      const at = Math.floor(i / channels) * 2 * channels + (i % channels)
      return gated.inputs[0][at] / (1 + Math.exp(-gated.inputs[0][at + channels]))
    })
    assert.ok(relativeError(gated.y, expected) < 5e-6)

    for (const from of [0, channels >> 1]) {
      const kept = channels - from
      const { inputs, y } = run({ kind: 'slice', ...shape, resultChannels: kept, parameters: [from, 0] }, [n])
      assert.equal(
        [...y],
        [...inputs[0]].filter((_, i) => i % channels >= from),
      )
    }

    const second = channels + 1
    const joined = run({ kind: 'concat', ...shape, resultChannels: channels + second, parameters: [second, 0] }, [
      n,
      rows * second,
    ])
    const wanted: number[] = []
    for (let row = 0; row < rows; row++) {
      wanted.push(...joined.inputs[0].subarray(row * channels, (row + 1) * channels))
      wanted.push(...joined.inputs[1].subarray(row * second, (row + 1) * second))
    }
    assert.equal([...joined.y], wanted)

    const index = Int32Array.from({ length: positions + 2 }, (_, q) => (q === 1 ? -1 : (q * 7) % positions))
    const picked = run({ kind: 'gather', ...shape, resultPositions: index.length, weights: [index] }, [n])
    const gathered: number[] = []
    for (let t = 0; t < steps; t++) {
      for (const i of index) {
        for (let c = 0; c < channels; c++)
          gathered.push(i < 0 ? 0 : picked.inputs[0][(t * positions + i) * channels + c])
      }
    }
    assert.equal([...picked.y], gathered)
  })
}

test('flag is what the host wrote into the state', () => {
  const bench = new Bench(buildModel([{ kind: 'flag', steps: 1, positions: 1, channels: 1, inputs: [] }]))
  assert.equal([...bench.hop([])], [0])
  bench.floats(bench.state + 16, 1)[0] = 1
  assert.equal([...bench.hop([])], [1])
})

test.run()
