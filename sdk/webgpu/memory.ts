// Where values lie during a hop. In: values with lifetimes, bytes of workgroup memory. Out: a place for each. Values that
// are alive at the same time never overlap; what does not fit into workgroup memory, the largest first, goes to a block of
// storage that each stream of a batch has for the hop.

import type { Program, Value } from './stages.ts'

export type Space = 'vectors' | 'scalars' | 'integers' | 'storage'

export interface Place {
  readonly space: Space
  /** In vectors of four (`vectors`, `storage`), in floats (`scalars`) or in pairs of words (`integers`). */
  readonly at: number
  readonly length: number
}

export interface Layout {
  readonly places: ReadonlyMap<Value, Place>
  /** Vectors of four activations. */
  readonly vectors: number
  /** f32. */
  readonly scalars: number
  /** Pairs of u32. */
  readonly integers: number
  /** Vectors of four f32, per stream of a batch. */
  readonly storage: number
  readonly workgroupBytes: number
}

export function layOut(program: Program, workgroupBytes: number, bytesPerVector: number): Layout {
  const all = valuesOf(program)
  const spilled = new Set<Value>()
  for (;;) {
    const places = new Map<Value, Place>()
    const inside = all.filter((value) => !spilled.has(value))
    const placeAll = (space: Space) =>
      place(
        inside.filter((value) => spaceOf(value) === space),
        space,
        places,
      )
    const [vectors, scalars, integers] = [placeAll('vectors'), placeAll('scalars'), placeAll('integers')]
    const used = vectors * bytesPerVector + 4 * scalars + 8 * integers
    // integers stay: what goes to storage is stored as floats
    const others = inside.filter((value) => !value.isInteger)
    if (used <= workgroupBytes || others.length === 0) {
      const storage = place([...spilled], 'storage', places)
      return { places, vectors, scalars, integers, storage, workgroupBytes: used }
    }
    spilled.add(others.reduce((a, b) => (b.floats > a.floats ? b : a)))
  }
}

function spaceOf({ isVector, isInteger }: Value): Space {
  if (isInteger) return 'integers'
  return isVector ? 'vectors' : 'scalars'
}

function valuesOf({ stages, input }: Program): Value[] {
  const values = new Set<Value>([input])
  for (const { result, temporaries } of stages) for (const value of [...temporaries, result]) values.add(value)
  return [...values]
}

/** Of what a space counts in. */
const FLOATS: Record<Space, number> = { vectors: 4, storage: 4, integers: 2, scalars: 1 }

/** First fit in order of appearance; returns the length needed. */
function place(values: readonly Value[], space: Space, places: Map<Value, Place>): number {
  const placed: { value: Value; at: number; end: number }[] = []
  let length = 0
  for (const value of values) {
    const size = Math.ceil(value.floats / FLOATS[space])
    const alive = placed.filter(({ value: other }) => other.from <= value.to && value.from <= other.to)
    let at = 0
    for (const other of alive.sort((a, b) => a.at - b.at)) if (other.at < at + size && at < other.end) at = other.end
    placed.push({ value, at, end: at + size })
    places.set(value, { space, at, length: size })
    length = Math.max(length, at + size)
  }
  return length
}
