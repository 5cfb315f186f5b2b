// Where a model comes from. In: what the caller gave as `model`: a shipped name, a URL, a path, bytes, or one parsed before.
// Out: a parsed model: validated, SHA-256 included, so that nothing else ever reaches the core.

import { decodeModel, type Model } from '../quantize/modelfile.ts'
import { fail } from './errors.ts'
import type { Host, Progress } from './host.ts'
import { checkKind } from './kinds.ts'
import { DEFAULT_MODEL, isModelName, type ModelName } from './models.ts'

/** What holds bytes and hands them out once: a Response (fetch, Cache), an object of R2, a Blob or File. */
export interface ModelBody {
  /** The bytes of a model file. */
  arrayBuffer(): Promise<ArrayBuffer>
}

/** A shipped model's name, a URL, a path (Node), the bytes of a model file or what holds them, or what `loadModel` gave. */
export type ModelSource = ModelName | (string & {}) | URL | Uint8Array | ArrayBuffer | ModelBody | ParsedModel

/** Of `loadModel`. */
export interface LoadOptions extends Progress {
  /** The SHA-256 the model must have (hexadecimal, as `attenuate inspect` prints): MODEL_HASH if it is another. */
  readonly sha256?: string | undefined
}

/**
 * A model file that has been read and checked once, for any number of denoisers, cores and threads' worth of `create`.
 * Holds its own copy of the bytes.
 */
export class ParsedModel {
  /** Sizes, rates, records, card. */
  readonly model: Model
  readonly #bytes: Uint8Array

  private constructor(model: Model, bytes: Uint8Array) {
    this.model = model
    this.#bytes = bytes
  }

  /** Throws MODEL_INVALID, MODEL_VERSION, MODEL_TRUNCATED or MODEL_HASH. */
  static parse(bytes: Uint8Array): ParsedModel {
    checkKind('model', bytes, 'bytes')
    const own = new Uint8Array(bytes) // what was checked must not change before it is copied into the core
    return new ParsedModel(decodeModel(own), own)
  }

  /** Bytes of the file. */
  get fileBytes(): number {
    return this.#bytes.length
  }

  /** Copies the file to an address of a core's memory; `to` has `fileBytes`. */
  copyTo(to: Uint8Array): void {
    to.set(this.#bytes)
  }

  /** The file, as it may be sent to another thread. */
  toBytes(): Uint8Array {
    return this.#bytes.slice()
  }
}

/** Bytes of a model file, unchecked. */
export async function readModel(
  host: Host,
  source: Exclude<ModelSource, ParsedModel> = DEFAULT_MODEL,
  progress: Progress = {},
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (typeof source === 'string' || source instanceof URL) return host.readModel(source, progress)
  if (typeof source?.arrayBuffer === 'function') return new Uint8Array(await source.arrayBuffer())
  return fail(
    'OPTION_INVALID',
    'model',
    source === null ? 'null' : typeof source,
    'give a name, a URL, a path, bytes, what holds them, or a parsed model',
  )
}

const shipped = new WeakMap<Host, Map<string, ParsedModel>>()

/** A model ready for `create`. Shipped ones are read once per process (isolate, worklet). */
export async function parseModel(
  host: Host,
  source: ModelSource = DEFAULT_MODEL,
  options: LoadOptions = {},
): Promise<ParsedModel> {
  checkKind('options', options, 'object')
  const { sha256, ...progress } = options
  checkHash(sha256)
  const parsed = await findModel(host, source, progress)
  if (sha256 !== undefined && parsed.model.sha256 !== sha256.toLowerCase())
    fail('MODEL_HASH', 'SHA-256 of the model is not the expected one', parsed.model.sha256, `give the model ${sha256}`)
  return parsed
}

async function findModel(host: Host, source: ModelSource, progress: Progress): Promise<ParsedModel> {
  if (source instanceof ParsedModel) return source
  if (typeof source !== 'string' || !isModelName(source))
    return ParsedModel.parse(await readModel(host, source, progress))
  const known = shipped.get(host) ?? new Map<string, ParsedModel>()
  shipped.set(host, known)
  const found = known.get(source) ?? ParsedModel.parse(await readModel(host, source, progress))
  // two that asked at once have both read it; the first to finish is kept
  if (!known.has(source)) known.set(source, found)
  return known.get(source)!
}

function checkHash(sha256: string | undefined): void {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256))
    fail('OPTION_INVALID', 'sha256', sha256, 'give 64 hexadecimal digits')
}
