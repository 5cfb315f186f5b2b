// The scalar core gives the bits of the SIMD core: every kind of record, odd sizes, several hops, results and states;
// (that it holds no vector instruction, the build checks). Debug is the same source unoptimised; relaxed differs by rounding.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, floatWord, KIND, moduleOf, type RecordSpec, randoms, type Target, up } from './fixture.ts'

const HOPS = 5

function specsOf(kind: keyof typeof KIND): RecordSpec[] {
  const shapes = [
    { steps: 1, positions: 3, channels: 5 },
    { steps: 3, positions: 6, channels: 8 },
    { steps: 2, positions: 1, channels: 18 },
  ]
  const w = (n: number, seed = 1, scale = 0.5) => randoms(up(n), seed, scale)
  return shapes.flatMap(({ steps: S, positions: P, channels: C }): RecordSpec[] => {
    const shape = { kind, steps: S, positions: P, channels: C, inputs: [S * P * C] }
    switch (kind) {
      case 'linear':
        return [1, 2, 3, 4].map((activation) => ({
          ...shape,
          resultChannels: 11,
          weights: [w(12 * C), w(11)],
          parameters: [activation, 0],
        }))
      case 'bandconv':
        return [
          {
            ...shape,
            resultPositions: P,
            resultChannels: 9,
            weights: [w(12 * 3 * C), w(9)],
            parameters: [3 | (1 << 8) | (1 << 16), 0],
          },
        ]
      case 'mix':
        return [{ ...shape, resultPositions: 7, weights: [w(7 * P), w(7)], parameters: [1, 4] }]
      case 'conv':
        return [{ ...shape, weights: [w(9 * C), w(C)], parameters: [3 | (3 << 8), 1], stateFloats: 2 * P * C }]
      case 'ssm':
        return [0, 3, 7, 8].map((flags) => {
          const d = flags & 4 ? C : 10
          const poles = new Float32Array(16).fill(0.1, 0, 8)
          poles.set(randoms(8, 9, 0.2), 8)
          const weights = [poles, w(16 * C), w(up(d) * 16, 2), w(up(d) * C, 3)]
          const sizes = { stateFloats: P * 16, temporaryFloats: S * P * 32 }
          return { ...shape, resultChannels: d, weights, parameters: [6, flags], ...sizes }
        })
      case 'norm':
        return [
          { ...shape, weights: [w(C), w(C, 2)], parameters: [floatWord(1e-5), 1] },
          { ...shape, weights: [w(P * C), w(P * C, 2)], parameters: [floatWord(1e-5), 1 | 256] },
        ]
      case 'affine':
        return [{ ...shape, weights: [w(C), w(C, 2)] }]
      case 'act':
        return [1, 2, 3, 4, 5].map((code) => ({ ...shape, weights: [w(C)], parameters: [code, 0] }))
      case 'glu':
        return [{ ...shape, channels: 2 * C, resultChannels: C, inputs: [2 * S * P * C] }]
      case 'add':
        return [0, 1, 2].map((mode) => ({
          ...shape,
          inputs: [S * P * C, S * P * C],
          weights: [w(C)],
          parameters: [mode, 0],
        }))
      case 'mul':
        return [{ ...shape, inputs: [S * P * C, S * P * C] }]
      case 'slice':
        return [{ ...shape, resultChannels: C - 2, parameters: [2, 0] }]
      case 'concat':
        return [{ ...shape, resultChannels: C + 3, inputs: [S * P * C, S * P * 3], parameters: [3, 0] }]
      case 'gather':
        return [{ ...shape, resultPositions: 2, weights: [Int32Array.of(-1, P - 1)] }]
      case 'delay':
        return [{ ...shape, parameters: [4, 0], stateFloats: 4 * P * C }]
      case 'frame':
        return [
          {
            kind,
            steps: S,
            positions: 1,
            channels: 1,
            resultChannels: C,
            inputs: [S * 3],
            parameters: [C, 3],
            stateFloats: C - 3,
          },
        ]
      case 'overlap':
        return [
          {
            kind,
            steps: S * 3,
            positions: 1,
            channels: C,
            resultChannels: 1,
            inputs: [S * C],
            parameters: [C, 3],
            stateFloats: C - 3,
          },
        ]
      case 'rfft':
        return [16, 64, 128].map((n) => ({
          kind,
          steps: S,
          positions: 1,
          channels: n,
          resultPositions: n / 2 + 1,
          resultChannels: 2,
          inputs: [S * n],
          weights: [w(n), w(1.5 * n, 2)],
          parameters: [n, 0],
          temporaryFloats: n,
        }))
      case 'irfft':
        return [
          [16, 5],
          [64, 32],
          [128, 128],
        ].map(([n, m]) => ({
          kind,
          steps: S,
          positions: n / 2 + 1,
          channels: 2,
          resultPositions: 1,
          resultChannels: m,
          inputs: [S * (n + 2)],
          weights: [w(m), w(1.5 * n, 2)],
          parameters: [n, m],
          temporaryFloats: 2 * n,
        }))
      case 'logpower':
        return [{ ...shape, channels: 2, resultChannels: 1, inputs: [S * P * 2], parameters: [floatWord(1e-8), 0] }]
      case 'compress':
        return [{ ...shape, channels: 2, inputs: [S * P * 2], parameters: [floatWord(0.3), floatWord(1e-8)] }]
      case 'filter':
        return [{ ...shape, channels: 2, inputs: [S * P * 2, S * P * 6], parameters: [3, 0], stateFloats: 2 * P * 2 }]
      case 'flag':
        return [{ kind, steps: 1, positions: 1, channels: 1, inputs: [] }]
      default:
        throw new Error(`no specs of ${kind}`)
    }
  })
}

function play(spec: RecordSpec, target: Target) {
  const bench = new Bench(buildModel([spec]), target)
  const results: Uint8Array[] = []
  for (let h = 0; h < HOPS; h++) {
    if (h === HOPS - 1) bench.core.end(bench.state)
    const y = bench.hop(spec.inputs.map((floats, i) => randoms(floats, 10 * h + i, h === 2 ? 1e-12 : 2)))
    results.push(new Uint8Array(y.buffer))
  }
  assert.ok(bench.canariesLive())
  return [...results, bench.stateBytes()]
}

for (const target of ['scalar', 'debug'] as const) {
  for (const kind of Object.keys(KIND) as (keyof typeof KIND)[]) {
    test(`${target} ${kind}: the bits of simd`, () => {
      for (const spec of specsOf(kind)) {
        for (const lag of [0, 2]) assert.equal(play({ ...spec, lag }, target), play({ ...spec, lag }, 'simd'))
      }
    })
  }
}

const RELAXED = moduleOf('relaxed') ? test : test.skip

RELAXED('relaxed: the numbers of simd to 1e-5', () => {
  for (const kind of Object.keys(KIND) as (keyof typeof KIND)[]) {
    for (const spec of specsOf(kind)) {
      const [relaxed, simd] = (['relaxed', 'simd'] as const).map((target) => play(spec, target))
      for (let h = 0; h < HOPS; h++) {
        const [a, b] = [relaxed[h], simd[h]].map((bytes) => new Float32Array(bytes.buffer))
        for (let i = 0; i < a.length; i++)
          assert.ok(Math.abs(a[i] - b[i]) <= 1e-5 * (1 + Math.abs(b[i])), `${kind} ${h} ${i}: ${a[i]} ${b[i]}`)
      }
    }
  }
})

test('numeric versions', () => {
  const versions = (['simd', 'scalar', 'debug'] as const).map((target) =>
    new Bench(buildModel(specsOf('flag').slice(0, 1)), target).core.numericVersion(),
  )
  assert.equal(versions, [1, 1, 1])
})

test.run()
