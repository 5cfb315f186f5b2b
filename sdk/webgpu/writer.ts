// Text of one compute shader in the making. In: pieces of WGSL with what each reads and writes. Out: the shader, with a
// barrier exactly where a piece touches what others before it have touched. Also the way every kernel gets at numbers:
// values of the hop, state, weights.

import type { OpRecord } from '../../quantize/modelfile.ts'
import { ACTIVATION_CODES, type Task } from '../../quantize/record.ts'
import type { Layout, Place } from './memory.ts'
import type { Value } from './stages.ts'
import type { Matrix, Weights } from './weights.ts'

/** What a piece touches; a state is that of one record. */
export type Touched = Value | OpRecord

export interface Piece {
  readonly reads: readonly Touched[]
  readonly writes: readonly Touched[]
  readonly code: string
}

export interface ShaderOptions {
  /** Of a workgroup, which runs one stream's hop. */
  readonly threads: number
  /** Activations and float matrices as f16. */
  readonly isHalf: boolean
  /** Products of int8 matrices are dot products of integers (dots.ts). */
  readonly isDotted: boolean
  /** Threads that may exchange numbers; 0: they do not. */
  readonly subgroup: number
}

/** Memory that a barrier brings in order. */
type Kind = 'workgroup' | 'storage'

const BARRIERS: Record<Kind, string> = { workgroup: 'workgroupBarrier();', storage: 'storageBarrier();' }

export class Writer {
  readonly threads: number
  readonly weights: Weights
  readonly #subgroup: number
  readonly #layout: Layout
  readonly #hasMasks: boolean
  readonly #body: string[] = []
  readonly #masks = new Map<string, string>()
  #touched: Piece[] = []
  barriers = 0

  constructor(layout: Layout, weights: Weights, { threads, subgroup }: ShaderOptions, hasMasks: boolean) {
    this.#layout = layout
    this.weights = weights
    this.threads = threads
    this.#subgroup = subgroup
    this.#hasMasks = hasMasks
  }

  get body(): string {
    return this.#body.join('\n')
  }

  /** Declarations of the steps that are valid, to stand before the body. */
  get masks(): string {
    return [...this.#masks.values()].join('\n')
  }

  add(piece: Piece): void {
    const kinds = new Set(this.#touched.flatMap((before) => this.#conflicts(before, piece)))
    if (kinds.size > 0) this.#barrier(kinds)
    this.#touched.push(piece)
    this.#body.push(piece.code)
  }

  /** The same pieces again and again, with barriers between; `build` is given the number of the round, an expression. */
  repeat(rounds: number, build: (round: string) => readonly Piece[]): void {
    const pieces = build(rounds === 1 ? '0u' : 'lap')
    if (rounds === 1) {
      for (const piece of pieces) this.add(piece)
      return
    }
    // what a piece itself touched in the round before was touched by the same threads
    const kinds = new Set(
      pieces.flatMap((piece, i) => pieces.slice(i + 1).flatMap((other) => this.#conflicts(piece, other))),
    )
    const code = pieces.map((piece) => `${piece.code}\n${codeOf(kinds)}`).join('\n')
    this.add({
      reads: pieces.flatMap(({ reads }) => reads),
      writes: pieces.flatMap(({ writes }) => writes),
      code: `for (var lap = 0u; lap < ${rounds}u; lap++) {\n${code} }`,
    })
    this.barriers += rounds * pieces.length
  }

  /** What lies in memory of another kind stays touched. */
  #barrier(kinds: ReadonlySet<Kind>): void {
    this.#body.push(codeOf(kinds))
    this.barriers++
    const rest = (all: readonly Touched[]) => all.filter((one) => !kinds.has(this.#kind(one)))
    this.#touched = this.#touched.map(({ reads, writes, code }) => ({ reads: rest(reads), writes: rest(writes), code }))
    this.#touched = this.#touched.filter(({ reads, writes }) => reads.length + writes.length > 0)
  }

  /** Kinds of memory in which one touches what the other writes. */
  #conflicts(a: Piece, b: Piece): Kind[] {
    const meet = (x: readonly Touched[], y: readonly Touched[]) =>
      x.filter((one) => y.some((other) => this.#overlaps(one, other)))
    return [...meet(a.writes, b.reads), ...meet(a.writes, b.writes), ...meet(a.reads, b.writes)].map((one) =>
      this.#kind(one),
    )
  }

  #kind(touched: Touched): Kind {
    return 'floats' in touched && this.#place(touched).space !== 'storage' ? 'workgroup' : 'storage'
  }

  #overlaps(a: Touched, b: Touched): boolean {
    if (a === b) return true
    if (!('floats' in a) || !('floats' in b)) return false
    const [p, q] = [this.#place(a), this.#place(b)]
    return p.space === q.space && p.at < q.at + q.length && q.at < p.at + p.length
  }

  /** Pair `index` of a value of integers. */
  integers(value: Value, index: string): string {
    return `integers[${plus(this.#place(value).at, index)}]`
  }

  #place(value: Value): Place {
    return this.#layout.places.get(value)!
  }

  /** Whether threads with the items of a row, in order, are neighbours in one subgroup. */
  exchanges(items: number): boolean {
    return items <= this.#subgroup && this.threads % items === 0 && (items & (items - 1)) === 0
  }

  /** A loop of the workgroup over items 0..count-1, each seen as `i`. */
  each(count: number, body: string): string {
    if (count <= this.threads) return `if (thread < ${count}u) { let i = thread;\n${body} }`
    return `for (var i = thread; i < ${count}u; i += ${this.threads}u) {\n${body} }`
  }

  /** vec4<f32>; `index` counts fours. */
  read4(value: Value, index: string): string {
    const { space, at } = this.#place(value)
    if (space === 'vectors') return `wide(vectors[${plus(at, index)}])`
    if (space === 'storage') return `spill[spillAt + ${plus(at, index)}]`
    return `four(${plus(at, `4u * (${index})`)})`
  }

  /** f32; `index` counts floats. */
  read1(value: Value, index: string): string {
    const { space, at } = this.#place(value)
    if (space === 'scalars') return `scalars[${plus(at, index)}]`
    const vector =
      space === 'vectors'
        ? `wide(vectors[${plus(at, `((${index}) >> 2u)`)}])`
        : `spill[spillAt + ${plus(at, `((${index}) >> 2u)`)}]`
    return `${vector}[(${index}) & 3u]`
  }

  write4(value: Value, index: string, four: string): string {
    const { space, at } = this.#place(value)
    if (space === 'vectors') return `vectors[${plus(at, index)}] = narrow(${four});`
    if (space === 'storage') return `spill[spillAt + ${plus(at, index)}] = ${four};`
    return `putFour(${plus(at, `4u * (${index})`)}, ${four});`
  }

  /** Not to values in vectors, whose neighbours other threads write. */
  write1(value: Value, index: string, number: string): string {
    const { space, at } = this.#place(value)
    if (space === 'scalars') return `scalars[${plus(at, index)}] = ${number};`
    return `spill[spillAt + ${plus(at, `((${index}) >> 2u)`)}][(${index}) & 3u] = ${number};`
  }

  /** The four rows of block `block` in column `column` of `channels`, as far as there are channels. */
  writeRows(value: Value, channels: number, column: string, block: string, four: string): string {
    if (value.isVector) return this.write4(value, `(${column}) * ${channels / 4}u + ${block}`, four)
    const rows = [0, 1, 2, 3].map((row) => {
      const put = this.write1(value, `(${column}) * ${channels}u + 4u * (${block}) + ${row}u`, `${four}[${row}]`)
      return channels % 4 > row || channels % 4 === 0 ? put : `if (4u * (${block}) + ${row}u < ${channels}u) { ${put} }`
    })
    return rows.join(' ')
  }

  state4({ state }: OpRecord, index: string): string {
    return `bitcast<vec4<f32>>(states[stateAt + ${plus(state / 16, index)}])`
  }

  putState4({ state }: OpRecord, index: string, four: string): string {
    return `states[stateAt + ${plus(state / 16, index)}] = bitcast<vec4<u32>>(${four});`
  }

  state1({ state }: OpRecord, index: string): string {
    return `bitcast<f32>(states[stateAt + ${plus(state / 16, `((${index}) >> 2u)`)}][(${index}) & 3u])`
  }

  putState1({ state }: OpRecord, index: string, number: string): string {
    return `states[stateAt + ${plus(state / 16, `((${index}) >> 2u)`)}][(${index}) & 3u] = bitcast<u32>(${number});`
  }

  /** vec4<f32> of a block of constants. */
  constant4(at: number, index: string): string {
    return `constants[${plus(at, index)}]`
  }

  constant1(at: number, index: string): string {
    return `constants[${plus(at, `((${index}) >> 2u)`)}][(${index}) & 3u]`
  }

  /** Four rows of a column, without their scales. */
  weight({ at, blocks, isInt8 }: Matrix, column: string, block: string): string {
    if (!isInt8) return `wide(matrices[${plus(at, `(${column}) * ${blocks}u + ${block}`)}])`
    return `bytes(words[${plus(at, `((${column}) >> 2u) * ${blocks}u + ${block}`)}][(${column}) & 3u])`
  }

  /** Four rows of columns 4 `quad` .. 4 `quad` + 3: a statement, and an expression for each. */
  weights4(matrix: Matrix, quad: string, block: string): { before: string; columns: readonly string[] } {
    const steps = [0, 1, 2, 3]
    if (!matrix.isInt8)
      return { before: '', columns: steps.map((step) => this.weight(matrix, `4u * (${quad}) + ${step}u`, block)) }
    return { before: `let four = ${this.words4(matrix, quad, block)};`, columns: steps.map((s) => `bytes(four[${s}])`) }
  }

  /** The four words of an int8 matrix that hold them. */
  words4({ at, blocks }: Matrix, quad: string, block: string): string {
    return `words[${plus(at, `(${quad}) * ${blocks}u + ${block}`)}]`
  }

  /** The product of four rows, scaled where the matrix is int8. */
  scaled({ isInt8, scalesAt }: Matrix, block: string, four: string): string {
    return isInt8 ? `${four} * ${this.constant4(scalesAt, block)}` : four
  }

  /** Whether step `step` is one of the stream's; undefined where every step is. */
  mask({ task, lag }: OpRecord, step: string): string | undefined {
    if (!this.#hasMasks) return undefined
    const name = `${task.steps}_${lag}`
    this.#masks.set(
      name,
      `let from_${name} = clamp(${lag} - hopsDone * ${task.steps}, 0, ${task.steps});
let to_${name} = clamp(hopsLeft * ${task.steps} + ${lag}, from_${name}, ${task.steps});`,
    )
    return `(i32(${step}) >= from_${name} && i32(${step}) < to_${name})`
  }

  /** `value` at valid steps, zero at others. */
  masked(record: OpRecord, step: string, value: string, zero: string): string {
    const mask = this.mask(record, step)
    return mask === undefined ? value : `select(${zero}, ${value}, ${mask})`
  }
}

function codeOf(kinds: ReadonlySet<Kind>): string {
  return [...kinds].map((kind) => BARRIERS[kind]).join(' ')
}

function plus(at: number, index: string): string {
  const whole = /^\w+$/.test(index) ? index : `(${index})`
  return at === 0 ? whole : `${at}u + ${whole}`
}

/** An activation, of four numbers or one. */
export function activated(code: number, x: string, width: 4 | 1): string {
  const suffix = width === 4 ? '4' : ''
  const zero = width === 4 ? 'vec4<f32>()' : '0.0'
  switch (code) {
    case ACTIVATION_CODES.silu:
      return `silu${suffix}(${x})`
    case ACTIVATION_CODES.relu:
      return `max(${x}, ${zero})`
    case ACTIVATION_CODES.sigmoid:
      return `sigmoid${suffix}(${x})`
    case ACTIVATION_CODES.tanh:
      return `tangent${suffix}(${x})`
    default:
      return x
  }
}

/** The step that a row (step, position) belongs to. */
export function stepOf({ steps, resultPositions }: Pick<Task, 'steps' | 'resultPositions'>, row: string): string {
  if (steps === 1) return '0u'
  return resultPositions === 1 ? row : `((${row}) / ${resultPositions}u)`
}

/** A number as WGSL takes it for f32. */
export function literal(value: number): string {
  const text = String(Math.fround(value))
  return /[.e]/.test(text) ? text : `${text}.0`
}
