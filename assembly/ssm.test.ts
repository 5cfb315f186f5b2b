// ssm against a plain f64 recurrence over several hops: real and complex B and C, every D, odd sizes, many steps and
// positions; slow poles; states that die away instead of becoming denormal.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, pack, randoms, relativeError, seeded, up } from './fixture.ts'

const COMPLEX_B = 1
const COMPLEX_C = 2
const DIAGONAL_D = 4
const FULL_D = 8

interface Layer {
  order: number
  inputs: number
  outputs: number
  /** 1 - Re(lambda), Im(lambda), f32. */
  poles: Float32Array[]
  /** (N, C), real and imaginary. */
  B: Float32Array[]
  /** (d, N) */
  C: Float32Array[]
  D?: Float32Array
  flags: number
}

function draw(order: number, inputs: number, outputs: number, flags: number): Layer {
  const next = seeded(order * 100 + inputs)
  const q = new Float32Array(order)
  const w = new Float32Array(order)
  for (let n = 0; n < order; n++) {
    const radius = 1 - 10 ** (-2 + 1.7 * next())
    const angle = 1.2 * next()
    q[n] = 1 - radius * Math.cos(angle)
    w[n] = radius * Math.sin(angle)
  }
  return {
    order,
    inputs,
    outputs,
    poles: [q, w],
    B: [randoms(order * inputs, 1), randoms(order * inputs, 2)],
    C: [randoms(outputs * order, 3), randoms(outputs * order, 4)],
    D: flags & FULL_D ? randoms(outputs * inputs, 5) : flags & DIAGONAL_D ? randoms(outputs, 6) : undefined,
    flags,
  }
}

function build(layer: Layer, steps: number, positions: number) {
  const { order: N, inputs, outputs, flags } = layer
  const width = up(N)
  const poles = new Float32Array(2 * width).fill(1, 0, width)
  poles.set(layer.poles[0], 0)
  poles.set(layer.poles[1], width)
  const partsB = flags & COMPLEX_B ? 2 : 1
  const partsC = flags & COMPLEX_C ? 2 : 1
  const B = new Float32Array(partsB * width * inputs)
  for (let part = 0; part < partsB; part++) B.set(layer.B[part], part * width * inputs)
  const C = new Float32Array(outputs * partsC * width)
  for (let d = 0; d < outputs; d++) {
    for (let n = 0; n < N; n++) {
      C[d * partsC * width + n] = layer.C[0][d * N + n]
      if (partsC === 2) C[d * partsC * width + width + n] = -layer.C[1][d * N + n]
    }
  }
  const D = layer.D && (flags & FULL_D ? pack(outputs, inputs, layer.D) : pack(outputs, 1, layer.D))
  return buildModel([
    {
      kind: 'ssm',
      steps,
      positions,
      channels: inputs,
      resultChannels: outputs,
      inputs: [steps * positions * inputs],
      weights: [poles, pack(partsB * width, inputs, B), pack(outputs, partsC * width, C), D],
      parameters: [N, flags],
      stateFloats: positions * 2 * width,
      temporaryFloats: steps * positions * (partsB + 2) * width,
    },
  ])
}

/** x (steps, positions, inputs) over the whole stream. */
function reference(layer: Layer, x: ArrayLike<number>, positions: number): number[] {
  const { order: N, inputs, outputs, flags } = layer
  const steps = x.length / positions / inputs
  const y: number[] = []
  const re = new Float64Array(positions * N)
  const im = new Float64Array(positions * N)
  for (let t = 0; t < steps; t++) {
    for (let p = 0; p < positions; p++) {
      const u = (c: number) => x[(t * positions + p) * inputs + c]
      for (let n = 0; n < N; n++) {
        let [br, bi] = [0, 0]
        for (let c = 0; c < inputs; c++) {
          br += layer.B[0][n * inputs + c] * u(c)
          if (flags & COMPLEX_B) bi += layer.B[1][n * inputs + c] * u(c)
        }
        const [a, b] = [1 - layer.poles[0][n], layer.poles[1][n]]
        const [xr, xi] = [re[p * N + n], im[p * N + n]]
        re[p * N + n] = a * xr - b * xi + br
        im[p * N + n] = a * xi + b * xr + bi
      }
      for (let d = 0; d < outputs; d++) {
        let sum = 0
        for (let n = 0; n < N; n++) {
          sum += layer.C[0][d * N + n] * re[p * N + n]
          if (flags & COMPLEX_C) sum -= layer.C[1][d * N + n] * im[p * N + n]
        }
        if (flags & DIAGONAL_D) sum += layer.D![d] * u(d)
        if (flags & FULL_D) for (let c = 0; c < inputs; c++) sum += layer.D![d * inputs + c] * u(c)
        y.push(sum)
      }
    }
  }
  return y
}

for (const flags of [0, 1, 2, 3, 4, 7, 8, 11]) {
  test(`ssm with flags ${flags}: six hops as one recurrence`, () => {
    for (const [order, inputs, outputs, steps, positions] of [
      [1, 1, 1, 1, 1],
      [5, 3, 3, 4, 1],
      [16, 8, 8, 1, 6],
      [6, 7, 7, 3, 5],
      [33, 4, 4, 16, 1],
      [10, 2, flags & DIAGONAL_D ? 2 : 9, 2, 3],
    ]) {
      const layer = draw(order, inputs, outputs, flags)
      const bench = new Bench(build(layer, steps, positions))
      const x = randoms(6 * steps * positions * inputs, 8)
      const size = steps * positions * inputs
      const y = Array.from({ length: 6 }, (_, h) => [...bench.hop([x.subarray(h * size, (h + 1) * size)])]).flat()
      const error = relativeError(y, reference(layer, x, positions))
      assert.ok(error < 5e-6, `order ${order}, ${steps} steps: ${error}`)
      assert.ok(bench.canariesLive())
    }
  })
}

test('a pole at 1 - 1e-4 keeps its gain at 0 Hz', () => {
  const layer = draw(1, 1, 1, 0)
  layer.poles = [Float32Array.of(1e-4), Float32Array.of(0)]
  layer.B[0][0] = 1e-4
  layer.C[0][0] = 1
  const bench = new Bench(build(layer, 64, 1))
  const x = new Float32Array(64).fill(1)
  let y = bench.hop([x])
  for (let hop = 0; hop < 3000; hop++) y = bench.hop([x])
  assert.ok(Math.abs(y[63] - 1) < 5e-4, `${y[63]}`)
})

test('states die away to zero, none becomes denormal', () => {
  const layer = draw(16, 2, 2, 3)
  const bench = new Bench(build(layer, 4, 1))
  bench.hop([randoms(8, 1)])
  const silence = new Float32Array(8)
  let hops = 0
  for (; hops < 100000; hops++) {
    bench.hop([silence])
    const states = new Float32Array(bench.stateBytes().buffer, 64, 32)
    if (states.some((s) => s !== 0 && Math.abs(s) < 1.2e-38)) throw new Error(`denormal in hop ${hops}`)
    if (states.every((s) => s === 0)) break
  }
  assert.ok(hops < 100000, 'still ringing')
})

test.run()
