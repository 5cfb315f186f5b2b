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

export type ErrorCode = (typeof ERROR_CODES)[number]

export class AttenuateError extends Error {
  readonly code: ErrorCode
  /** What was wrong. */
  readonly what: string
  /** The offending value, as one short line. */
  readonly value: string
  /** What to do about it. */
  readonly remedy: string

  constructor(code: ErrorCode, what: string, value: unknown, remedy: string) {
    const line = printable(value)
    super(`${code}: ${what}, ${line}; ${remedy}`)
    this.name = 'AttenuateError'
    this.code = code
    this.what = what
    this.value = line
    this.remedy = remedy
  }
}

/** Throws. A function, so that checks read as one expression. */
export function fail(code: ErrorCode, what: string, value: unknown, remedy: string): never {
  throw new AttenuateError(code, what, value, remedy)
}

/** One short line whatever the value: it may come from an untrusted file. */
export function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : Array.isArray(value) ? `(${value.join(',')})` : String(value)
  let line = ''
  for (const letter of text.slice(0, 120)) line += letter < ' ' || letter === '\u007f' ? ' ' : letter
  return text.length > 120 ? `${line}...` : line
}
