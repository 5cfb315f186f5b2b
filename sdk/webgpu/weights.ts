// The weights of a model file as a shader wants them. In: the file, records. Out: three buffers: constants (f32: biases,
// norms, poles, tables), matrices in the precision of activations, and int8 matrices as they are, four to a word.
// Matrices are turned so that neighbouring threads, which take neighbouring rows, read side by side:
//
//   float   (columns, rows / 4)                   a vector of four rows
//   int8    (groups, columns / 4, rows / 4, 4)    four words at once: of four rows for each column, or, for dot products
//                                                 of integers, of four columns for each row

import type { OpRecord } from '../../quantize/modelfile.ts'
import { FORMATS, matricesOf, measure, up } from '../../quantize/record.ts'
import { unpackMatrix } from '../../quantize/unpack.ts'

export interface Matrix {
  /** Of the first vector of four rows (float) or of four words (int8). */
  readonly at: number
  /** Vectors of four rows per column. */
  readonly blocks: number
  /** From one group to the next. */
  readonly columns: number
  readonly isInt8: boolean
  /** int8: vector of the first four rows' scales among the constants. */
  readonly scalesAt: number
  /** For dot products of integers: vector, among the constants, of the first four rows' sums over a segment of columns. */
  readonly sumsAt?: readonly number[]
}

export class Weights {
  readonly #file: Uint8Array
  readonly #view: DataView
  #constants: number[] = []
  #floats: number[] = []
  #words: number[] = []

  constructor(file: Uint8Array) {
    this.#file = file
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  }

  get constants(): Float32Array<ArrayBuffer> {
    return Float32Array.from(this.#constants)
  }

  get floats(): Float32Array<ArrayBuffer> {
    return Float32Array.from(this.#floats)
  }

  get words(): Uint32Array<ArrayBuffer> {
    return Uint32Array.from(this.#words)
  }

  /** Vector at which they begin. */
  add(values: ArrayLike<number>): number {
    const at = this.#constants.length / 4
    for (let i = 0; i < up(values.length); i++) this.#constants.push(values[i] ?? 0)
    return at
  }

  /** An f32 block of a record, whole; undefined where it is absent. */
  block(record: OpRecord, index: number): number | undefined {
    const at = record.weights[index]
    if (at === 0) return undefined
    const bytes = measure(record.task, record.format).weightBytes[index]
    return this.add(Float32Array.from({ length: bytes / 4 }, (_, i) => this.#view.getFloat32(at + 4 * i, true)))
  }

  /** The result positions of a `gather`. */
  indices(record: OpRecord): number[] {
    const at = record.weights[0]
    return Array.from({ length: record.task.resultPositions }, (_, i) => this.#view.getInt32(at + 4 * i, true))
  }

  /** Packed (rows, columns), such as D of an `ssm`. */
  packed(record: OpRecord, index: number, rows: number, columns: number): Matrix {
    return this.#addFloats(unpackMatrix(this.#file, record.weights[index], rows, columns, FORMATS.f32), rows, columns)
  }

  /** The matrix of a record in a weight block; of `mix`, all groups one behind the other. */
  matrix(record: OpRecord, block: number): Matrix {
    const { rows, columns, groups } = matricesOf(record.task).find((each) => each.block === block)!
    const at = record.weights[block]
    if (record.format === FORMATS.int8) return this.#addInt8(this.#bytesAt(at, rows, columns, groups))
    if (record.task.kind === 'mix') return this.#addGroups(at, rows, columns, groups)
    return this.#addFloats(unpackMatrix(this.#file, at, rows, columns, record.format), rows, columns)
  }

  /** The int8 matrix of a record for dot products of integers; its columns are in `segments` of equal length. */
  dotted(record: OpRecord, block: number, segments: number): Matrix {
    const { rows, columns } = matricesOf(record.task).find((each) => each.block === block)!
    const bytes = this.#bytesAt(record.weights[block], rows, columns, 1)
    const matrix = this.#addInt8({ ...bytes, isDotted: true })
    const length = columns / segments
    const sumsAt = Array.from({ length: segments }, (_, segment) =>
      this.add(
        Float32Array.from({ length: 4 * matrix.blocks }, (_, row) => {
          let sum = 0
          for (let k = 0; k < length; k++) sum += bytes.read(0, row, segment * length + k)
          return sum
        }),
      ),
    )
    return { ...matrix, sumsAt }
  }

  #addFloats(values: ArrayLike<number>, rows: number, columns: number): Matrix {
    const blocks = up(rows) / 4
    const at = this.#floats.length / 4
    for (let k = 0; k < columns; k++)
      for (let i = 0; i < 4 * blocks; i++) this.#floats.push(i < rows ? values[i * columns + k] : 0)
    return { at, blocks, columns, isInt8: false, scalesAt: 0 }
  }

  /** (G, Q, P) f32 */
  #addGroups(at: number, rows: number, columns: number, groups: number): Matrix {
    const first = this.#floats.length / 4
    for (let g = 0; g < groups; g++) {
      const start = at + 4 * g * rows * columns
      this.#addFloats(
        Float32Array.from({ length: rows * columns }, (_, i) => this.#view.getFloat32(start + 4 * i, true)),
        rows,
        columns,
      )
    }
    return { at: first, blocks: up(rows) / 4, columns, isInt8: false, scalesAt: 0 }
  }

  /** (G, up(rows)/4, ceil(columns/2), 4, 2), a pad, (G, up(rows)) scales */
  #bytesAt(at: number, rows: number, columns: number, groups: number): Bytes {
    const [blocks, pairs] = [up(rows) / 4, Math.ceil(columns / 2)]
    const read = (group: number, row: number, column: number) => {
      if (column >= columns) return 0
      const block = (group * blocks + (row >> 2)) * pairs + (column >> 1)
      return this.#view.getInt8(at + 8 * block + 2 * (row & 3) + (column & 1))
    }
    const scalesAt = at + Math.ceil((groups * blocks * pairs * 8) / 16) * 16
    const scales = Float32Array.from({ length: groups * 4 * blocks }, (_, i) =>
      this.#view.getFloat32(scalesAt + 4 * i, true),
    )
    return { blocks, columns, groups, read, scales }
  }

  #addInt8({ blocks, columns, groups, read, scales, isDotted = false }: Bytes & { isDotted?: boolean }): Matrix {
    const at = this.#words.length / 4
    const padded = up(columns)
    for (let g = 0; g < groups; g++) {
      for (let k = 0; k < padded; k += 4) {
        for (let row = 0; row < 4 * blocks; row += 4) {
          for (let i = 0; i < 4; i++) {
            let word = 0
            for (let j = 0; j < 4; j++) {
              const byte = isDotted ? read(g, row + i, k + j) : read(g, row + j, k + i)
              word |= (byte & 0xff) << (8 * j)
            }
            this.#words.push(word >>> 0)
          }
        }
      }
    }
    return { at, blocks, columns: padded, isInt8: true, scalesAt: this.add(scales) }
  }
}

/** An int8 matrix as it lies in a file. */
interface Bytes {
  readonly blocks: number
  readonly columns: number
  readonly groups: number
  readonly read: (group: number, row: number, column: number) => number
  readonly scales: Float32Array
}
