// ssm with int8 and int4 B and C against plain loops, bit for bit on the SIMD and the scalar core: real and complex B and
// C, D, odd orders and channels, hops of many steps; states that fade reach zero before they are denormal.

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
import { Bench, buildModel, randoms, seeded, type Target, up } from './fixture.ts'

const TARGETS: Target[] = ['simd', 'scalar']
const f = Math.fround
const settle = (x: number) => (Math.abs(x) >= 2 ** -63 ? x : 0)

interface Layer {
  positions: number
  channels: number
  outputs: number
  order: number
  flags: number
  B: Integers
  C: Integers
  poles: Float32Array
  D: Float32Array | undefined
}

function drawLayer(format: number, positions: number, channels: number, order: number, flags: number): Layer {
  const outputs = flags & 4 ? channels : channels + 3
  const width = up(order)
  const draw = format === 1 ? drawBytes : drawNibbles
  const B = draw((flags & 1 ? 2 : 1) * width, channels, 3)
  const C = draw(outputs, (flags & 2 ? 2 : 1) * width, 4)
  const poles = new Float32Array(2 * width).fill(1, 0, width)
  const next = seeded(5)
  for (let n = 0; n < order; n++) {
    poles[n] = 0.05 + 0.04 * next()
    poles[width + n] = 0.2 * next()
  }
  const size = flags & 8 ? up(outputs) * channels : flags & 4 ? channels : 0
  return { positions, channels, outputs, order, flags, B, C, poles, D: size ? randoms(up(size), 6) : undefined }
}

/** One step of all positions; `state` (P, 2 width) moves. */
function step(layer: Layer, state: Float32Array, u: Float32Array): number[] {
  const { positions: P, channels, outputs, flags, B, C, poles, D } = layer
  const width = up(layer.order)
  const input = quantised(u)
  for (let p = 0; p < P; p++) {
    for (let n = 0; n < width; n++) {
      const [re, im] = [state[2 * p * width + n], state[(2 * p + 1) * width + n]]
      const [q, w] = [poles[n], poles[width + n]]
      const vr = integerDot(B, n, input.q, p * channels, input.scale)
      const vi = flags & 1 ? integerDot(B, width + n, input.q, p * channels, input.scale) : 0
      const changeRe = f(f(vr - f(q * re)) - f(w * im))
      const changeIm = f(f(vi + f(w * re)) - f(q * im))
      state[2 * p * width + n] = f(re + changeRe)
      state[(2 * p + 1) * width + n] = f(im + changeIm)
    }
  }
  const read = flags & 2 ? state : state.filter((_, i) => Math.floor(i / width) % 2 === 0)
  const { q, scale } = quantised(read)
  const y: number[] = []
  for (let p = 0; p < P; p++) {
    for (let d = 0; d < outputs; d++) {
      let value = integerDot(C, d, q, p * C.depth, scale)
      if (flags & 4) value = f(value + f(D![d] * u[p * channels + d]))
      if (flags & 8) {
        let direct = 0
        for (let c = 0; c < channels; c++)
          direct = f(direct + f(D![((d >> 2) * channels + c) * 4 + (d & 3)] * u[p * channels + c]))
        value = f(value + direct)
      }
      y.push(value)
    }
  }
  return y
}

function benchOf(layer: Layer, format: number, steps: number, target: Target): Bench {
  const { positions, channels, outputs, order, flags, B, C, poles, D } = layer
  const pack = format === 1 ? packBytes : packNibbles
  const columns = Math.min(steps, Math.max(1, Math.floor(16 / positions))) * positions
  const strip = format === 2 ? 32 * Math.ceil(Math.max(channels, C.depth) / 8) : 0
  const integers = columns * Math.max(channels, C.depth)
  return new Bench(
    buildModel([
      {
        kind: 'ssm',
        format,
        steps,
        positions,
        channels,
        resultChannels: outputs,
        inputs: [steps * positions * channels],
        weights: [poles, pack(B), pack(C), D],
        parameters: [order, flags],
        stateFloats: positions * 2 * up(order),
        temporaryFloats: columns * B.rows + Math.ceil(integers / 8) * 4 + 4 + up(columns) + strip,
      },
    ]),
    target,
  )
}

for (const format of [1, 2]) {
  for (const flags of [0, 1, 2, 3, 6, 7, 8, 11]) {
    test(`int${8 / format} ssm, flags ${flags}`, () => {
      for (const [steps, positions, channels, order] of [
        [1, 1, 1, 1],
        [1, 5, 7, 6],
        [3, 4, 8, 8],
        [40, 1, 5, 18],
        [2, 24, 12, 16],
      ]) {
        const layer = drawLayer(format, positions, channels, order, flags)
        for (const target of TARGETS) {
          const bench = benchOf(layer, format, steps, target)
          const state = new Float32Array(positions * 2 * up(order))
          for (let hop = 0; hop < 20; hop++) {
            const x = randoms(steps * positions * channels, hop, hop < 3 ? 10 ** -hop : 0)
            const y: number[] = []
            if (hop % Math.max(1, Math.floor(16 / steps)) === 0) state.set(state.map(settle))
            const floats = positions * channels
            for (let t = 0; t < steps; t++) y.push(...step(layer, state, x.slice(t * floats, (t + 1) * floats)))
            assert.equal(Array.from(bench.hop([x])), y, `${steps} x ${positions}, ${channels}, ${order}, ${target}`)
          }
          assert.ok(bench.canariesLive())
        }
      }
    })
  }
}

test('states that fade end at zero', () => {
  const layer = drawLayer(1, 3, 4, 8, 3)
  const bench = benchOf(layer, 1, 1, 'simd')
  bench.hop([randoms(12, 1)])
  for (let hop = 0; hop < 6000; hop++) {
    bench.hop([new Float32Array(12)])
    const state = new Float32Array(bench.stateBytes().buffer, 64)
    assert.ok(state.every((x) => x === 0 || Math.abs(x) >= 2 ** -90))
  }
  assert.ok(new Float32Array(bench.stateBytes().buffer, 64).every((x) => x === 0))
})

test.run()
