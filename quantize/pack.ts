// Weights of one node in the layout the core reads (FORMAT.md). In: a checked node with f64 tensors, and its matrices as
// integers where it is quantised. Out: up to four blocks (f32, i32 or integers) and the two parameter words. Matrices
// (d, K) have four rows interleaved: f32 (up(d)/4, K, 4), int8 (up(d)/4, K/2, 4, 2), int4 (up(d)/4, K/8) vectors.

import { fail } from './errors.ts'
import type { Node } from './graph.ts'
import {
  ACTIVATION_CODES,
  type Activation,
  FORMATS,
  INT4_GROUP,
  lossOf,
  matrixBytes,
  packBandconv,
  packNorm,
  SSM_FLAGS,
  up,
  wordOfFloat,
} from './record.ts'
import type { Tensor } from './tensor.ts'

export type Block = Float32Array | Int32Array | Uint8Array

export interface Packed {
  readonly blocks: (Block | undefined)[]
  readonly parameters: [number, number]
  /** Of the matrices; f32 where it is not stated. */
  readonly format?: number
}

/** A matrix as the core multiplies it, row-major: `groups` of them, each (rows / groups, columns). */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly groups: number
  readonly data: Float64Array
}

/** The same in integers. */
export interface IntegerMatrix {
  readonly format: 'int8' | 'int4'
  readonly rows: number
  readonly columns: number
  readonly groups: number
  readonly values: Int8Array
  /** (rows), or of int4 (rows, groups of 32 columns), values whose lower half is zero. */
  readonly scales: Float32Array
}

/** Slowest decay a pole may have per step; beyond it f32 states would drift for hours. */
const MIN_DECAY = 1e-9

/** Interleaves four rows; `at(row, column)` yields the weight, missing rows are zero. */
export function packRows(rows: number, columns: number, at: (row: number, column: number) => number): Float32Array {
  const out = new Float32Array(up(rows) * columns)
  for (let i = 0; i < rows; i++) {
    const first = (i >> 2) * 4 * columns + (i & 3)
    for (let k = 0; k < columns; k++) out[first + 4 * k] = at(i, k)
  }
  return out
}

/** A vector, zeros up to a multiple of four. */
function packVector(values: ArrayLike<number>): Float32Array {
  const out = new Float32Array(up(values.length))
  out.set(values)
  return out
}

/**
 * Blocks and parameters of a node whose result goes through `activation`, 'none' where that is a record of its own.
 * `integers` replace its matrices, in the order of `matricesOfNode`.
 */
export function packNode(node: Node, activation: Activation, integers?: readonly IntegerMatrix[]): Packed {
  const packed = packFloats(node, activation)
  if (!integers?.length) return packed
  const blocks = [...packed.blocks]
  const places = node.op === 'ssm' ? [1, 2] : [0]
  for (const [k, matrix] of integers.entries()) blocks[places[k]] = packIntegers(matrix)
  return { ...packed, blocks, format: FORMATS[integers[0].format] }
}

function packFloats(node: Node, activation: Activation): Packed {
  const packer = PACKERS[node.op]
  const packed = packer
    ? packer(node, ACTIVATION_CODES[activation])
    : { blocks: [], parameters: [0, 0] as [number, number] }
  for (const block of packed.blocks) {
    if (block?.some((x) => !Number.isFinite(x))) {
      fail('TENSOR_VALUE', `node ${node.name}: a weight leaves the range of f32`, 'infinite', 'scale it down')
    }
  }
  return packed
}

export function packIntegers(matrix: IntegerMatrix): Uint8Array {
  return matrix.format === 'int8' ? packBytes(matrix) : packNibbles(matrix)
}

/** FORMAT.md, number format 1. */
function packBytes({ rows, columns, groups, values, scales }: IntegerMatrix): Uint8Array {
  const pairs = Math.ceil(columns / 2)
  const each = rows / groups
  const out = new Uint8Array(matrixBytes(FORMATS.int8, each, columns, groups))
  const scalesAt = out.length - 4 * groups * up(each)
  const view = new DataView(out.buffer)
  for (let i = 0; i < rows; i++) {
    const row = Math.floor(i / each) * up(each) + (i % each)
    view.setFloat32(scalesAt + 4 * row, scales[i], true)
    const first = (row >> 2) * pairs * 8 + (row & 3) * 2
    for (let k = 0; k < columns; k++) out[first + (k >> 1) * 8 + (k & 1)] = values[i * columns + k]
  }
  return out
}

/** FORMAT.md, number format 2. */
function packNibbles({ rows, columns, values, scales }: IntegerMatrix): Uint8Array {
  const vectors = Math.ceil(columns / 8)
  const groups = Math.ceil(columns / INT4_GROUP)
  const out = new Uint8Array(matrixBytes(FORMATS.int4, rows, columns))
  const scalesAt = (up(rows) / 4) * vectors * 16
  const view = new DataView(out.buffer)
  for (let i = 0; i < rows; i++) {
    for (let g = 0; g < groups; g++) {
      const at = scalesAt + ((i >> 2) * groups + g) * 8 + (i & 3) * 2
      view.setUint16(at, wordOfFloat(scales[i * groups + g]) >>> 16, true)
    }
    for (let k = 0; k < columns; k++) {
      const at = ((i >> 2) * vectors + (k >> 3)) * 16 + (i & 3) * 4 + (k & 1) * 2
      const nibble = (values[i * columns + k] & 15) << (12 - 4 * ((k & 7) >> 1))
      view.setUint16(at, view.getUint16(at, true) | nibble, true)
    }
  }
  return out
}

const vector = (tensor: Tensor | undefined) => (tensor ? packVector(tensor.data) : undefined)
const number = (node: Node, key: string) => node.attributes.get(key) as number

const PACKERS: Record<string, (node: Node, activation: number) => Packed> = {
  linear: (node, activation) => ({
    blocks: [packDense(matrixOf(node.tensors.get('weight')!, 1)), vector(node.tensors.get('bias'))],
    parameters: [activation, 0],
  }),
  bandconv: (node, activation) => ({
    blocks: [packDense(matrixOf(node.tensors.get('weight')!, 1)), vector(node.tensors.get('bias'))],
    parameters: [
      packBandconv({
        taps: number(node, 'taps'),
        stride: number(node, 'stride'),
        padLeft: (node.attributes.get('pad') as number[])[0],
        activation,
      }),
      0,
    ],
  }),
  mix: (node, activation) => ({
    blocks: [packVector(node.tensors.get('weight')!.data), vector(node.tensors.get('bias'))],
    parameters: [number(node, 'groups'), activation],
  }),
  conv: (node, activation) => ({
    blocks: [packVector(node.tensors.get('weight')!.data), vector(node.tensors.get('bias'))],
    parameters: [number(node, 'taps') | (number(node, 'bands') << 8), activation],
  }),
  ssm: packSsm,
  norm: (node, activation) => ({
    blocks: [vector(node.tensors.get('weight')), vector(node.tensors.get('bias'))],
    parameters: [
      wordOfFloat(number(node, 'eps')),
      packNorm({ activation, perPosition: node.tensors.get('weight')!.shape.length === 2 }),
    ],
  }),
  affine: packAffine,
  act: (node) => ({
    blocks: [vector(node.tensors.get('weight'))],
    parameters: [ACTIVATION_CODES[node.attributes.get('kind') as Activation], 0],
  }),
  add: (node) => {
    const gain = node.tensors.get('gain')
    return { blocks: [vector(gain)], parameters: [gain === undefined ? 0 : gain.shape.length === 0 ? 1 : 2, 0] }
  },
  slice: (node) => ({ blocks: [], parameters: [number(node, 'from'), 0] }),
  gather: (node) => ({ blocks: [Int32Array.from(node.attributes.get('index') as number[])], parameters: [0, 0] }),
  rfft: (node) => {
    const n = node.tensors.get('window')!.data.length
    return { blocks: [vector(node.tensors.get('window')), transformTables(n)], parameters: [n, 0] }
  },
  logpower: (node) => ({ blocks: [], parameters: [wordOfFloat(number(node, 'eps')), 0] }),
  compress: (node) => ({
    blocks: [],
    parameters: [wordOfFloat(number(node, 'exponent')), wordOfFloat(number(node, 'eps'))],
  }),
  filter: (node) => ({ blocks: [], parameters: [number(node, 'taps'), 0] }),
}

/** irfft: its size is not its own attribute but follows from its input's positions. */
export function packInverse(node: Node, n: number): Packed {
  const window = node.tensors.get('window')!
  return { blocks: [packVector(window.data), transformTables(n)], parameters: [n, window.data.length] }
}

function packDense({ rows, columns, data }: Matrix): Float32Array {
  return packRows(rows, columns, (i, k) => data[i * columns + k])
}

function packAffine(node: Node): Packed {
  const weight = node.tensors.get('weight')!
  const bias = node.tensors.get('bias')
  const perPosition = weight.shape.length === 2 || bias?.shape.length === 2
  const { positions, channels } = node.shape
  const spread = ({ data }: Tensor) =>
    perPosition && data.length === channels
      ? packVector(Float64Array.from({ length: positions * channels }, (_, i) => data[i % channels]))
      : packVector(data)
  return { blocks: [spread(weight), bias && spread(bias)], parameters: [perPosition ? 1 : 0, 0] }
}

/** The matrices of a node, in the order of their blocks; none where it has none. */
export function matricesOfNode(node: Node): Matrix[] {
  const weight = node.tensors.get('weight')
  switch (node.op) {
    case 'linear':
    case 'bandconv':
      return [matrixOf(weight!, 1)]
    case 'mix': {
      const [groups, results, columns] = weight!.shape
      return [{ rows: groups * results, columns, groups, data: weight!.data }]
    }
    case 'ssm':
      return ssmMatrices(node)
    default:
      return []
  }
}

/** The node with other matrices in place of its own: the way back from `matricesOfNode`. */
export function withMatrices(node: Node, matrices: readonly Matrix[]): Node {
  const tensors = new Map(node.tensors)
  if (node.op !== 'ssm') {
    tensors.set('weight', { shape: node.tensors.get('weight')!.shape, data: matrices[0].data })
    return { ...node, tensors }
  }
  const dt = node.tensors.get('log_dt')!.data.map(Math.exp)
  const width = up(dt.length)
  for (const [name, { data: from }] of [
    ['B', matrices[0]],
    ['C', matrices[1]],
  ] as const) {
    const { shape } = node.tensors.get(name)!
    const [parts, columns] = [shape[2] ?? 1, shape[1]]
    const data = Float64Array.from({ length: shape[0] * columns * parts }, (_, i) => {
      const [row, column, part] = [Math.floor(i / (parts * columns)), Math.floor(i / parts) % columns, i % parts]
      if (name === 'B') return from[(part * width + row) * columns + column] / dt[row]
      return (part ? -1 : 1) * from[(row * parts + part) * width + column]
    })
    tensors.set(name, { shape, data })
  }
  return { ...node, tensors }
}

function matrixOf({ shape, data }: Tensor, groups: number): Matrix {
  return { rows: shape[0], columns: data.length / shape[0], groups, data }
}

/** B with dt, rows [Re, Im] of up(N); C as it acts on [xr, xi], columns [Re, -Im] of up(N). */
function ssmMatrices(node: Node): Matrix[] {
  const order = number(node, 'order')
  const B = node.tensors.get('B')!
  const C = node.tensors.get('C')!
  const dt = node.tensors.get('log_dt')!.data.map(Math.exp)
  const width = up(order)
  const [partsB, partsC] = [B.shape.length === 3 ? 2 : 1, C.shape.length === 3 ? 2 : 1]
  const [inputs, outputs] = [B.shape[1], C.shape[0]]
  const dataB = new Float64Array(partsB * width * inputs)
  for (let i = 0; i < order * inputs * partsB; i++) {
    const n = Math.floor(i / (inputs * partsB))
    const [c, part] = [Math.floor(i / partsB) % inputs, i % partsB]
    dataB[(part * width + n) * inputs + c] = dt[n] * B.data[i]
  }
  const dataC = new Float64Array(outputs * partsC * width)
  for (let i = 0; i < outputs * order * partsC; i++) {
    const d = Math.floor(i / (order * partsC))
    const [n, part] = [Math.floor(i / partsC) % order, i % partsC]
    dataC[(d * partsC + part) * width + n] = part ? -C.data[i] : C.data[i]
  }
  return [
    { rows: partsB * width, columns: inputs, groups: 1, data: dataB },
    { rows: outputs, columns: partsC * width, groups: 1, data: dataC },
  ]
}

/** Eq. 3-5 of arXiv 2409.03377: lambda = exp(dt A), B scaled by dt, y = Re(C x) as Re C xr - Im C xi. */
function packSsm(node: Node): Packed {
  const order = number(node, 'order')
  const B = node.tensors.get('B')!
  const C = node.tensors.get('C')!
  const D = node.tensors.get('D')
  const dt = node.tensors.get('log_dt')!.data.map(Math.exp)
  const complexB = B.shape.length === 3
  const complexC = C.shape.length === 3
  const width = up(order)
  const [packedB, packedC] = ssmMatrices(node).map(packDense)
  const flags =
    (complexB ? SSM_FLAGS.complexB : 0) |
    (complexC ? SSM_FLAGS.complexC : 0) |
    (D === undefined ? 0 : D.shape.length === 2 ? SSM_FLAGS.fullD : SSM_FLAGS.diagonalD)
  const packedD = D && (D.shape.length === 2 ? packDense(matrixOf(D, 1)) : packVector(D.data))
  return { blocks: [packPoles(node, dt, width), packedB, packedC, packedD], parameters: [order, flags] }
}

/**
 * `1 - Re(lambda)`, then `Im(lambda)`. The difference is formed without cancellation. Where f32 would put the slowest poles on
 * the unit circle or beyond it, they decay faster, by as little as f32 can tell.
 */
function packPoles(node: Node, dt: Float64Array, width: number): Float32Array {
  const A = node.tensors.get('A')!.data
  const poles = new Float32Array(2 * width).fill(1, 0, width)
  for (let n = 0; n < dt.length; n++) {
    const decay = dt[n] * softplus(A[2 * n])
    const angle = dt[n] * A[2 * n + 1]
    if (!(decay >= MIN_DECAY)) {
      fail('TENSOR_VALUE', `node ${node.name}: decay per step of pole ${n}`, decay, `train it to at least ${MIN_DECAY}`)
    }
    const turn = Math.sin(angle / 2)
    for (let held = decay; ; held *= 2) {
      poles[n] = -Math.expm1(-held) + 2 * Math.exp(-held) * turn * turn
      poles[width + n] = Math.exp(-held) * Math.sin(angle)
      if (!(lossOf(poles[n], poles[width + n]) <= 0)) break
    }
  }
  return poles
}

export function softplus(a: number): number {
  return Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))
}

/** Twiddles of the complex transform of n/2 points, then of the split step: cos and sin interleaved, 1.5 n floats. */
function transformTables(n: number): Float32Array {
  const half = n / 2
  const angles = [
    ...Array.from({ length: n / 4 }, (_, j) => (-2 * Math.PI * j) / half),
    ...Array.from({ length: half }, (_, j) => (-2 * Math.PI * j) / n),
  ]
  return Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]))
}
