// Weights of a record back into matrices: what inspection looks at. In: the bytes of a valid model file and a record. Out:
// row-major f64 matrices as the core uses them, rounding of the number format included (FORMAT.md).

import type { LinearSystem } from './discretise.ts'
import { fail } from './errors.ts'
import type { OpRecord } from './modelfile.ts'
import { floatOfWord, INT4_GROUP, lossOf, roundUp, SSM_FLAGS, up } from './record.ts'

/** A packed (rows, columns) matrix, by number format. */
const UNPACKERS: ((bytes: Uint8Array, at: number, rows: number, columns: number) => Float64Array)[] = [
  unpackFloats,
  unpackInt8,
  unpackInt4,
]

export function unpackMatrix(
  bytes: Uint8Array,
  at: number,
  rows: number,
  columns: number,
  format: number,
): Float64Array {
  const unpack = UNPACKERS[format]
  if (!unpack) fail('FORMAT_UNSUPPORTED', 'number format of weights to be shown', format, 'update the library')
  return unpack(bytes, at, rows, columns)
}

/** (up(rows)/4, columns, 4) */
function unpackFloats(bytes: Uint8Array, at: number, rows: number, columns: number): Float64Array {
  const view = viewOf(bytes)
  return fill(rows, columns, (i, k) => view.getFloat32(at + 4 * ((i >> 2) * 4 * columns + 4 * k + (i & 3)), true))
}

/** (up(rows)/4, ceil(columns/2), 4, 2), then a scale per row */
function unpackInt8(bytes: Uint8Array, at: number, rows: number, columns: number): Float64Array {
  const view = viewOf(bytes)
  const pairs = Math.ceil(columns / 2)
  const scales = at + roundUp(up(rows) * pairs * 2, 16)
  return fill(rows, columns, (i, k) => {
    const weight = view.getInt8(at + (((i >> 2) * pairs + (k >> 1)) * 4 + (i & 3)) * 2 + (k & 1))
    return weight * view.getFloat32(scales + 4 * i, true)
  })
}

/** (up(rows)/4, ceil(columns/8), 4, 2) words of four weights, then (up(rows)/4, ceil(columns/32), 4) halves of scales */
function unpackInt4(bytes: Uint8Array, at: number, rows: number, columns: number): Float64Array {
  const view = viewOf(bytes)
  const [vectors, groups] = [Math.ceil(columns / 8), Math.ceil(columns / INT4_GROUP)]
  const scales = at + (up(rows) / 4) * vectors * 16
  return fill(rows, columns, (i, k) => {
    const [block, row] = [i >> 2, i & 3]
    const word = view.getInt16(at + 2 * (((block * vectors + (k >> 3)) * 4 + row) * 2 + (k & 1)), true)
    // the pair at the left first: shifted up to the sign, then down
    const weight = (word << (16 + 4 * ((k & 7) >> 1))) >> 28
    const half = view.getUint16(scales + 2 * ((block * groups + Math.floor(k / INT4_GROUP)) * 4 + row), true)
    return weight * floatOfWord(half * 65536)
  })
}

function fill(rows: number, columns: number, read: (i: number, k: number) => number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, at) => read(Math.floor(at / columns), at % columns))
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** The discrete system of an `ssm` record. */
export function unpackSystem(bytes: Uint8Array, { task, format, weights }: OpRecord): LinearSystem {
  const [order, flags] = task.parameters
  const [inputs, outputs] = [task.channels, task.resultChannels]
  const width = up(order)
  const [complexB, complexC] = [(flags & SSM_FLAGS.complexB) !== 0, (flags & SSM_FLAGS.complexC) !== 0]
  const B = unpackMatrix(bytes, weights[1], complexB ? 2 * width : width, inputs, format)
  const columns = complexC ? 2 * width : width
  const C = unpackMatrix(bytes, weights[2], outputs, columns, format)
  const rowsOfB = (first: number) => B.slice(first * inputs, (first + order) * inputs)
  const columnsOfC = (first: number, sign: number) => fill(outputs, order, (d, n) => sign * C[d * columns + first + n])
  return {
    order,
    inputs,
    outputs,
    ...unpackPoles(bytes, weights[0], order),
    B: { re: rowsOfB(0), im: complexB ? rowsOfB(width) : new Float64Array(order * inputs) },
    C: { re: columnsOfC(0, 1), im: complexC ? columnsOfC(width, -1) : new Float64Array(outputs * order) },
    D: unpackDirect(bytes, weights[3], flags, inputs, outputs),
  }
}

/** `1 - Re lambda`, then `Im lambda`, as decay and angle per step. */
function unpackPoles(bytes: Uint8Array, at: number, order: number): Pick<LinearSystem, 'decay' | 'angle'> {
  const view = viewOf(bytes)
  const [decay, angle] = [new Float64Array(order), new Float64Array(order)]
  for (let n = 0; n < order; n++) {
    const p = view.getFloat32(at + 4 * n, true)
    const q = view.getFloat32(at + 4 * (up(order) + n), true)
    decay[n] = -Math.log1p(-lossOf(p, q)) / 2
    angle[n] = Math.atan2(q, 1 - p)
  }
  return { decay, angle }
}

/** D is f32 in every number format. */
function unpackDirect(
  bytes: Uint8Array,
  at: number,
  flags: number,
  inputs: number,
  outputs: number,
): Float64Array | undefined {
  const view = viewOf(bytes)
  if (flags & SSM_FLAGS.diagonalD)
    return Float64Array.from({ length: outputs }, (_, d) => view.getFloat32(at + 4 * d, true))
  return flags & SSM_FLAGS.fullD ? unpackFloats(bytes, at, outputs, inputs) : undefined
}
