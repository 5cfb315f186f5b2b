// Which kernel runs for each shape: every inner loop of the core counts its rounds (loops.mjs), and what a shape runs is pinned
// here, with the rounds of its products, so that a layer that falls back to a slower tile fails. Shapes as networks have them.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import binaryen from 'wasm-opt'
import { drawBytes, drawNibbles, packBytes, packNibbles } from './fixture.integers.ts'
import { Bench, buildModel, pack, padded, type RecordSpec, randoms, up } from './fixture.ts'
// @ts-expect-error: plain JavaScript, shared with the build
import { countingCore } from './loops.mjs'

const { names, text } = countingCore() as { names: string[]; text: string }
const parsed = binaryen.parseText(text)
parsed.setFeatures(binaryen.Features.All)
const counting = new WebAssembly.Module(parsed.emitBinary() as Uint8Array<ArrayBuffer>)

/** { kernel: rounds of its loop } of one hop; loops that move, round or activate are left out unless `all`. */
function roundsOf(specs: RecordSpec[], all = false): Record<string, number> {
  const bench = new Bench(buildModel(specs), counting)
  const exports = bench.core as unknown as Record<string, WebAssembly.Global>
  bench.hop(specs[0].inputs.map((floats, i) => randoms(floats, i)))
  const counts = names.map((name, i) => [name, exports[`rounds.${i}`].value as number] as const)
  const isProduct = (name: string) => all || /tile|part|recur|step|filter/.test(name)
  return Object.fromEntries(counts.filter(([name, rounds]) => rounds > 0 && isProduct(name)))
}

const FORMATS = ['f32', 'int8', 'int4'] as const
type Format = (typeof FORMATS)[number]

function matrix(format: Format, rows: number, depth: number, groups = 1) {
  if (format === 'int8') return packBytes(drawBytes(rows, depth, 1), groups)
  if (format === 'int4') return packNibbles(drawNibbles(rows, depth, 1))
  return pack(rows, depth, randoms(rows * depth, 1))
}

/** More than any kernel here asks for. */
const TEMPORARY = 1 << 15

function linear(format: Format, rows: number, depth: number, columns: number, steps = 1): RecordSpec {
  return {
    kind: 'linear',
    format: FORMATS.indexOf(format),
    steps,
    positions: columns,
    channels: depth,
    resultChannels: rows,
    inputs: [steps * columns * depth],
    weights: [matrix(format, rows, depth)],
    temporaryFloats: TEMPORARY,
  }
}

function mix(format: Format, results: number, positions: number, channels: number, groups: number): RecordSpec {
  const f32 = randoms(groups * results * positions, 1)
  return {
    kind: 'mix',
    format: FORMATS.indexOf(format),
    steps: 1,
    positions,
    channels,
    resultPositions: results,
    inputs: [positions * channels],
    weights: [format === 'f32' ? padded(f32) : matrix(format, groups * results, positions, groups)],
    parameters: [groups, 0],
    temporaryFloats: TEMPORARY,
  }
}

function ssm(format: Format, positions: number, channels: number, order: number): RecordSpec {
  const width = up(order)
  const poles = new Float32Array(2 * width).fill(0.1)
  return {
    kind: 'ssm',
    format: FORMATS.indexOf(format),
    steps: 1,
    positions,
    channels,
    resultChannels: 2 * channels,
    inputs: [positions * channels],
    weights: [poles, matrix(format, width, channels), matrix(format, 2 * channels, width)],
    parameters: [order, 0],
    stateFloats: positions * 2 * width,
    temporaryFloats: TEMPORARY,
  }
}

function pin(name: string, spec: RecordSpec | RecordSpec[], expected: Record<string, number>, all = false): void {
  test(name, () => assert.equal(roundsOf([spec].flat(), all), expected))
}

// 48 x 48, 24 columns: 6 pairs of row blocks, 6 fours of columns
pin('linear f32, 24 columns', linear('f32', 48, 48, 24), { 'linear.f32 tile2x4': 36 * 48 })
pin('linear int8, 24 columns', linear('int8', 48, 48, 24), { 'linear.i8 tile2x4': 36 * 24 })
pin('linear int4, 24 columns', linear('int4', 48, 48, 24), { 'linear.i4 tile2x4': 36 * 24 })

pin('linear f32, one column', linear('f32', 48, 48, 1), { 'linear.f32 tile4x1': 3 * 48 })
pin('linear int8, one column', linear('int8', 48, 48, 1), { 'linear.i8 tile2x1': 6 * 24 })
pin('linear int4, one column', linear('int4', 48, 48, 1), { 'linear.i4 tile1x1': 12 * 6 * 4 })

// of 12 rows the last four are alone
pin('linear f32, 12 rows', linear('f32', 12, 32, 64), {
  'linear.f32 tile2x4': 16 * 32,
  'linear.f32 tile1x4': 16 * 32,
})
pin('linear int8, 12 rows', linear('int8', 12, 32, 64), {
  'linear.i8 tile2x4': 16 * 16,
  'linear.i8 tile1x4': 16 * 16,
})
// of 6 columns two are alone
pin('linear int8, 6 columns', linear('int8', 12, 32, 6), {
  'linear.i8 tile2x4': 16,
  'linear.i8 tile1x4': 16,
  'linear.i8 tile2x1': 2 * 16,
  'linear.i8 tile1x1': 2 * 16,
})
// steps are columns too
pin('linear int8, 16 steps', linear('int8', 48, 48, 1, 16), { 'linear.i8 tile2x4': 6 * 4 * 24 })

// as the bands of base and lite: 4 groups of 12 and of 8 channels
pin('mix int8, 4 groups of 12', mix('int8', 24, 24, 48, 4), { 'mix.i8 tile2x4': 4 * 3 * 3 * 12 })
pin('mix int8, 4 groups of 8', mix('int8', 24, 24, 32, 4), { 'mix.i8 tile2x4': 4 * 3 * 2 * 12 })
pin('mix int8, 20 results', mix('int8', 20, 24, 16, 1), {
  'mix.i8 tile2x4': 2 * 4 * 12,
  'mix.i8 tile1x4': 4 * 12,
})
pin('mix f32, 4 groups of 12', mix('f32', 24, 24, 48, 4), {
  'mix tile4x2': 4 * 6 * 24,
  'mix tile4x1': 4 * 6 * 24,
})

pin('ssm int8', ssm('int8', 24, 48, 24), {
  'linear.i8 tile2x4': 6 * 3 * 24 + 6 * 12 * 12,
  'ssm.i8 recur': 24 * 6,
})
pin('ssm f32', ssm('f32', 24, 48, 24), {
  'linear.f32 tile2x4': 6 * 3 * 48 + 6 * 12 * 24,
  'ssm stepReal': 24 * 6,
})

pin(
  'norm: all rows pass by pass, then silu sixteen at a time',
  {
    kind: 'norm',
    steps: 1,
    positions: 64,
    channels: 12,
    inputs: [768],
    weights: [randoms(12, 1), randoms(12, 2)],
    parameters: [0x3727c5ac, 1],
  },
  { 'norm meansOf': 16 * 3, 'norm spreadsOf': 16 * 3, 'norm finishPair': 32, 'activation silu': 768 / 16 },
  true,
)

pin(
  'glu: four rows together, as many vectors wide as they are',
  { kind: 'glu', steps: 1, positions: 24, channels: 64, resultChannels: 32, inputs: [24 * 64] },
  { 'elementwise glu': (24 / 4) * 8 },
  true,
)

const bins = { steps: 1, positions: 256, channels: 2 }
pin(
  'logpower and compress of the same numbers: one logarithm each',
  [
    { kind: 'mul', ...bins, inputs: [512, 512] },
    { kind: 'logpower', ...bins, resultChannels: 1, inputs: [-1], parameters: [0x3727c5ac, 0] },
    { kind: 'compress', ...bins, inputs: [-1], parameters: [0x3f000000, 0x3727c5ac] },
  ],
  { 'elementwise mul': 128, 'spectrum lnPowers': 64, 'spectrum compress': 64 },
  true,
)

test.run()
