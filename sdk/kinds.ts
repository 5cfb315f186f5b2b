// What kind of value each option may have, for callers without types. In: options as given. Out: nothing, or an OPTION_INVALID that
// names the first one that is of another kind. Ranges are checked where they matter.

import { fail } from './errors.ts'

type Kind = 'number' | 'boolean' | 'string' | 'function' | 'object' | 'list' | 'signal'

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
}
const REMEDIES: Readonly<Record<Kind, string>> = {
  number: 'give a number',
  boolean: 'give true or false',
  string: 'give a string',
  function: 'give a function',
  object: 'give an object',
  list: 'give an array',
  signal: 'give an AbortSignal',
}

/** Throws OPTION_INVALID. */
export function checkKinds(options: object): void {
  check('options', options, OPTIONS)
  const { governor } = options as { governor?: object }
  if (governor !== undefined) check('governor', governor, GOVERNOR)
}

function check(name: string, options: object, kinds: Readonly<Record<string, Kind>>): void {
  if (!isObject(options)) fail('OPTION_INVALID', name, options, REMEDIES.object)
  for (const [key, kind] of Object.entries(kinds)) {
    const value = (options as Record<string, unknown>)[key]
    if (value !== undefined && !IS[kind](value))
      fail('OPTION_INVALID', name === 'options' ? key : `${name}.${key}`, value, REMEDIES[kind])
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
