// The program as a whole: steps before the start and after the end of the stream, hops cut into runs, two states in one
// memory, reset, and that a hop depends on nothing but program, state and input.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, pack, padded, type RecordSpec, randoms } from './fixture.ts'

const C = 5
const STEPS = 4

/** 20 samples -> linear -> conv with a look-ahead of 1 -> ssm -> norm -> delayed and added to itself. */
function chain(lag: number): RecordSpec[] {
  const shape = { steps: STEPS, positions: 1, channels: C }
  const poles = new Float32Array(16).fill(1, 0, 8)
  poles.set(randoms(6, 1, 0.1).map(Math.abs), 0)
  poles.set(randoms(6, 2, 0.3), 8)
  return [
    {
      kind: 'linear',
      ...shape,
      inputs: [20],
      weights: [pack(C, C, randoms(25, 3)), padded(randoms(C, 4))],
      parameters: [1, 0],
    },
    {
      kind: 'conv',
      ...shape,
      lag,
      inputs: [-1],
      weights: [padded(randoms(3 * C, 5)), padded(randoms(C, 6))],
      parameters: [3 | (1 << 8), 3],
      stateFloats: 2 * C,
    },
    {
      kind: 'ssm',
      ...shape,
      lag,
      inputs: [-2],
      weights: [poles, pack(8, C, randoms(8 * C, 7)), pack(C, 8, randoms(8 * C, 8))],
      parameters: [6, 0],
      stateFloats: 16,
      temporaryFloats: STEPS * 3 * 8,
    },
    {
      kind: 'norm',
      ...shape,
      lag,
      inputs: [-3],
      weights: [padded(randoms(C, 9)), padded(randoms(C, 10))],
      parameters: [0x3727c5ac, 0],
    },
    { kind: 'delay', ...shape, lag: lag + 3, inputs: [-4], parameters: [3, 0], stateFloats: 3 * C },
    { kind: 'act', ...shape, lag: lag + 3, inputs: [-5], parameters: [3, 0] },
  ]
}

function feed(bench: Bench, x: Float32Array, hops: number, state = bench.state, split?: number): Float32Array {
  const y = new Float32Array(hops * STEPS * C)
  for (let h = 0; h < hops; h++) {
    const cut = new Float32Array(20)
    cut.set(x.subarray(h * 20, (h + 1) * 20))
    y.set(bench.hop([cut], state, split), h * STEPS * C)
  }
  return y
}

test('steps before index 0 are zero and move no state', () => {
  const model = buildModel(chain(6))
  const bench = new Bench(model)
  const fresh = bench.stateBytes()
  const y = feed(bench, randoms(20, 1), 1)
  assert.ok(y.every((v) => v === 0))
  const at = model.states[2]
  assert.equal(bench.stateBytes().slice(at, at + 64), fresh.slice(at, at + 64))
  // Hop 1 holds steps -2..1 of the ssm and -5..-2 of the last record.
  feed(bench, randoms(20, 2), 1)
  assert.ok(
    bench
      .result(2)
      .subarray(0, 2 * C)
      .every((v) => v === 0),
  )
  assert.ok(
    bench
      .result(2)
      .subarray(2 * C)
      .every((v) => v !== 0),
  )
  assert.ok(bench.result(5).every((v) => v === 0))
  // Hop 2: -1..2
  feed(bench, randoms(20, 3), 1)
  assert.ok(
    bench
      .result(5)
      .subarray(0, C)
      .every((v) => v === 0),
  )
  assert.ok(
    bench
      .result(5)
      .subarray(C)
      .every((v) => v > 0),
  )
})

test('steps after the end are zero and move no state', () => {
  const model = buildModel(chain(2))
  const bench = new Bench(model)
  feed(bench, randoms(60, 1), 3)
  bench.core.end(bench.state)
  feed(bench, new Float32Array(20), 1)
  // 12 steps in all; hop 3 holds 12..15 of the first record, 10..13 of the ssm, 7..10 of the last.
  assert.ok(bench.result(0).every((v) => v === 0))
  assert.ok(
    bench
      .result(2)
      .subarray(0, 2 * C)
      .every((v) => v !== 0),
  )
  assert.ok(
    bench
      .result(3)
      .subarray(2 * C)
      .every((v) => v === 0),
  )
  assert.ok(bench.result(5).every((v) => v > 0))
  const at = model.states[2]
  const before = bench.stateBytes().slice(at, at + 64)
  feed(bench, randoms(20, 5), 1)
  assert.equal(bench.stateBytes().slice(at, at + 64), before)
  assert.ok(
    bench
      .result(5)
      .subarray(0, C)
      .every((v) => v > 0),
  )
  assert.ok(
    bench
      .result(5)
      .subarray(C)
      .every((v) => v === 0),
  )
})

test('with look-ahead the same values come later', () => {
  const x = randoms(200, 4)
  const now = feed(new Bench(buildModel(chain(0))), x, 10)
  const later = feed(new Bench(buildModel(chain(0).map((op) => ({ ...op })))), x, 10)
  assert.equal(now, later)
  // A lag of 4 on every record, input four steps late: one hop late, bit for bit.
  const late = chain(0).map((op) => ({ ...op, lag: (op.lag ?? 0) + STEPS }))
  const delayed = new Float32Array(220)
  delayed.set(x, 20)
  assert.equal(feed(new Bench(buildModel(late)), delayed, 11).slice(STEPS * C), now)
})

test('run(0, k) and run(k, end) equal hop', () => {
  const x = randoms(100, 4)
  const whole = new Bench(buildModel(chain(2)))
  const expected = feed(whole, x, 5)
  for (let k = 0; k <= 6; k++) {
    const cut = new Bench(buildModel(chain(2)))
    assert.equal(feed(cut, x, 5, cut.state, k), expected, `cut at ${k}`)
    assert.equal(cut.stateBytes(), whole.stateBytes())
  }
})

test('two states in one memory are independent', () => {
  const [a, b] = [randoms(100, 1), randoms(100, 2)]
  const alone = [a, b].map((x) => feed(new Bench(buildModel(chain(2))), x, 5))
  const bench = new Bench(buildModel(chain(2)))
  const together = [new Float32Array(100), new Float32Array(100)]
  for (let h = 0; h < 5; h++) {
    together[0].set(feed(bench, a.subarray(20 * h), 1, bench.state), 20 * h)
    together[1].set(feed(bench, b.subarray(20 * h), 1, bench.otherState), 20 * h)
  }
  assert.equal(together, alone)
  assert.ok(bench.canariesLive())
})

test('reset equals new, a copied state continues alike', () => {
  const x = randoms(100, 1)
  const bench = new Bench(buildModel(chain(2)))
  const fresh = bench.stateBytes()
  const first = feed(bench, x, 5)
  const kept = bench.stateBytes()
  const onwards = feed(bench, x, 2)
  new Uint8Array(bench.memory.buffer).set(kept, bench.otherState)
  assert.equal(feed(bench, x, 2, bench.otherState), onwards)
  bench.core.end(bench.state)
  bench.core.reset(bench.program, bench.state)
  assert.equal(bench.stateBytes(), fresh)
  assert.equal(feed(bench, x, 5), first)
})

test('the input samples lose what is below 2^-63', () => {
  const bench = new Bench(buildModel([{ kind: 'flag', steps: 1, positions: 1, channels: 1, inputs: [] }], 6))
  const samples = bench.floats(bench.scratch, 6)
  samples.set([1e-40, -1e-20, 2 ** -63, -0.25, 1, -1e-39])
  bench.hop([])
  assert.equal([...samples].map(Math.abs), [0, 0, 2 ** -63, 0.25, 1, 0])
})

test('program and weights are not written to', () => {
  const model = buildModel(chain(2))
  const bench = new Bench(model)
  feed(bench, randoms(100, 1), 5)
  assert.equal(new Uint8Array(bench.memory.buffer, bench.program, model.bytes.length).slice(), model.bytes)
})

test('the module imports nothing but memory', async () => {
  const { moduleOf } = await import('./fixture.ts')
  assert.equal(WebAssembly.Module.imports(moduleOf('simd')!), [{ module: 'env', name: 'memory', kind: 'memory' }])
})

test.run()
