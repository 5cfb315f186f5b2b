// What kind of value each option and argument may be, for callers without types. In: what was given. Out: nothing, or an
// OPTION_INVALID that names the first one that is of another kind. Ranges are checked where they matter.

import type { Denoiser } from './denoiser.ts'
import { fail } from './errors.ts'

type Kind = 'number' | 'boolean' | 'string' | 'function' | 'object' | 'list' | 'signal' | ArgumentKind
/** Of what is given to calls. */
type ArgumentKind = 'samples' | 'bytes' | 'denoiser' | 'source'

/** Of `Denoiser.create` and `sibling`; what may be of several kinds (model, wasm) is checked where it is read. */
const OPTIONS: Readonly<Record<string, Kind>> = {
  sha256: 'string',
  sampleRate: 'number',
  outputRate: 'number',
  channels: 'number',
  linked: 'boolean',
  highBand: 'string',
  phase: 'string',
  inputGainDb: 'number',
  preset: 'string',
  strengthDb: 'number',
  comfortNoiseDb: 'number',
  onVoice: 'function',
  governor: 'object',
  recordSeconds: 'number',
  signal: 'signal',
  onProgress: 'function',
  now: 'function',
}
const GOVERNOR: Readonly<Record<string, Kind>> = {
  queueMs: 'number',
  holdMs: 'number',
  by: 'string',
  ladder: 'list',
  onRung: 'function',
}

const IS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  function: (value) => typeof value === 'function',
  object: isObject,
  list: Array.isArray,
  signal: (value) => isObject(value) && typeof (value as Partial<AbortSignal>).throwIfAborted === 'function',
  samples: (value) => isArrayOf('Float32Array', value),
  bytes: (value) => isArrayOf('Uint8Array', value), // Node's Buffer too, whose `slice` is a view: copies are `new Uint8Array`
  denoiser: (value) => isObject(value) && typeof (value as Partial<Denoiser>).conceal === 'function',
  source: isIterable,
}
const REMEDIES: Readonly<Record<Kind, string>> = {
  number: 'give a number',
  boolean: 'give true or false',
  string: 'give a string',
  function: 'give a function',
  object: 'give an object',
  list: 'give an array',
  signal: 'give an AbortSignal',
  samples: 'give a Float32Array',
  bytes: 'give a Uint8Array',
  denoiser: 'give a Denoiser',
  source: 'give an iterable of chunks',
}

/** Throws OPTION_INVALID. */
export function checkKinds(options: object): void {
  check('options', options, OPTIONS)
  const { governor } = options as { governor?: object }
  if (governor !== undefined) check('governor', governor, GOVERNOR)
}

/** One argument of a call; allocates nothing where it is right. Throws OPTION_INVALID with the kind that it is of. */
export function checkKind(what: string, value: unknown, kind: Kind, remedy = REMEDIES[kind]): void {
  if (!IS[kind](value)) fail('OPTION_INVALID', what, nameOf(value), remedy)
}

function check(name: string, options: object, kinds: Readonly<Record<string, Kind>>): void {
  if (!isObject(options)) fail('OPTION_INVALID', name, options, REMEDIES.object)
  for (const [key, kind] of Object.entries(kinds)) {
    const value = (options as Record<string, unknown>)[key]
    if (value !== undefined && !IS[kind](value))
      fail('OPTION_INVALID', name === 'options' ? key : `${name}.${key}`, value, REMEDIES[kind])
  }
}

/** `null`, `string`, `Int16Array`: never the value itself, which may be long. */
function nameOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** By its tag and not its class: an array of another realm (a frame, a test runner's) is as good. */
function isArrayOf(tag: string, value: unknown): boolean {
  return ArrayBuffer.isView(value) && (value as Float32Array | Uint8Array | DataView)[Symbol.toStringTag] === tag
}

function isIterable(value: unknown): boolean {
  const source = value as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined
  return typeof source?.[Symbol.asyncIterator] === 'function' || typeof source?.[Symbol.iterator] === 'function'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
