// Real transforms: n samples as n/2 complex numbers, Stockham's autosort with radix 4 (and one pass of 2 where needed), one
// split step. In: windowed frames, or spectra. Out: spectra, or windowed samples. A pass is one piece; two buffers of n/2
// complex numbers, re and im interleaved, change roles.

import type { Stage, Value } from './stages.ts'
import { literal, type Writer } from './writer.ts'

/** cos, sin of -2 pi j / n, j < count, interleaved. */
function turns(n: number, count: number): number[] {
  return Array.from({ length: 2 * count }, (_, i) => (i & 1 ? Math.sin : Math.cos)((-2 * Math.PI * (i >> 1)) / n))
}

/** Complex number `index` of a buffer. */
function complex(writer: Writer, value: Value, index: string): string {
  return `vec2<f32>(${writer.read1(value, `2u * (${index})`)}, ${writer.read1(value, `2u * (${index}) + 1u`)})`
}

function putComplex(writer: Writer, value: Value, index: string, z: string): string {
  return `{ let z = ${z}; let at = 2u * (${index}); ${writer.write1(value, 'at', 'z.x')} ${writer.write1(value, 'at + 1u', 'z.y')} }`
}

interface Source {
  readonly value: Value
  /** Complex number `index` of what is transformed. */
  read(index: string): string
}

/** All passes of a transform of `points`; returns the buffer that holds the result. */
function emitPasses(writer: Writer, points: number, source: Source, [a, b]: readonly Value[]): Value {
  const table = writer.weights.add(turns(points, points))
  let from = source
  let to = a
  for (let n = points, stride = 1; n > 1 || from === source; ) {
    const radix = n >= 4 ? 4 : n
    writer.add({ reads: [from.value], writes: [to], code: passOf(writer, points, { radix, stride, table, from, to }) })
    n /= radix
    stride *= radix
    const made = to
    from = { value: made, read: (index) => complex(writer, made, index) }
    to = made === a ? b : a
  }
  return from.value
}

interface Pass {
  radix: number
  stride: number
  table: number
  from: Source
  to: Value
}

function passOf(writer: Writer, points: number, { radix, stride, table, from, to }: Pass): string {
  const quarter = points / radix
  const reads = Array.from({ length: radix }, (_, j) => `let x${j} = ${from.read(`i + ${j * quarter}u`)};`).join('\n')
  // i = stride p + q; results go to stride (radix p + j) + q
  const put = (j: number, z: string) =>
    putComplex(writer, to, `(i / ${stride}u) * ${radix * stride}u + i % ${stride}u + ${j * stride}u`, z)
  if (radix === 1) return writer.each(points, `${reads} ${putComplex(writer, to, 'i', 'x0')}`)
  if (radix === 2) return writer.each(quarter, `${reads} ${put(0, 'x0 + x1')} ${put(1, 'x0 - x1')}`)
  const turn = (j: number) => `pair(${table}u, (i / ${stride}u) * ${j * stride}u)`
  return writer.each(
    quarter,
    `${reads}
let even = x0 + x2; let odd = x0 - x2; let sum = x1 + x3; let turned = vec2<f32>(x3.y - x1.y, x1.x - x3.x);
${put(0, 'even + sum')}
${put(1, `times(${turn(1)}, odd - turned)`)}
${put(2, `times(${turn(2)}, even - sum)`)}
${put(3, `times(${turn(3)}, odd + turned)`)}`,
  )
}

/** Windowed frames (S, 1, n) -> spectra (S, n/2 + 1, 2). */
export function emitForward(writer: Writer, { record, inputs, result, temporaries }: Stage): void {
  const [n] = record.task.parameters
  const half = n / 2
  const window = writer.weights.block(record, 0)!
  const table = writer.weights.add(turns(n, half + 1))
  for (let step = 0; step < record.task.steps; step++) {
    const source = {
      value: inputs[0],
      read: (i: string) => `${complex(writer, inputs[0], `${step * half}u + ${i}`)} * pair(${window}u, ${i})`,
    }
    const Z = emitPasses(writer, half, source, temporaries)
    const spectrum = writer.masked(record, `${step}u`, 'even + times(turn, odd)', 'vec2<f32>()')
    writer.add({
      reads: [Z],
      writes: [result],
      code: writer.each(
        half + 1,
        `let a = ${complex(writer, Z, `i % ${half}u`)}; let mirrored = ${complex(writer, Z, `(${half}u - i) % ${half}u`)};
let b = vec2<f32>(mirrored.x, -mirrored.y); let even = 0.5 * (a + b); let odd = 0.5 * vec2<f32>(a.y - b.y, b.x - a.x);
let turn = pair(${table}u, i);
${putComplex(writer, result, `${step * (half + 1)}u + i`, spectrum)}`,
      ),
    })
  }
}

/** Spectra (S, n/2 + 1, 2) -> the last m samples (S, 1, m) of the inverse transform, windowed. */
export function emitInverse(writer: Writer, { record, inputs, result, temporaries }: Stage): void {
  const [n, m] = record.task.parameters
  const half = n / 2
  const window = writer.weights.block(record, 0)!
  const table = writer.weights.add(turns(n, half + 1))
  for (let step = 0; step < record.task.steps; step++) {
    const bin = (i: string) => complex(writer, inputs[0], `${step * (half + 1)}u + ${i}`)
    const source = {
      value: inputs[0],
      read: (i: string) => `joined(${bin(i)}, ${bin(`(${half}u - (${i}))`)}, pair(${table}u, ${i}), (${i}) == 0u)`,
    }
    const z = emitPasses(writer, half, source, temporaries)
    // the transform ran forwards over numbers with re and im exchanged, which inverts it
    const sample = writer.read1(z, `(i + ${n - m}u) ^ 1u`)
    const value = `${sample} * ${literal(1 / n)} * ${writer.constant1(window, 'i')}`
    writer.add({
      reads: [z],
      writes: [result],
      code: writer.each(m, writer.write1(result, `${step * m}u + i`, writer.masked(record, `${step}u`, value, '0.0'))),
    })
  }
}
