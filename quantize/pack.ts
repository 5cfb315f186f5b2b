// Weights of one node in the layout the core reads (FORMAT.md). In: a checked node, f64 tensors. Out: up to four
// blocks of f32 (one of i32) and the two parameter words. Packed (d, K): four rows interleaved, (up(d)/4, K, 4).

import { fail } from './errors.ts'
import type { Node } from './graph.ts'
import { ACTIVATION_CODES, type Activation, packBandconv, SSM_FLAGS, up, wordOfFloat } from './record.ts'
import type { Tensor } from './tensor.ts'

export type Block = Float32Array | Int32Array

export interface Packed {
  readonly blocks: (Block | undefined)[]
  readonly parameters: [number, number]
}

/** Slowest decay a pole may have per step; beyond it f32 states would drift for hours. */
export const MIN_DECAY = 1e-9

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
export function packVector(values: ArrayLike<number>): Float32Array {
  const out = new Float32Array(up(values.length))
  out.set(values)
  return out
}

/** Blocks and parameters of a node whose result goes through `activation`, 'none' where that is a record of its own. */
export function packNode(node: Node, activation: Activation): Packed {
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

const vector = (tensor: Tensor | undefined) => (tensor ? packVector(tensor.data) : undefined)
const number = (node: Node, key: string) => node.attributes.get(key) as number

const PACKERS: Record<string, (node: Node, activation: number) => Packed> = {
  linear: (node, activation) => ({
    blocks: [packMatrix(node.tensors.get('weight')!), vector(node.tensors.get('bias'))],
    parameters: [activation, 0],
  }),
  bandconv: (node, activation) => ({
    blocks: [packMatrix(node.tensors.get('weight')!), vector(node.tensors.get('bias'))],
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
    parameters: [wordOfFloat(number(node, 'eps')), activation],
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

function packMatrix({ shape, data }: Tensor): Float32Array {
  const columns = data.length / shape[0]
  return packRows(shape[0], columns, (i, k) => data[i * columns + k])
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

/** Eq. 3-5 of arXiv 2409.03377: lambda = exp(dt A), B scaled by dt, y = Re(C x) as Re C xr - Im C xi. */
function packSsm(node: Node): Packed {
  const order = number(node, 'order')
  const B = node.tensors.get('B')!
  const C = node.tensors.get('C')!
  const D = node.tensors.get('D')
  const dt = node.tensors.get('log_dt')!.data.map(Math.exp)
  const complexB = B.shape.length === 3
  const complexC = C.shape.length === 3
  const [inputs, outputs] = [B.shape[1], C.shape[0]]
  const width = up(order)
  const partsB = complexB ? 2 : 1
  const packedB = packRows(partsB * width, inputs, (row, c) => {
    const n = row % width
    return n < order ? dt[n] * B.data[(n * inputs + c) * partsB + (row >= width ? 1 : 0)] : 0
  })
  const partsC = complexC ? 2 : 1
  const packedC = packRows(outputs, partsC * width, (d, column) => {
    const n = column % width
    const value = C.data[(d * order + Math.min(n, order - 1)) * partsC + (column >= width ? 1 : 0)]
    return n < order ? (column >= width ? -value : value) : 0
  })
  const flags =
    (complexB ? SSM_FLAGS.complexB : 0) |
    (complexC ? SSM_FLAGS.complexC : 0) |
    (D === undefined ? 0 : D.shape.length === 2 ? SSM_FLAGS.fullD : SSM_FLAGS.diagonalD)
  const packedD = D && (D.shape.length === 2 ? packMatrix(D) : packVector(D.data))
  return { blocks: [packPoles(node, dt, width), packedB, packedC, packedD], parameters: [order, flags] }
}

/** `1 - Re(lambda)`, then `Im(lambda)`. The difference is formed without cancellation. */
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
    poles[n] = -Math.expm1(-decay) + 2 * Math.exp(-decay) * turn * turn
    poles[width + n] = Math.exp(-decay) * Math.sin(angle)
  }
  return poles
}

export function softplus(a: number): number {
  return Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))
}

/** Twiddles of the complex transform of n/2 points, then of the split step: cos and sin interleaved, 1.5 n floats. */
export function transformTables(n: number): Float32Array {
  const half = n / 2
  const angles = [
    ...Array.from({ length: n / 4 }, (_, j) => (-2 * Math.PI * j) / half),
    ...Array.from({ length: half }, (_, j) => (-2 * Math.PI * j) / n),
  ]
  return Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]))
}
