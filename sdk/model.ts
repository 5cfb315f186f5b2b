// Where a model comes from. In: what the caller gave as `model`: a shipped name, a URL, a path, or bytes. Out: the bytes
// of a model file; the core validates them, SHA-256 included, before anything runs.

import { fail } from './errors.ts'
import type { Host, Progress } from './host.ts'
import { DEFAULT_MODEL } from './models.ts'

export type ModelSource = string | URL | Uint8Array | ArrayBuffer

export async function readModel(
  host: Host,
  source: ModelSource = DEFAULT_MODEL,
  progress: Progress = {},
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (typeof source === 'string' || source instanceof URL) return host.readModel(source, progress)
  return fail('OPTION_INVALID', 'model', typeof source, 'give a name, a URL, a path or bytes')
}
