// Products of int8 matrices as dot products of packed bytes (WGSL's packed_4x8_integer_dot_product). In: activations, which
// are rounded to int16 with one scale per column, as the core does per step. Out: exact sums in 32 bits, scaled. An int16 is
// 256 times its high byte plus its low one, so that two dot products make four products; the low byte goes in as
// low - 128, which is signed like the weights, and 128 times the row's sum of weights puts that right.
//
//   a column: depth / 4 pairs (four high bytes, four low ones less 128), then its scale

import { folded, larger } from './rows.ts'
import type { Value } from './stages.ts'
import type { Matrix } from './weights.ts'
import type { Piece, Writer } from './writer.ts'

const LARGEST = '32767.0'
const SILENT = '1e-30'

/** Columns `first` .. `first + columns` of `depth` activations become integers. */
export function roundPiece(
  writer: Writer,
  from: Value,
  to: Value,
  { columns, depth, first }: { columns: number; depth: number; first: string },
): Piece {
  const quads = depth / 4
  const read = (k: string) => writer.read4(from, `(${first} + column) * ${quads}u + ${k}`)
  const peak = folded(writer, {
    name: 'peak',
    items: quads,
    each: (k) => `largest(${read(k)})`,
    own: `largest(${read('quad')})`,
    join: larger,
  })
  return {
    reads: [from],
    writes: [to],
    code: writer.each(
      columns * quads,
      `let column = i / ${quads}u; let quad = i % ${quads}u; ${peak} let isSilent = peak < ${SILENT};
${writer.integers(to, `column * ${quads + 1}u + quad`)} = halved(vec4<i32>(round(${read('quad')} * select(${LARGEST} / peak, 0.0, isSilent))));
if (quad == 0u) { ${writer.integers(to, `column * ${quads + 1}u + ${quads}u`)} = vec2<u32>(bitcast<u32>(select(peak / ${LARGEST}, 0.0, isSilent)), 0u); }`,
    ),
  }
}

export interface DotSum {
  readonly matrix: Matrix
  readonly blocks: readonly string[]
  /** Of the integers. */
  readonly columns: readonly string[]
  readonly depth: number
  readonly integers: Value
  /** Of the matrix's columns. */
  readonly segment: number
  readonly name: (column: number, block: number) => string
}

/** Adds the matrix times columns of integers, with their scales, to a variable for each column and block. */
export function accumulateDots(
  writer: Writer,
  { matrix, blocks, columns, depth, integers, segment, name }: DotSum,
): string {
  const quads = depth / 4
  const lines: string[] = []
  const all = columns.flatMap((_, i) => blocks.map((_, j) => [i, j] as const))
  for (const [i, column] of columns.entries()) lines.push(`let s${i} = (${column}) * ${quads + 1}u;`)
  for (const [i, j] of all) lines.push(`var high${i}_${j} = vec4<i32>(); var low${i}_${j} = vec4<i32>();`)
  lines.push(`for (var k = 0u; k < ${quads}u; k++) {`)
  for (const i of columns.keys()) lines.push(`let x${i} = ${writer.integers(integers, `s${i} + k`)};`)
  for (const [j, block] of blocks.entries()) {
    lines.push(`{ let w = ${writer.words4(matrix, `${segment * quads}u + k`, block)};`)
    for (const i of columns.keys()) lines.push(`high${i}_${j} += dots(w, x${i}.x); low${i}_${j} += dots(w, x${i}.y);`)
    lines.push('}')
  }
  lines.push('}')
  for (const [j, block] of blocks.entries())
    lines.push(`let sums${j} = vec4<i32>(${writer.constant4(matrix.sumsAt![segment], block)});`)
  for (const [i, j] of all) {
    const scale = `bitcast<f32>(${writer.integers(integers, `s${i} + ${quads}u`)}.x)`
    lines.push(`${name(i, j)} += vec4<f32>(256 * high${i}_${j} + low${i}_${j} + 128 * sums${j}) * ${scale};`)
  }
  return `{ ${lines.join('\n')} }`
}

export const DOTS = `
fn largest(x: vec4<f32>) -> f32 { let y = abs(x); return max(max(y.x, y.y), max(y.z, y.w)); }
fn halved(x: vec4<i32>) -> vec2<u32> { return vec2<u32>(pack4xI8(x >> vec4<u32>(8u)), pack4xI8(x) ^ 0x80808080u); }
fn dots(w: vec4<u32>, x: u32) -> vec4<i32> {
return vec4<i32>(dot4I8Packed(w.x, x), dot4I8Packed(w.y, x), dot4I8Packed(w.z, x), dot4I8Packed(w.w, x)); }
`
