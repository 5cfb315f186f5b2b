// Weights as integers: rounding beats the nearest integers where inputs are correlated, layouts are those of FORMAT.md
// (packed a second time by hand), the core computes what the restored network says, at every level; corrupt blocks are refused.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { packBytes, packNibbles } from '../assembly/fixture.integers.ts'
import { openBuild, playWhole } from '../tests/golden/hops.ts'
import type { NetworkJson } from './attenuate.ts'
import { compileCheckpoint, compileWithin } from './compile.ts'
import { execute } from './execution.ts'
import { lower } from './lower.ts'
import { decodeModel, sealModel } from './modelfile.ts'
import { type Matrix, matricesOfNode, packIntegers, withMatrices } from './pack.ts'
import { restoreMatrix, roundMatrix } from './quantise.rounding.ts'
import { quantiseNetwork, restoreNetwork } from './quantise.ts'
import { matricesOf } from './record.ts'
import { measureSnrDb } from './snr.ts'
import { describeSpectral, describeUpsampler, drawNormal, fillNetwork, seedRandom } from './specimens.ts'

const FORMATS = ['int8', 'int4'] as const
const module = openBuild('simd')!

function drawMatrix(rows: number, columns: number, groups: number, seed: number): Matrix {
  const random = seedRandom(seed)
  return { rows, columns, groups, data: Float64Array.from({ length: rows * columns }, () => drawNormal(random)) }
}

/** Moments of inputs that mostly move together. */
function drawMoments(K: number, seed: number): Float64Array {
  const random = seedRandom(seed)
  const H = new Float64Array(K * K)
  for (let n = 0; n < 4 * K; n++) {
    const shared = 3 * drawNormal(random)
    const x = Array.from({ length: K }, (_, k) => (shared + drawNormal(random)) * (k % 5 === 0 ? 0.1 : 1))
    for (let i = 0; i < K; i++) for (let j = 0; j < K; j++) H[i * K + j] += (x[i] * x[j]) / (4 * K)
  }
  return H
}

function errorOf(a: Matrix, b: Matrix, H: Float64Array): number {
  const K = a.columns
  let total = 0
  for (let row = 0; row < a.rows; row++) {
    const e = Array.from({ length: K }, (_, k) => a.data[row * K + k] - b.data[row * K + k])
    for (let i = 0; i < K; i++) for (let j = 0; j < K; j++) total += e[i] * H[i * K + j] * e[j]
  }
  return total
}

for (const format of FORMATS) {
  test(`${format}: integers keep to their range, scales to what the file holds`, () => {
    for (const [rows, columns, groups] of [
      [1, 1, 1],
      [7, 33, 1],
      [12, 64, 3],
    ]) {
      const { values, scales } = roundMatrix(drawMatrix(rows, columns, groups, 3), format)
      const most = format === 'int8' ? 127 : 7
      assert.ok(values.every((value) => Math.abs(value) <= most))
      assert.ok(values.some((value) => Math.abs(value) > most / 2))
      const words = new Uint32Array(scales.buffer)
      if (format === 'int4') assert.ok(words.every((word) => word % 65536 === 0))
      assert.ok(scales.every((scale) => scale > 0))
    }
  })

  test(`${format}: rounding that knows the input is better, and never far from the nearest`, () => {
    const matrix = drawMatrix(16, 48, 1, 5)
    const H = drawMoments(48, 6)
    const plain = restoreMatrix(roundMatrix(matrix, format))
    const informed = restoreMatrix(roundMatrix(matrix, format, [H]))
    const gainDb = 10 * Math.log10(errorOf(matrix, plain, H) / errorOf(matrix, informed, H))
    assert.ok(gainDb > 3, `${gainDb}`)
  })

  test(`${format}: rows of zeros, tiny and huge rows`, () => {
    const matrix = drawMatrix(4, 40, 1, 7)
    for (let k = 0; k < 40; k++) {
      matrix.data[k] = 0
      matrix.data[40 + k] *= 1e-12
      matrix.data[80 + k] *= 1e12
    }
    const restored = restoreMatrix(roundMatrix(matrix, format))
    for (let row = 0; row < 4; row++) {
      const own = matrix.data.subarray(40 * row, 40 * row + 40)
      const back = restored.data.subarray(40 * row, 40 * row + 40)
      const peak = Math.max(...own.map(Math.abs))
      assert.ok(own.every((value, k) => Math.abs(value - back[k]) <= peak * (format === 'int8' ? 0.01 : 0.2)))
    }
  })

  test(`${format}: the bytes that FORMAT.md describes`, () => {
    for (const [rows, columns] of [
      [1, 1],
      [6, 9],
      [9, 70],
      [8, 32],
    ]) {
      const matrix = roundMatrix(drawMatrix(rows, columns, 1, 8), format)
      const byHand = { rows, depth: columns, grouped: format === 'int4', values: matrix.values, scales: matrix.scales }
      assert.equal(packIntegers(matrix), (format === 'int8' ? packBytes : packNibbles)(byHand))
    }
  })
}

test('int8 of a mixing matrix: the bytes that FORMAT.md describes', () => {
  const matrix = roundMatrix(drawMatrix(21, 5, 3, 9), 'int8')
  const byHand = { rows: 21, depth: 5, grouped: false, values: matrix.values, scales: matrix.scales }
  assert.equal(packIntegers(matrix), packBytes(byHand, 3))
})

test('matrices go back into their node', () => {
  for (const sparse of [false, true]) {
    for (const node of fillNetwork(describeSpectral(1), 4, sparse).graph.nodes) {
      const matrices = matricesOfNode(node)
      if (matrices.length === 0) continue
      const again = withMatrices(node, matrices)
      for (const [name, { shape, data }] of node.tensors) {
        const other = again.tensors.get(name)!
        assert.equal(other.shape, shape)
        assert.ok(
          data.every((value, i) => Math.abs(value - other.data[i]) <= 1e-14 * Math.abs(value)),
          node.name,
        )
      }
    }
  }
})

function drawNoise(length: number, dBFS: number): Float32Array {
  const random = seedRandom(12)
  const level = 10 ** (dBFS / 20)
  return Float32Array.from({ length }, (_, i) => level * (2 * random() - 1) * (0.55 + 0.45 * Math.sin(i / 700)))
}

for (const format of FORMATS) {
  for (const [name, json] of [
    ['spectral', describeSpectral(1)],
    ['upsampler', describeUpsampler()],
  ] as const) {
    for (const dBFS of [-60, -40, -20, 0]) {
      test(`${format} ${name} at ${dBFS} dBFS: the core computes the rounded network`, () => {
        const checkpoint = fillNetwork(json, 2)
        const { graph } = checkpoint
        const noise = drawNoise(60 * graph.input.hop, dBFS)
        const { quantisation } = quantiseNetwork(graph, format, execute(graph, drawNoise(noise.length, -20)))
        const found = playWhole(module, compileCheckpoint(checkpoint, {}, quantisation), noise, new Set())
        const expected = execute(restoreNetwork(graph, quantisation), noise).signals.get('output')!
        const { overlapLag } = lower(graph)
        const all = measureSnrDb(found.subarray(0, found.length - overlapLag), expected.subarray(overlapLag))
        assert.ok(all > 55, `${all}`)
      })
    }
  }

  test(`${format}: equal input gives equal bytes`, () => {
    const calibration = drawNoise(16000, -20)
    const [a, b] = [0, 1].map(() => compileWithin(fillNetwork(describeSpectral(0), 3), { format, calibration }).bytes)
    assert.equal(a, b)
  })
}

test('mixed keeps to its target, and costs more bytes for more', () => {
  const checkpoint = fillNetwork(describeSpectral(0), 3)
  const calibration = drawNoise(16000, -20)
  const sizes = [40, 60, 77].map((mixedSnrDb) => {
    const { bytes, weights } = compileWithin(checkpoint, { format: 'mixed', mixedSnrDb, calibration })
    assert.ok(weights!.snrDb! > mixedSnrDb - 2, `${weights!.snrDb}`)
    return bytes.length
  })
  assert.ok(sizes[0] < sizes[1] && sizes[1] < sizes[2], `${sizes}`)
})

test('mixed without audio, unknown formats: one clear line', () => {
  const checkpoint = fillNetwork(describeSpectral(0), 3)
  assert.throws(
    () => compileWithin(checkpoint, { format: 'mixed' }),
    /OPTION_INVALID: format mixed without calibration/,
  )
  assert.throws(() => compileWithin(checkpoint, { format: 'int2' as 'int4' }), /OPTION_INVALID: format/)
})

/** One linear layer of `columns` to 4. */
function describeLinear(columns: number): NetworkJson {
  const port = { rate: 16000, hop: columns }
  const graph = [
    { name: 'group', op: 'reshape', in: ['input'], shape: [1, 1, columns] },
    { name: 'wide', op: 'linear', in: ['group'], channels: columns },
    { name: 'output', op: 'reshape', in: ['wide'], shape: [columns, 1, 1] },
  ]
  return { version: 1, name: 'wide', input: port, output: port, graph }
}

test('numbers beyond f32, in weights or on the calibration audio: one clear line in every format', () => {
  const audio = Float32Array.from({ length: 2000 }, (_, t) => 0.1 * Math.sin(t / 5))
  const huge = fillNetwork(describeUpsampler(), 3)
  huge.tensors.get('enter.weight')!.data[0] = 1e200
  const growing = fillNetwork(describeUpsampler(), 3)
  for (const [name, { data }] of growing.tensors) if (name.endsWith('weight')) data.fill(1e25)
  for (const format of ['int8', 'int4'] as const) {
    assert.throws(() => compileWithin(huge, { format }), /^TENSOR_VALUE: node enter: a weight leaves/)
    assert.throws(
      () => compileWithin(growing, { format, calibration: audio }),
      /^TENSOR_VALUE: node [a-z]+: result on the calibration audio leaves the range of f32, -?(Infinity|NaN);/,
    )
  }
})

test('rows longer than 516 stay f32 where int8 is asked for', () => {
  for (const [columns, format] of [
    [516, 'int8'],
    [517, 'f32'],
  ] as const) {
    const { weights, bytes } = compileWithin(fillNetwork(describeLinear(columns), 1), { format: 'int8' })
    assert.is(weights!.formats.wide, format)
    assert.is(decodeModel(bytes).records[0].format, format === 'int8' ? 1 : 0)
  }
})

function corrupt(file: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = file.slice()
  change(new DataView(copy.buffer))
  return sealModel(copy)
}

test('integers out of range, broken scales and wrong formats are refused', () => {
  const files = FORMATS.map((format) => compileWithin(fillNetwork(describeSpectral(0), 3), { format }).bytes)
  for (const [k, file] of files.entries()) {
    const { records } = decodeModel(file)
    const i = records.findIndex(({ task, format }) => task.kind === 'linear' && format === k + 1)
    const at = records[i].weights[0]
    const [{ rows, columns }] = matricesOf(records[i].task)
    const blocks = Math.ceil(rows / 4)
    const scalesAt =
      k === 0
        ? at + Math.ceil((blocks * Math.ceil(columns / 2) * 8) / 16) * 16
        : at + blocks * Math.ceil(columns / 8) * 16
    const least = (view: DataView) => (k === 0 ? view.setInt8(at, -128) : view.setUint8(at + 1, 0x80))
    assert.throws(() => decodeModel(corrupt(file, least)), /MODEL_INVALID: record \d+ \(linear\): weight block 0: int/)
    const broken = (view: DataView) =>
      k === 0 ? view.setUint32(scalesAt, 0x7fc00000, true) : view.setUint16(scalesAt, 0x7f80, true)
    assert.throws(() => decodeModel(corrupt(file, broken)), /weight block 0: scale/)
    const word = 128 + 64 * i
    assert.throws(() => decodeModel(corrupt(file, (view) => view.setUint16(word + 2, 3, true))), /number format, 3/)
    for (const [kind, format] of [
      ['norm', 1],
      ['mix', 2],
    ] as const) {
      const other = records.findIndex(({ task }) => task.kind === kind)
      const change = (view: DataView) => view.setUint16(128 + 64 * other + 2, format, true)
      assert.throws(() => decodeModel(corrupt(file, change)), /number format/)
    }
    // without the seal, any flipped bit is
    const flipped = file.slice()
    flipped[at] ^= 1
    assert.throws(() => decodeModel(flipped), /MODEL_HASH/)
  }
})

test.run()
