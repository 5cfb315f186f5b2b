// rfft, irfft against a direct f64 transform at every size; logpower, compress, filter against f64.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, floatWord, randoms, relativeError } from './fixture.ts'

/** The tables of quantize/FORMAT.md, kinds 17 and 18. */
function tables(n: number): Float32Array {
  const values: number[] = []
  for (let j = 0; j < n / 4; j++) values.push(Math.cos((-4 * Math.PI * j) / n), Math.sin((-4 * Math.PI * j) / n))
  for (let j = 0; j < n / 2; j++) values.push(Math.cos((-2 * Math.PI * j) / n), Math.sin((-2 * Math.PI * j) / n))
  return Float32Array.from(values)
}

function directTransform(x: ArrayLike<number>, window: ArrayLike<number>): number[] {
  const n = x.length
  const X: number[] = []
  for (let k = 0; k <= n / 2; k++) {
    let [re, im] = [0, 0]
    for (let m = 0; m < n; m++) {
      const angle = (-2 * Math.PI * ((k * m) % n)) / n
      re += window[m] * x[m] * Math.cos(angle)
      im += window[m] * x[m] * Math.sin(angle)
    }
    X.push(re, im)
  }
  return X
}

function directInverse(X: ArrayLike<number>, n: number, length: number, window: ArrayLike<number>): number[] {
  const y: number[] = []
  for (let i = 0; i < length; i++) {
    const m = n - length + i
    let sum = X[0] + (m % 2 ? -1 : 1) * X[n]
    for (let k = 1; k < n / 2; k++) {
      const angle = (2 * Math.PI * ((k * m) % n)) / n
      sum += 2 * (X[2 * k] * Math.cos(angle) - X[2 * k + 1] * Math.sin(angle))
    }
    y.push((sum / n) * window[i])
  }
  return y
}

/** Root of mean square error over root of mean square. */
function spread(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, power] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i] - expected[i]) ** 2
    power += expected[i] ** 2
  }
  return Math.sqrt(error / power)
}

for (const n of [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]) {
  test(`rfft of ${n}`, () => {
    const steps = n > 512 ? 1 : 2
    const [x, window] = [randoms(steps * n, n), randoms(n, 3)]
    const bench = new Bench(
      buildModel([
        {
          kind: 'rfft',
          steps,
          positions: 1,
          channels: n,
          resultPositions: n / 2 + 1,
          resultChannels: 2,
          inputs: [x.length],
          weights: [window, tables(n)],
          parameters: [n, 0],
          temporaryFloats: n,
        },
      ]),
    )
    const expected: number[] = []
    for (let t = 0; t < steps; t++) expected.push(...directTransform(x.subarray(t * n, (t + 1) * n), window))
    const y = bench.hop([x])
    assert.ok(spread(y, expected) < 3e-7, `${spread(y, expected)}`)
    assert.ok(relativeError(y, expected) < 1e-6, `${relativeError(y, expected)}`)
    assert.ok(bench.canariesLive())
  })

  test(`irfft of ${n}`, () => {
    for (const m of [n, n / 2, 5, n - 3]) {
      const steps = n > 512 ? 1 : 2
      const bins = n / 2 + 1
      const [X, window] = [randoms(steps * 2 * bins, n), randoms(m, 3)]
      const bench = new Bench(
        buildModel([
          {
            kind: 'irfft',
            steps,
            positions: bins,
            channels: 2,
            resultPositions: 1,
            resultChannels: m,
            inputs: [X.length],
            weights: [window, tables(n)],
            parameters: [n, m],
            temporaryFloats: 2 * n,
          },
        ]),
      )
      const expected: number[] = []
      for (let t = 0; t < steps; t++) {
        expected.push(...directInverse(X.subarray(t * 2 * bins, (t + 1) * 2 * bins), n, m, window))
      }
      const y = bench.hop([X])
      assert.ok(spread(y, expected) < 6e-7, `m ${m}: ${spread(y, expected)}`)
      assert.ok(bench.canariesLive())
    }
  })
}

for (const positions of [1, 2, 3, 4, 5, 6, 7, 257]) {
  test(`logpower and compress of ${positions} bins`, () => {
    const steps = 2
    const eps = Math.fround(1e-8)
    const x = randoms(steps * positions * 2, positions)
    const shape = { steps, positions, channels: 2, inputs: [x.length] }
    const power = Array.from({ length: steps * positions }, (_, i) => x[2 * i] ** 2 + x[2 * i + 1] ** 2 + eps)
    const level = new Bench(
      buildModel([{ kind: 'logpower', ...shape, resultChannels: 1, parameters: [floatWord(eps), 0] }]),
    )
    const logs = level.hop([x])
    const expected = power.map((p) => Math.log(p) / 2)
    for (let i = 0; i < logs.length; i++) assert.ok(Math.abs(logs[i] - expected[i]) < 1e-6, `${i}`)
    assert.ok(level.canariesLive())
    const exponent = Math.fround(0.3)
    const compress = new Bench(
      buildModel([{ kind: 'compress', ...shape, parameters: [floatWord(exponent), floatWord(eps)] }]),
    )
    const compressed = Array.from(x, (v, i) => v * power[i >> 1] ** ((exponent - 1) / 2))
    assert.ok(relativeError(compress.hop([x]), compressed) < 1e-6)
    assert.ok(compress.canariesLive())
  })
}

for (const taps of [1, 2, 3, 5]) {
  test(`filter of ${taps} taps over seven hops`, () => {
    for (const [steps, P] of [
      [1, 1],
      [1, 2],
      [1, 5],
      [2, 3],
      [4, 7],
    ]) {
      const total = 7 * steps
      const [x, M] = [randoms(total * P * 2, 1), randoms(total * P * 2 * taps, 2)]
      const bench = new Bench(
        buildModel([
          {
            kind: 'filter',
            steps,
            positions: P,
            channels: 2,
            inputs: [steps * P * 2, steps * P * 2 * taps],
            parameters: [taps, 0],
            stateFloats: (taps - 1) * P * 2,
          },
        ]),
      )
      const y: number[] = []
      for (let h = 0; h < 7; h++) {
        const cut = (all: Float32Array) => all.subarray((h * all.length) / 7, ((h + 1) * all.length) / 7)
        y.push(...bench.hop([cut(x), cut(M)]))
      }
      const expected: number[] = []
      for (let t = 0; t < total; t++) {
        for (let p = 0; p < P; p++) {
          let [re, im] = [0, 0]
          for (let i = 0; i < taps && i <= t; i++) {
            const [a, b] = [x[((t - i) * P + p) * 2], x[((t - i) * P + p) * 2 + 1]]
            const at = (t * P + p) * 2 * taps + 2 * i
            re += M[at] * a - M[at + 1] * b
            im += M[at] * b + M[at + 1] * a
          }
          expected.push(re, im)
        }
      }
      assert.ok(relativeError(y, expected) < 1e-6, `${steps}, ${P}`)
      assert.ok(bench.canariesLive())
    }
  })
}

// compress may read what logpower has made of the same numbers: same bits as when each record runs in a call of its own
const OWN_EPS = 1e-6
for (const positions of [1, 2, 3, 4, 5, 7, 8, 12, 257]) {
  const shape = { steps: 1, positions, channels: 2 }
  const scaled = (input: number, weight: number): RecordSpec => ({
    kind: 'affine',
    ...shape,
    inputs: [input],
    weights: [Float32Array.of(weight, weight, 0, 0), new Float32Array(4)],
  })
  const logpower: RecordSpec = {
    kind: 'logpower',
    ...shape,
    resultChannels: 1,
    inputs: [-1],
    parameters: [floatWord(OWN_EPS), 0],
  }
  const compressOf = (eps: number): RecordSpec => ({
    kind: 'compress',
    ...shape,
    inputs: [-1],
    parameters: [floatWord(0.4), floatWord(eps)],
  })
  const X = 0
  const LEVEL = 1
  const cases: [string, RecordSpec[], { record: number; to: number; ahead?: number } | undefined][] = [
    ['apart', [scaled(2 * positions, 1), logpower, compressOf(OWN_EPS)], undefined],
    ['another eps', [scaled(2 * positions, 1), logpower, compressOf(0.1)], undefined],
    [
      'the result begins where the level does',
      [scaled(2 * positions, 1), logpower, compressOf(OWN_EPS)],
      { record: 2, to: LEVEL },
    ],
    [
      'other numbers in the place of the first',
      [scaled(2 * positions, 1), logpower, scaled(-1, 3), scaled(-3, 1), compressOf(OWN_EPS)],
      { record: 3, to: X },
    ],
    [
      'other numbers in the place of the level',
      [scaled(2 * positions, 1), logpower, scaled(-1, 3), compressOf(OWN_EPS)],
      { record: 2, to: LEVEL },
    ],
  ]
  // where buffers are so far apart that the result may begin ahead of the level and not meet what it is made of
  if ((8 * positions) % 64 > 0 && (8 * positions) % 64 <= 32)
    cases.push([
      'the result begins ahead of the level',
      [scaled(2 * positions, 1), logpower, compressOf(OWN_EPS)],
      { record: 2, to: LEVEL, ahead: 32 },
    ])
  for (const [name, specs, moved] of cases) {
    test(`logpower, then compress, of ${positions} bins: ${name}`, () => {
      const placed = buildModel(specs)
      if (moved) {
        const at = placed.results[moved.to].at - (moved.ahead ?? 0)
        placed.results[moved.record].at = at
        new DataView(placed.bytes.buffer).setUint32(128 + 64 * moved.record + 4 * 5, at, true)
      }
      const x = randoms(2 * positions, positions)
      for (const target of ['simd', 'scalar'] as const) {
        const whole = new Bench(placed, target)
        const single = new Bench(placed, target)
        single.write([x])
        for (let i = 0; i < specs.length; i++) single.core.run(single.program, single.state, single.scratch, i, i + 1)
        assert.equal(whole.hop([x]), single.result())
        assert.ok(whole.canariesLive())
      }
    })
  }
}

test.run()
