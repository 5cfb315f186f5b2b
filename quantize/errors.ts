// The one error class of the project. In: what was wrong, the offending value, the remedy. Out: an exception whose
// message is one line, 'CODE: what, value; remedy', and whose code is one of a closed list that callers may switch on.

/** Every code an error of this project can carry. */
export const ERROR_CODES = [
  'FILE_UNKNOWN', // neither safetensors nor a PyTorch archive
  'SAFETENSORS_INVALID', // container broken: header, offsets, sizes
  'ZIP_INVALID', // PyTorch archive broken
  'PICKLE_INVALID', // pickle broken or truncated
  'PICKLE_REFUSED', // pickle asks for more than tensors and dictionaries
  'GRAPH_INVALID', // the network's description: ops, attributes, names, shapes
  'TENSOR_MISSING',
  'TENSOR_UNEXPECTED',
  'TENSOR_SHAPE',
  'TENSOR_VALUE', // not finite, or a pole that does not decay
  'PROGRAM_TOO_LARGE', // a size the model file or the core cannot hold
  'OPTION_INVALID',
  'TARGET_IMPOSSIBLE', // no choice of orders reaches the requested SNR or cost
  'MODEL_INVALID',
  'MODEL_VERSION',
  'MODEL_TRUNCATED',
  'MODEL_HASH',
  'STATE_INVALID', // a snapshot of another model, or a broken one
  'PACKET_INVALID', // a sensor's packet of another format, or a broken one
  'RATE_UNSUPPORTED',
  'CHANNELS_UNSUPPORTED',
  'FORMAT_UNSUPPORTED', // sample format or container of audio
  'AUDIO_INVALID',
  'ENVIRONMENT_UNSUPPORTED', // WebAssembly, SIMD or a device is missing
  'LOAD_FAILED', // a model or module could not be fetched or read
  'DISPOSED', // used after dispose
] as const

/** One of `ERROR_CODES`. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Every error that this project throws: one line that names what was wrong, the value and the remedy. */
export class AttenuateError extends Error {
  /** For programs: stable across versions. */
  readonly code: ErrorCode
  /** What was wrong. */
  readonly what: string
  /** The offending value, as one short line. */
  readonly value: string
  /** What to do about it. */
  readonly remedy: string

  constructor(code: ErrorCode, what: string, value: unknown, remedy: string) {
    const line = printable(value)
    const subject = printable(what, MAX_WHAT)
    super(`${code}: ${subject}, ${line}; ${remedy}`)
    this.name = 'AttenuateError'
    this.code = code
    this.what = subject
    this.value = line
    this.remedy = remedy
  }
}

/** Throws. A function, so that checks read as one expression. */
export function fail(code: ErrorCode, what: string, value: unknown, remedy: string): never {
  throw new AttenuateError(code, what, value, remedy)
}

/** Letters of it that are shown. */
const MAX_VALUE = 120
const MAX_WHAT = 240
const MAX_ITEMS = 40

/** One short line whatever the value: it may come from an untrusted file. */
export function printable(value: unknown, most = MAX_VALUE): string {
  const text = Array.isArray(value) ? `(${value.slice(0, MAX_ITEMS).map(textOf).join(',')})` : textOf(value)
  let line = ''
  for (const letter of text.slice(0, most)) line += CONTROL.test(letter) ? ' ' : letter
  return text.length > most ? `${line}...` : line
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not reach a terminal
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** Never by methods or depth of the value's own: JSON may say {"toString": 1}, or nest until the stack ends. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'object' || value === null) return String(value)
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? 'an object' : String(value)
}
