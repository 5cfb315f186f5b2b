// JSON with something hostile in it. In: a value and random numbers. Out: the same value with one place or more replaced:
// other types, numbers beyond every range, names of Object.prototype, depth, length.

import type { Random } from '../../quantize/specimens.ts'
import { below, choose, drawSize, happens } from './mutation.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The text of `value` with up to `times` places changed. */
export function spoil(random: Random, value: Json, times: number): string {
  const copy = structuredClone(value)
  for (let n = 0; n < times; n++) change(random, copy)
  // what stringify would not write: depth, numbers out of range, names twice
  return JSON.stringify(copy).replaceAll(/"@(\w+) (\d+)"/g, (_, kind, count) => expand(kind, Number(count)))
}

function expand(kind: string, count: number): string {
  if (kind === 'deep') return '['.repeat(count) + ']'.repeat(count)
  if (kind === 'objects') return `${'{"a":'.repeat(count)}null${'}'.repeat(count)}`
  if (kind === 'huge') return `1e${count}`
  return `{${Array.from({ length: count }, () => '"x":1').join()}}`
}

function change(random: Random, root: Json): void {
  const places = [...findPlaces(root)]
  if (places.length === 0) return
  const [holder, key] = choose(random, places)
  const way = below(random, 8)
  if (way === 0) remove(holder, key)
  else if (way === 1) set(holder, key, get(...choose(random, places)))
  else if (way === 2) add(random, holder, get(...choose(random, places)))
  else if (way === 3 && typeof get(holder, key) === 'number')
    set(holder, key, (get(holder, key) as number) + choose(random, [-1, 1, 2, 0.5]))
  else set(holder, key, drawJson(random))
}

type Holder = Json[] | { [key: string]: Json }
type Place = [Holder, string | number]

function* findPlaces(value: Json): Generator<Place> {
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    yield [value, key]
    yield* findPlaces((value as Record<string, Json>)[key])
  }
}

function get(holder: Holder, key: string | number): Json {
  // a copy: places may not come to contain themselves
  return structuredClone((holder as Record<string, Json>)[key])
}

function set(holder: Holder, key: string | number, value: Json): void {
  ;(holder as Record<string, Json>)[key] = value
}

function remove(holder: Holder, key: string | number): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}

const KEYS = ['x', '', '__proto__', 'constructor', 'toString', 'valueOf', 'length', 'weight', 'in', 'op']

function add(random: Random, holder: Holder, value: Json): void {
  if (Array.isArray(holder)) holder.splice(below(random, holder.length + 1), 0, value)
  // as its own key: `holder.__proto__ = ` would be another thing
  else
    Object.defineProperty(holder, choose(random, KEYS), { value, enumerable: true, writable: true, configurable: true })
}

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  0.5,
  255,
  256,
  65535,
  65536,
  2 ** 24,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e300,
  -1e300,
  1e-320,
]

function drawJson(random: Random): Json {
  return choose<() => Json>(random, [
    () => null,
    () => happens(random, 0.5),
    () => choose(random, NUMBERS),
    () => below(random, 2 ** 32),
    () => '',
    () => choose(random, KEYS),
    () => 'é\u0000\n'.repeat(1 + drawSize(random, 300)),
    () => [],
    () => Array.from({ length: Math.max(0, drawSize(random, 3000)) }, () => below(random, 9)),
    () => ({}),
    () => ({ toString: 1, valueOf: 1 }),
    () => [{ toString: null }],
    () => `@deep ${1 + drawSize(random, 30_000)}`,
    () => `@objects ${1 + drawSize(random, 20_000)}`,
    () => `@huge ${choose(random, [300, 400, 99999])}`,
    () => `@twice ${1 + drawSize(random, 1000)}`,
  ])()
}
