// Elementwise records that follow a stage and work on its result before it is stored. In: the expression of a result. Out:
// the expression after all of them. glu is not here: it needs two results, which `products.ts` makes side by side.

import { activationOf } from '../../quantize/record.ts'
import type { Stage } from './stages.ts'
import { activated, type Writer } from './writer.ts'

/** One result, or four neighbours. */
export interface Result {
  readonly x: string
  /** Row (step, position) and channel (four of them, or one), as expressions. */
  readonly row: string
  readonly c: string
  readonly width: 4 | 1
}

export function withTails(writer: Writer, { tails }: Stage, { x, row, c, width }: Result): string {
  let value = x
  for (const { record, other } of tails) {
    const { kind, channels, positions, parameters } = record.task
    const perRow = width === 4 ? channels / 4 : channels
    const constant = (at: number, index: string) =>
      width === 4 ? writer.constant4(at, index) : writer.constant1(at, index)
    const index = `(${row}) * ${perRow}u + ${c}`
    if (kind === 'act') value = activated(activationOf(record.task), `(${value})`, width)
    if (kind === 'add') {
      const addend = width === 4 ? writer.read4(other!, index) : writer.read1(other!, index)
      const gain = parameters[0] === 0 ? undefined : writer.weights.block(record, 0)!
      const scaled =
        gain === undefined
          ? `(${value})`
          : `${parameters[0] === 1 ? writer.constant1(gain, '0u') : constant(gain, c)} * (${value})`
      value = `${addend} + ${scaled}`
    }
    if (kind === 'affine') {
      const [weight, bias] = [writer.weights.block(record, 0)!, writer.weights.block(record, 1)]
      const at = parameters[0] === 1 ? `((${row}) % ${positions}u) * ${perRow}u + ${c}` : c
      value = `${constant(weight, at)} * (${value})${bias === undefined ? '' : ` + ${constant(bias, at)}`}`
    }
  }
  return value
}
