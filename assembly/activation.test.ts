// Error bounds of exp, ln, sigmoid, silu, tanh as the kernels apply them, over their whole ranges, against Math in f64;
// relu, prelu and lengths that are no multiple of four.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, floatWord, padded, randoms, relativeError } from './fixture.ts'

const SILU = 1
const RELU = 2
const SIGMOID = 3
const TANH = 4
const PRELU = 5

function activate(code: number, x: Float32Array): Float32Array {
  const spec = { kind: 'act', steps: 1, positions: 1, channels: 1, inputs: [x.length], parameters: [code, 0] } as const
  const whole = { ...spec, inputs: [x.length], parameters: [code, 0] as [number, number], steps: x.length }
  return new Bench(buildModel([whole])).hop([x])
}

/** Evenly spaced and, near zero, evenly in the exponent; both signs. */
function arguments_(limit: number): Float32Array {
  const values: number[] = []
  for (let i = 0; i <= 40000; i++) values.push(-limit + (2 * limit * i) / 40000)
  for (let e = -30; e < Math.log2(limit); e += 0.01) values.push(2 ** e, -(2 ** e))
  return Float32Array.from(values)
}

function worst(y: Float32Array, x: Float32Array, f: (x: number) => number): number {
  let error = 0
  for (let i = 0; i < x.length; i++) {
    const expected = f(x[i])
    error = Math.max(error, expected === 0 ? Math.abs(y[i]) : Math.abs(y[i] / expected - 1))
  }
  return error
}

/** The largest error of `code`'s sigmoid: of silu as a share of its argument. */
function sigmoidError(code: number, x: Float32Array): number {
  const y = activate(code, x)
  return x.reduce((most, at, i) => {
    const found = code === SILU && at !== 0 ? y[i] / at : y[i]
    const expected = code === SILU && at === 0 ? 0 : 1 / (1 + Math.exp(-at))
    return Math.max(most, Math.abs(found - expected))
  }, 0)
}

test('sigmoid, and silu as a share of its argument: absolute error below 2e-7', () => {
  for (const limit of [1, 20, 1000]) {
    for (const code of [SIGMOID, SILU]) {
      const error = sigmoidError(code, arguments_(limit))
      assert.ok(error < 2e-7, `${code} up to ${limit}: ${error}`)
    }
  }
})

test('silu has the same bits in eights, fours and parts', () => {
  const x = randoms(16, 3, 5)
  for (const n of [1, 3, 4, 7, 8, 13]) assert.equal(activate(SILU, x.slice(0, n)), activate(SILU, x).slice(0, n))
})

test('tanh: relative error below 2e-7', () => {
  const x = arguments_(40)
  const error = worst(activate(TANH, x), x, Math.tanh)
  assert.ok(error < 2e-7, `${error}`)
})

test('beyond the range: limits, no NaN, no infinity', () => {
  const x = Float32Array.of(-1e30, -1000, -88, 88, 1000, 1e30, -0, 0)
  for (const code of [SIGMOID, TANH]) {
    const y = activate(code, x)
    const low = code === TANH ? -1 : 0
    for (let i = 0; i < 3; i++) assert.ok(Math.abs(y[i] - low) < 1e-6, `${code}: ${y[i]}`)
    for (let i = 3; i < 6; i++) assert.is(y[i], 1)
  }
  for (const [i, y] of activate(SILU, x).entries())
    assert.ok(i < 3 ? Math.abs(y / x[i]) < 1e-6 : y === x[i] || x[i] === 0, `${x[i]}: ${y}`)
})

/** exp and ln through the record that combines them: |x|^(q-1) with x real. */
test('exp(q ln p): relative error of compress', () => {
  const x = new Float32Array(2 * 20000)
  for (let i = 0; i < 20000; i++) x[2 * i] = 2 ** (-20 + (i * 24) / 20000)
  const exponent = Math.fround(0.3)
  const bench = new Bench(
    buildModel([
      {
        kind: 'compress',
        steps: 1,
        positions: 20000,
        channels: 2,
        inputs: [x.length],
        parameters: [floatWord(exponent), floatWord(0)],
      },
    ]),
  )
  const y = bench.hop([x])
  let error = 0
  for (let i = 0; i < 20000; i++) error = Math.max(error, Math.abs(y[2 * i] / x[2 * i] ** exponent - 1))
  assert.ok(error < 1.2e-6, `${error}`)
})

test('ln: error below 1.5e-7 of the value, near 1 of the distance from 1', () => {
  const x = new Float32Array(2 * 40000)
  for (let i = 0; i < 20000; i++) x[2 * i] = 2 ** (-60 + (i * 120) / 20000)
  for (let i = 20000; i < 40000; i++) x[2 * i] = 1 + ((i - 29999.5) / 10000) * 0.4
  // squares of the multiples of 2^-11 are exact
  for (let i = 20000; i < 40000; i++) x[2 * i] = Math.round(x[2 * i] * 2048) / 2048
  const bench = new Bench(
    buildModel([
      {
        kind: 'logpower',
        steps: 1,
        positions: 40000,
        channels: 2,
        resultChannels: 1,
        inputs: [x.length],
        parameters: [floatWord(0), 0],
      },
    ]),
  )
  const y = bench.hop([x])
  let error = 0
  for (let i = 0; i < 40000; i++) {
    const expected = Math.log(Math.fround(x[2 * i] * x[2 * i])) / 2
    error = Math.max(error, expected === 0 ? Math.abs(y[i]) : Math.abs(y[i] / expected - 1))
  }
  assert.ok(error < 1.5e-7, `${error}`)
})

test('relu and prelu, odd lengths', () => {
  for (const channels of [1, 2, 3, 5, 8, 11]) {
    const x = randoms(3 * 2 * channels, channels)
    const slopes = randoms(channels, 9)
    const spec = { kind: 'act', steps: 3, positions: 2, channels, inputs: [x.length] } as const
    const relu = new Bench(buildModel([{ ...spec, inputs: [x.length], parameters: [RELU, 0] }])).hop([x])
    assert.equal(
      relu,
      x.map((v) => Math.max(v, 0)),
    )
    const bench = new Bench(
      buildModel([{ ...spec, inputs: [x.length], parameters: [PRELU, 0], weights: [padded(slopes)] }]),
    )
    const expected = x.map((v, i) => (v > 0 ? v : v * slopes[i % channels]))
    assert.ok(relativeError(bench.hop([x]), expected) < 1e-7)
    assert.ok(bench.canariesLive())
  }
})

test('each length gives the same bits as a longer one', () => {
  const x = randoms(67, 4, 6)
  for (const code of [SILU, SIGMOID, TANH]) {
    const all = activate(code, x)
    for (const n of [1, 2, 3, 5, 66]) assert.equal(activate(code, x.slice(0, n)), all.slice(0, n))
  }
})

test.run()
