// The weights of a model file as a shader wants them. In: the file, records. Out: three buffers: constants (f32: biases,
// norms, poles, tables), matrices in the precision of activations, and int8 matrices as they are, four rows to a word.
// Matrices are turned to (columns, rows / 4, 4): neighbouring threads take neighbouring rows, and read neighbouring words.

import type { OpRecord } from '../../quantize/modelfile.ts'
import { FORMATS, matricesOf, measure, up } from '../../quantize/record.ts'
import { unpackMatrix } from '../../quantize/unpack.ts'

export interface Matrix {
  /** Of the first vector of four rows (float) or the first word (int8). */
  readonly at: number
  /** Vectors of four rows per column. */
  readonly blocks: number
  readonly columns: number
  readonly isInt8: boolean
  /** int8: vector of the first four rows' scales among the constants. */
  readonly scalesAt: number
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
    if (record.format === FORMATS.int8) return this.#addInt8(at, rows, columns, groups)
    if (record.task.kind === 'mix') return this.#addGroups(at, rows, columns, groups)
    return this.#addFloats(unpackMatrix(this.#file, at, rows, columns, record.format), rows, columns)
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
  #addInt8(at: number, rows: number, columns: number, groups: number): Matrix {
    const [blocks, pairs] = [up(rows) / 4, Math.ceil(columns / 2)]
    const first = this.#words.length
    for (let g = 0; g < groups; g++) {
      for (let k = 0; k < columns; k++) {
        for (let b = 0; b < blocks; b++) {
          const from = at + ((g * blocks + b) * pairs + (k >> 1)) * 4 * 2 + (k & 1)
          let word = 0
          for (let i = 0; i < 4; i++) word |= this.#file[from + 2 * i] << (8 * i)
          this.#words.push(word >>> 0)
        }
      }
    }
    const scales = at + Math.ceil((groups * blocks * pairs * 8) / 16) * 16
    const values = Float32Array.from({ length: groups * 4 * blocks }, (_, i) =>
      this.#view.getFloat32(scales + 4 * i, true),
    )
    return { at: first, blocks, columns, isInt8: true, scalesAt: this.add(values) }
  }
}
