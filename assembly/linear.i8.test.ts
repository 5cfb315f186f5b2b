// linear and bandconv with int8 and int4 weights against plain loops: bit for bit, on the SIMD and the scalar core, at
// sizes around every tile's edge; the largest sums 32 bits must hold; levels from full scale down to silence.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  drawBytes,
  drawNibbles,
  type Integers,
  integerDot,
  packBytes,
  packNibbles,
  quantised,
} from './fixture.integers.ts'
import { Bench, buildModel, padded, type RecordSpec, randoms, type Target, up } from './fixture.ts'

const TARGETS: Target[] = ['simd', 'scalar']
const FORMATS = [
  { name: 'int8', format: 1, draw: drawBytes, pack: packBytes },
  { name: 'int4', format: 2, draw: drawNibbles, pack: packNibbles },
]

/** What every step yields, as plain loops. */
function expected(W: Integers, bias: Float32Array | undefined, x: Float32Array, steps: number): number[] {
  const y: number[] = []
  const floats = x.length / steps
  for (let t = 0; t < steps; t++) {
    const { q, scale } = quantised(x.subarray(t * floats, (t + 1) * floats))
    for (let at = 0; at < floats; at += W.depth)
      for (let d = 0; d < W.rows; d++) y.push(integerDot(W, d, q, at, scale, bias?.[d]))
  }
  return y
}

function temporary(columns: number, depth: number): number {
  return (Math.ceil((columns * depth) / 8) * 16 + 16) / 4 + up(columns) + strip(depth)
}

function strip(depth: number): number {
  return 4 * 8 * Math.ceil(depth / 8)
}

function run(
  W: Integers,
  block: Uint8Array,
  format: number,
  bias: Float32Array | undefined,
  x: Float32Array,
  steps: number,
  target: Target,
): Float32Array {
  const positions = x.length / steps / W.depth
  const chunk = Math.min(steps, Math.max(1, Math.floor(16 / positions)))
  const spec: RecordSpec = {
    kind: 'linear',
    format,
    steps,
    positions,
    channels: W.depth,
    resultChannels: W.rows,
    inputs: [x.length],
    weights: [block, bias && padded(bias)],
    temporaryFloats: temporary(chunk * positions, W.depth),
  }
  const bench = new Bench(buildModel([spec]), target)
  const y = bench.hop([x])
  assert.ok(bench.canariesLive())
  return y
}

for (const { name, format, draw, pack } of FORMATS) {
  for (const rows of [1, 3, 4, 5, 8, 9, 12, 17, 48]) {
    test(`${name} linear: ${rows} rows`, () => {
      for (const [steps, positions] of [
        [1, 1],
        [1, 5],
        [3, 1],
        [19, 1],
        [2, 7],
        [1, 24],
      ]) {
        for (const depth of [1, 2, 7, 8, 31, 33, 48, 64]) {
          const W = draw(rows, depth, rows + depth)
          const b = depth === 7 ? undefined : randoms(rows, 7)
          const x = randoms(steps * positions * depth, 5)
          for (const target of TARGETS) {
            const y = run(W, pack(W), format, b, x, steps, target)
            assert.equal(Array.from(y), expected(W, b, x, steps), `${steps} x ${positions}, depth ${depth}, ${target}`)
          }
        }
      }
    })
  }

  test(`${name} linear: every step has its own scale`, () => {
    const [rows, depth, positions] = [12, 48, 6]
    const W = draw(rows, depth, 3)
    const levels = [0, -20, -40, -60, -110, -1000]
    const x = randoms(levels.length * positions * depth, 4)
    for (let i = 0; i < x.length; i++) x[i] *= 10 ** (levels[Math.floor(i / positions / depth)] / 20)
    for (const target of TARGETS)
      assert.equal(
        Array.from(run(W, pack(W), format, undefined, x, levels.length, target)),
        expected(W, undefined, x, levels.length),
      )
  })

  for (const dBFS of [-60, -40, -20, 0]) {
    test(`${name} linear at ${dBFS} dBFS: as near to real numbers as 16 bits allow`, () => {
      const [rows, depth, columns] = [48, 64, 24]
      const W = draw(rows, depth, 9)
      const x = randoms(columns * depth, 8, 10 ** (dBFS / 20))
      const y = run(W, pack(W), format, undefined, x, 1, 'simd')
      let noise = 0
      let power = 0
      const groups = W.grouped ? Math.ceil(depth / 32) : 1
      for (let n = 0; n < columns; n++) {
        for (let d = 0; d < rows; d++) {
          let sum = 0
          for (let k = 0; k < depth; k++)
            sum += W.values[d * depth + k] * W.scales[d * groups + (W.grouped ? k >> 5 : 0)] * x[n * depth + k]
          noise += (y[n * rows + d] - sum) ** 2
          power += sum ** 2
        }
      }
      const snrDb = 10 * Math.log10(power / noise)
      assert.ok(snrDb > 90, `${snrDb}`)
    })
  }

  for (const [signs, label] of [
    [() => 1, 'all equal'],
    [(k: number) => (k % 2 ? -1 : 1), 'alternating'],
    [() => -1, 'all negative'],
  ] as const) {
    test(`${name}: the largest products, ${label}, K = 516: the sum fits`, () => {
      const depth = 516
      const most = format === 1 ? 127 : 7
      const W = draw(8, depth, 1)
      W.values.forEach((_, i) => {
        W.values[i] = most * signs(i % depth)
      })
      const x = Float32Array.from({ length: 5 * depth }, (_, i) => 3 * signs(i % depth))
      for (const target of TARGETS)
        assert.equal(Array.from(run(W, pack(W), format, undefined, x, 1, target)), expected(W, undefined, x, 1))
    })
  }

  for (const [taps, stride, left, right, P] of [
    [3, 1, 1, 1, 16],
    [3, 2, 1, 1, 17],
    [1, 1, 0, 0, 5],
    [5, 3, 4, 4, 7],
    [4, 2, 0, 3, 8],
    [7, 1, 3, 3, 2],
    [2, 2, 5, 6, 1],
    [2, 3, 0, 0, 9],
  ]) {
    test(`${name} bandconv: ${taps} taps, stride ${stride}, pad ${left},${right}, ${P} positions`, () => {
      for (const [C, d, steps] of [
        [1, 1, 1],
        [3, 6, 2],
        [8, 12, 1],
        [5, 17, 3],
      ]) {
        const Q = Math.floor((P + left + right - taps) / stride) + 1
        const W = draw(d, taps * C, 11)
        const b = randoms(d, 12)
        const x = randoms(steps * P * C, 13)
        const y: number[] = []
        for (let t = 0; t < steps; t++) {
          const { q, scale } = quantised(x.subarray(t * P * C, (t + 1) * P * C))
          for (let window = 0; window < Q; window++) {
            const from = (window * stride - left) * C
            const column = Array.from({ length: taps * C }, (_, k) => q[from + k] ?? 0)
            for (let i = 0; i < d; i++) y.push(Math.max(0, integerDot(W, i, column, 0, scale, b[i])))
          }
        }
        const all = Math.max((Q - 1) * stride + taps, left + P)
        for (const target of TARGETS) {
          const bench = new Bench(
            buildModel([
              {
                kind: 'bandconv',
                format,
                steps,
                positions: P,
                channels: C,
                resultPositions: Q,
                resultChannels: d,
                inputs: [x.length],
                weights: [pack(W), padded(b)],
                parameters: [taps | (stride << 8) | (left << 16) | (2 << 24), 0],
                temporaryFloats: temporary(all, C) - up(all) - strip(C) + up(Q) + strip(taps * C),
              },
            ]),
            target,
          )
          assert.equal(Array.from(bench.hop([x])), y, `C ${C}, d ${d}, ${target}`)
          assert.ok(bench.canariesLive())
        }
      }
    })
  }
}

test.run()
