// A number made of a whole row, such as its sum, when a thread has one item of it: every thread goes through the row by
// itself, and neighbours share the reads; or threads of a subgroup exchange what they have, in as many steps as doublings
// make a row. In: what an item gives, and how two join. Out: statements that declare the number. Neither needs a barrier.

import type { Writer } from './writer.ts'

export interface Fold {
  /** The variable, f32. */
  readonly name: string
  /** Items of a row; a multiple of it are worked on, in order. */
  readonly items: number
  /** What item `k` gives, any of the row's. */
  readonly each: (k: string) => string
  /** What the thread's own item gives. */
  readonly own: string
  readonly join: (a: string, b: string) => string
}

export const sum = (a: string, b: string): string => `${a} + ${b}`
export const larger = (a: string, b: string): string => `max(${a}, ${b})`

/** For what is not negative, or sums: begins with 0. */
export function folded(writer: Writer, { name, items, each, own, join }: Fold): string {
  if (!writer.exchanges(items))
    return `var ${name} = 0.0; for (var k = 0u; k < ${items}u; k++) { ${name} = ${join(name, each('k'))}; }`
  const lines = [`var ${name} = ${own};`]
  for (let far = 1; far < items; far *= 2)
    lines.push(`${name} = ${join(name, `subgroupShuffleXor(${name}, ${far}u)`)};`)
  return lines.join(' ')
}
