// Products with matrices: linear, bandconv, mix and the state-space layer. A thread makes four rows of one, two or four
// columns: neighbours take neighbouring rows, read weights side by side and share the activations. In: a stage. Out: its
// pieces, activation, glu and tails included.

import { ACTIVATION_CODES, activationOf, chunkSteps, SSM_FLAGS, unpackBandconv, up } from '../../quantize/record.ts'
import { accumulateDots, roundPiece } from './dots.ts'
import type { Stage, Value } from './stages.ts'
import { withTails } from './tails.ts'
import type { Matrix } from './weights.ts'
import { activated, type Piece, stepOf, type Touched, type Writer } from './writer.ts'

/** Columns a thread takes: as many as leave work for most threads. */
function tileOf(threads: number, blocks: number, columns: number): number {
  for (const tile of [4, 2]) if (columns % tile === 0 && (blocks * columns) / tile >= 0.75 * threads) return tile
  return 1
}

interface Operand {
  readonly value: Value
  /** Floats at which column `column` begins. */
  start(column: string): string
  /** Of `start`, whatever the column: a multiple of it. */
  readonly unit: number
}

interface Sum {
  readonly matrix: Matrix
  /** Of four rows each. */
  readonly blocks: readonly string[]
  readonly columns: readonly string[]
  readonly depth: number
  readonly operand: Operand
  /** Of the matrix: a multiple of `depth`. */
  readonly firstColumn?: number
  /** The variable that takes the sum of a column and a block. */
  readonly name?: (column: number, block: number) => string
}

const accumulator = (column: number, block: number) => `a${column}_${block}`

/** Adds the matrix times `depth` activations to a variable for each column and block. */
function accumulate(
  writer: Writer,
  { matrix, blocks, columns, depth, operand, firstColumn = 0, name = accumulator }: Sum,
): string {
  const byFour = depth % 4 === 0 && operand.unit % 4 === 0
  const lines: string[] = []
  for (const [i, column] of columns.entries())
    lines.push(`let s${i} = (${operand.start(column)})${byFour ? ' >> 2u' : ''};`)
  lines.push(`for (var k = 0u; k < ${byFour ? depth / 4 : depth}u; k++) {`)
  const read = byFour ? writer.read4 : writer.read1
  for (const i of columns.keys()) lines.push(`let x${i} = ${read.call(writer, operand.value, `s${i} + k`)};`)
  for (const [j, block] of blocks.entries()) {
    const { before, columns: weights } = byFour
      ? writer.weights4(matrix, `${firstColumn / 4}u + k`, block)
      : { before: '', columns: [writer.weight(matrix, `${firstColumn}u + k`, block)] }
    lines.push(`{ ${before}`)
    for (const [step, weight] of weights.entries()) {
      const products = [...columns.keys()].map((i) => `${name(i, j)} += w * x${i}${byFour ? `[${step}]` : ''};`)
      lines.push(`{ let w = ${weight}; ${products.join(' ')} }`)
    }
    lines.push('}')
  }
  lines.push('}')
  return `{ ${lines.join('\n')} }`
}

/** `glu` joins block b with block b + half; `half` is 0 where there is none. */
function gluHalf({ record, tails }: Stage): number {
  return tails[0]?.record.task.kind === 'glu' ? record.task.resultChannels / 8 : 0
}

interface Product {
  readonly matrix: Matrix
  readonly bias?: number | undefined
  /** Columns of the result, from `first` on. */
  readonly columns: number
  readonly first?: string
  sums(blocks: readonly string[], columns: readonly string[]): string
  /** What is added to the scaled sums. */
  readonly direct?: ((column: string, block: string, index: readonly [number, number]) => string) | undefined
  readonly reads: readonly Value[]
}

/** Every thread makes four rows (with glu: eight) of a tile of columns. */
function productPiece(writer: Writer, stage: Stage, product: Product): Piece {
  const { record, result, tails } = stage
  const { matrix, bias, first = '0u' } = product
  const half = gluHalf(stage)
  const blocks = half > 0 ? ['b', `b + ${half}u`] : ['b']
  const rowBlocks = half > 0 ? half : matrix.blocks
  const tile = tileOf(writer.threads, rowBlocks, product.columns)
  const columns = Array.from({ length: tile }, (_, i) => `(column + ${i}u)`)
  const lines = [`let b = i % ${rowBlocks}u; let column = ${first} + (i / ${rowBlocks}u) * ${tile}u;`]
  for (const i of columns.keys()) for (const j of blocks.keys()) lines.push(`var ${accumulator(i, j)} = vec4<f32>();`)
  lines.push(product.sums(blocks, columns))
  const channels = half > 0 ? 4 * half : record.task.resultChannels
  const rest = half > 0 ? { ...stage, tails: tails.slice(1) } : stage
  for (const [i, column] of columns.entries()) {
    const [x, gate] = blocks.map((block, j) => {
      const offset = bias === undefined ? '' : ` + ${writer.constant4(bias, block)}`
      const direct = product.direct?.(column, block, [i, j]) ?? ''
      return `(${writer.scaled(matrix, block, accumulator(i, j))}${direct}${offset})`
    })
    const made =
      gate === undefined
        ? activated(activationOf(record.task), x, 4)
        : `${x} * ${activated(ACTIVATION_CODES.sigmoid, gate, 4)}`
    const whole = withTails(writer, rest, { x: made, row: column, c: 'b', width: 4 })
    const y = writer.masked(record, stepOf(record.task, column), whole, 'vec4<f32>()')
    lines.push(`{ let y = ${y}; ${writer.writeRows(result, channels, column, 'b', 'y')} }`)
  }
  const others = tails.flatMap(({ other }): Touched[] => (other === undefined ? [] : [other]))
  return {
    reads: [...product.reads, ...others],
    writes: [result],
    code: writer.each((rowBlocks * product.columns) / tile, lines.join('\n')),
  }
}

/** The matrix of a record and its input as they are, or, where there is room for `integers`, as integers of both. */
function matrixOf(writer: Writer, { record, inputs }: Stage, integers: Value | undefined, segments: number): Matrix {
  if (integers === undefined) return writer.weights.matrix(record, 0)
  const { steps, positions, channels } = record.task
  writer.add(roundPiece(writer, inputs[0], integers, { columns: steps * positions, depth: channels, first: '0u' }))
  return writer.weights.dotted(record, 0, segments)
}

export function emitLinear(writer: Writer, stage: Stage): void {
  const { record, inputs, temporaries } = stage
  const { steps, positions, channels } = record.task
  const [integers] = temporaries
  const matrix = matrixOf(writer, stage, integers, 1)
  const operand = { value: inputs[0], start: (column: string) => `${column} * ${channels}u`, unit: channels }
  const product: Product = {
    matrix,
    bias: writer.weights.block(record, 1),
    columns: steps * positions,
    sums: (blocks, columns) => {
      const sum = { matrix, blocks, columns, depth: channels }
      return integers === undefined
        ? accumulate(writer, { ...sum, operand })
        : accumulateDots(writer, { ...sum, integers, segment: 0, name: accumulator })
    },
    reads: integers === undefined ? inputs : [integers],
  }
  writer.add(productPiece(writer, stage, product))
}

/** Convolution over positions: a product for each tap. */
export function emitBandconv(writer: Writer, stage: Stage): void {
  const { record, inputs, temporaries } = stage
  const { steps, positions, channels, resultPositions, parameters } = record.task
  const { taps, stride, padLeft } = unpackBandconv(parameters[0])
  const [integers] = temporaries
  const matrix = matrixOf(writer, stage, integers, taps)
  const sums = (blocks: readonly string[], columns: readonly string[]) => {
    const lines: string[] = []
    for (let tap = 0; tap < taps; tap++) {
      // `padLeft` to the right of where the tap lies
      const at = (column: string) => `((${column} % ${resultPositions}u) * ${stride}u + ${tap}u)`
      const source = (column: string) =>
        `((${column} / ${resultPositions}u) * ${positions}u + ${at(column)} - ${padLeft}u)`
      const operand = {
        value: inputs[0],
        start: (column: string) => `${source(column)} * ${channels}u`,
        unit: channels,
      }
      const isInside = tap >= padLeft && (resultPositions - 1) * stride + tap < positions + padLeft
      for (const [i, column] of columns.entries()) {
        const name = (_: number, block: number) => accumulator(i, block)
        const sum = { matrix, blocks, depth: channels, name }
        const code =
          integers === undefined
            ? accumulate(writer, { ...sum, columns: [column], operand, firstColumn: tap * channels })
            : accumulateDots(writer, { ...sum, columns: [source(column)], integers, segment: tap })
        lines.push(
          isInside ? code : `if (${at(column)} >= ${padLeft}u && ${at(column)} < ${positions + padLeft}u) ${code}`,
        )
      }
    }
    return lines.join('\n')
  }
  const product: Product = {
    matrix,
    bias: writer.weights.block(record, 1),
    columns: steps * resultPositions,
    sums,
    reads: integers === undefined ? inputs : [integers],
  }
  writer.add(productPiece(writer, stage, product))
}

/** Four result positions at a time, of four channels or one. */
export function emitMix(writer: Writer, stage: Stage): void {
  const { record, inputs, result } = stage
  const { steps, positions, channels, resultPositions, parameters } = record.task
  const [groups, activation] = parameters
  const matrix = writer.weights.matrix(record, 0)
  const bias = writer.weights.block(record, 1)
  const width = result.isVector ? 4 : 1
  const lanes = channels / width
  const read = (index: string) => (width === 4 ? writer.read4(inputs[0], index) : writer.read1(inputs[0], index))
  const zero = width === 4 ? 'vec4<f32>()' : '0.0'
  const group = groups === 1 ? '0u' : `(c / ${lanes / groups}u)`
  const byFour = positions % 4 === 0
  const { before, columns } = byFour
    ? writer.weights4(matrix, `${group} * ${matrix.columns / 4}u + k`, 'b')
    : { before: '', columns: [writer.weight(matrix, `${group} * ${matrix.columns}u + k`, 'b')] }
  const lines = [
    `let c = i % ${lanes}u; let b = (i / ${lanes}u) % ${matrix.blocks}u; let step = i / ${lanes * matrix.blocks}u;`,
    ...[0, 1, 2, 3].map((r) => `var a${r} = ${zero};`),
    `for (var k = 0u; k < ${positions / columns.length}u; k++) { ${before}`,
    ...columns.map(
      (weight, i) => `{ let w = ${weight};
let x = ${read(`(step * ${positions}u + ${columns.length}u * k + ${i}u) * ${lanes}u + c`)};
${[0, 1, 2, 3].map((r) => `a${r} += w[${r}] * x;`).join(' ')} }`,
    ),
    '}',
  ]
  const scale = matrix.isInt8 ? writer.constant4(matrix.scalesAt, `${group} * ${matrix.blocks}u + b`) : 'vec4<f32>(1.0)'
  const offset = bias === undefined ? 'vec4<f32>()' : writer.constant4(bias, 'b')
  lines.push(`let scale = ${scale}; let offset = ${offset};`)
  for (let r = 0; r < 4; r++) {
    const row = `(step * ${resultPositions}u + 4u * b + ${r}u)`
    const x = activated(activation, `(a${r} * scale[${r}] + offset[${r}])`, width)
    const y = writer.masked(record, 'step', withTails(writer, stage, { x, row, c: 'c', width }), zero)
    const index = `${row} * ${lanes}u + c`
    const write = width === 4 ? writer.write4(result, index, y) : writer.write1(result, index, y)
    lines.push(resultPositions % 4 === 0 ? write : `if (4u * b + ${r}u < ${resultPositions}u) { ${write} }`)
  }
  writer.add({
    reads: [...inputs, ...stage.tails.flatMap(({ other }): Touched[] => (other === undefined ? [] : [other]))],
    writes: [result],
    code: writer.each(steps * matrix.blocks * lanes, lines.join('\n')),
  })
}

/**
 * x[t] = lambda x[t-1] + B u[t], y[t] = Re(C x[t]) + D u[t]. One piece moves the states on, a thread for four of them at
 * one position; another makes y. Many steps go in groups, so that the states of a group fit.
 */
export function emitSsm(writer: Writer, stage: Stage): void {
  const { record, inputs, temporaries } = stage
  const { steps, positions, channels, parameters } = record.task
  const [order, flags] = parameters
  const width = up(order) / 4
  const [isComplexB, isComplexC] = [(flags & SSM_FLAGS.complexB) !== 0, (flags & SSM_FLAGS.complexC) !== 0]
  const poles = writer.weights.block(record, 0)!
  const [X, integersX, integersU] = temporaries
  const B = integersU === undefined ? writer.weights.matrix(record, 1) : writer.weights.dotted(record, 1, 1)
  const C = integersX === undefined ? writer.weights.matrix(record, 2) : writer.weights.dotted(record, 2, 1)
  const D = directOf(writer, stage)
  const perColumn = (isComplexC ? 2 : 1) * width
  const group = largestDivisor(steps, chunkSteps(steps, positions))
  const tile = steps === 1 ? tileOf(writer.threads, width, positions) : 1

  const build = (round: string): Piece[] => {
    const first = `${round} * ${group}u`
    const firstColumn = `${round} * ${group * positions}u`
    /** Among the columns of this round. */
    const local = (column: string) => `(${column} - ${firstColumn})`
    const operand = { value: inputs[0], start: (column: string) => `(${column}) * ${channels}u`, unit: channels }
    const lines = [`let b = i % ${width}u; let position = (i / ${width}u) * ${tile}u;`]
    const parts = isComplexB ? ['b', `b + ${width}u`] : ['b']
    for (let i = 0; i < tile; i++) {
      lines.push(`var re${i} = ${writer.state4(record, `(position + ${i}u) * ${2 * width}u + b`)};`)
      lines.push(`var im${i} = ${writer.state4(record, `(position + ${i}u) * ${2 * width}u + ${width}u + b`)};`)
    }
    lines.push(`let q = ${writer.constant4(poles, 'b')}; let w = ${writer.constant4(poles, `${width}u + b`)};`)
    lines.push(`for (var t = 0u; t < ${group}u; t++) {`)
    const columns = Array.from({ length: tile }, (_, i) => `(${first} + t) * ${positions}u + position + ${i}u`)
    for (let i = 0; i < tile; i++) for (const j of parts.keys()) lines.push(`var a${i}_${j} = vec4<f32>();`)
    const sum = { matrix: B, blocks: parts, depth: channels }
    lines.push(
      integersU === undefined
        ? accumulate(writer, { ...sum, columns, operand })
        : accumulateDots(writer, {
            ...sum,
            columns: columns.map(local),
            integers: integersU,
            segment: 0,
            name: accumulator,
          }),
    )
    const mask = writer.mask(record, `${first} + t`)
    for (let i = 0; i < tile; i++) {
      const real = writer.scaled(B, 'b', `a${i}_0`)
      const imaginary = isComplexB ? `${writer.scaled(B, parts[1], `a${i}_1`)} + ` : ''
      const move = `let r = re${i} + (${real} - q * re${i} - w * im${i}); im${i} += ${imaginary}w * re${i} - q * im${i}; re${i} = r;`
      lines.push(mask === undefined ? `{ ${move} }` : `if (${mask}) { ${move} }`)
      const at = `(t * ${positions}u + position + ${i}u) * ${perColumn}u + b`
      lines.push(writer.write4(X, at, `re${i}`))
      if (isComplexC) lines.push(writer.write4(X, `${at} + ${width}u`, `im${i}`))
    }
    lines.push('}')
    for (let i = 0; i < tile; i++) {
      lines.push(writer.putState4(record, `(position + ${i}u) * ${2 * width}u + b`, `settle4(re${i})`))
      lines.push(writer.putState4(record, `(position + ${i}u) * ${2 * width}u + ${width}u + b`, `settle4(im${i})`))
    }
    const recurrence = {
      reads: [integersU ?? inputs[0], record],
      writes: [X, record],
      code: writer.each((width * positions) / tile, lines.join('\n')),
    }
    const depth = 4 * perColumn
    const states = { value: X, start: (column: string) => `${local(column)} * ${depth}u`, unit: 4 }
    const readout = productPiece(writer, stage, {
      matrix: C,
      columns: group * positions,
      first: firstColumn,
      sums: (blocks, columns) => {
        const sum = { matrix: C, blocks, depth }
        const code =
          integersX === undefined
            ? accumulate(writer, { ...sum, columns, operand: states })
            : accumulateDots(writer, {
                ...sum,
                columns: columns.map(local),
                integers: integersX,
                segment: 0,
                name: accumulator,
              })
        return code + (D.sums?.(blocks, columns) ?? '')
      },
      direct: D.direct,
      reads: [integersX ?? X, ...(D.direct === undefined ? [] : inputs)],
    })
    const rounded = (from: Value, to: Value | undefined, depth: number, first: string): Piece[] =>
      to === undefined ? [] : [roundPiece(writer, from, to, { columns: group * positions, depth, first })]
    return [
      ...rounded(inputs[0], integersU, channels, firstColumn),
      recurrence,
      ...rounded(X, integersX, depth, '0u'),
      readout,
    ]
  }
  writer.repeat(steps / group, build)
}

function largestDivisor(n: number, most: number): number {
  let divisor = Math.min(n, most)
  while (n % divisor !== 0) divisor--
  return divisor
}

/** How an `ssm` passes its input on to its result. */
function directOf(writer: Writer, { record, inputs }: Stage): Pick<Product, 'direct'> & Partial<Pick<Product, 'sums'>> {
  const { channels, resultChannels, parameters } = record.task
  if (parameters[1] & SSM_FLAGS.diagonalD) {
    const D = writer.weights.block(record, 3)!
    const u = (column: string, block: string) => {
      if (channels % 4 === 0) return writer.read4(inputs[0], `${column} * ${channels / 4}u + ${block}`)
      const rows = [0, 1, 2, 3].map((r) => `min(4u * (${block}) + ${r}u, ${channels - 1}u)`)
      return `vec4<f32>(${rows.map((row) => writer.read1(inputs[0], `${column} * ${channels}u + ${row}`)).join(', ')})`
    }
    return { direct: (column, block) => ` + ${writer.constant4(D, block)} * ${u(column, block)}` }
  }
  if (!(parameters[1] & SSM_FLAGS.fullD)) return {}
  const matrix = writer.weights.packed(record, 3, resultChannels, channels)
  const operand = { value: inputs[0], start: (column: string) => `${column} * ${channels}u`, unit: channels }
  const name = (column: number, block: number) => `d${column}_${block}`
  return {
    sums: (blocks, columns) => {
      const names = columns.flatMap((_, i) => blocks.map((_, j) => `var ${name(i, j)} = vec4<f32>();`))
      return names.join(' ') + accumulate(writer, { matrix, blocks, columns, depth: channels, operand, name })
    },
    direct: (_column, _block, [i, j]) => ` + ${name(i, j)}`,
  }
}
