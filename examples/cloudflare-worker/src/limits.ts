// What one caller may take of everybody's: sizes, rates, connections. In: variables of the Worker's configuration (text), all
// optional. Out: numbers.

/** Bindings and variables; wrangler.jsonc and README.md list them. */
export interface Env extends Partial<Record<Variable, string>> {
  readonly STREAMS: DurableObjectNamespace<import('./stream.ts').Stream>
  readonly CENSUS: DurableObjectNamespace<import('./census.ts').Census>
  /** Secret: if set, everything but the page and /healthz needs it. */
  readonly TOKEN?: string
}

const DEFAULTS = {
  /** POST /denoise: bytes of the body. */
  MAX_BODY_BYTES: 100e6,
  /** Bodies denoised at once by one isolate. */
  MAX_UPLOADS: 32,
  /** Longest silence of an upload, and its least rate over any ten such times. */
  UPLOAD_IDLE_MS: 10_000,
  UPLOAD_BYTES_PER_SECOND: 1000,
  /** Ears of one stream. */
  MAX_LISTENERS: 32,
  /** Connections of one stream in ten seconds. */
  MAX_CONNECTIONS: 20,
  /** Times real time that a sender may send, in the long run; 0: any. */
  MAX_SPEED: 4,
  /** Of stream time between two checkpoints: what a replay repeats at most, and one write. */
  CHECKPOINT_MS: 4000,
  /** Packets that the jitter buffer waits for one that is missing, 16 ms each. */
  WAIT_PACKETS: 3,
  /** A stream that nobody sends to is forgotten. */
  FORGET_MS: 24 * 3600e3,
} as const

type Variable = keyof typeof DEFAULTS
export type Limits = Readonly<Record<Variable, number>>

export function limitsOf(env: Env): Limits {
  const read = (name: Variable) => {
    const value = Number(env[name] ?? DEFAULTS[name])
    if (!(value >= 0)) throw new Error(`variable ${name}, ${env[name]}; give a number of at least 0 (wrangler.jsonc)`)
    return value
  }
  return Object.fromEntries((Object.keys(DEFAULTS) as Variable[]).map((name) => [name, read(name)])) as Limits
}
