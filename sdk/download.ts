// A model over HTTP, with progress and a way to stop. In: a URL. Out: the bytes.

import { AttenuateError, fail } from './errors.ts'
import type { Progress } from './host.ts'
import { MODELS } from './models.ts'

/** No model is larger; whoever serves more serves something else. */
const MAX_BYTES = 256 << 20

export async function download(
  url: string | URL,
  { signal, onProgress }: Progress = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const blame = (what: string) => (error: unknown) => {
    if (signal?.aborted) throw signal.reason
    if (error instanceof AttenuateError) throw error
    throw new AttenuateError('LOAD_FAILED', `${what} (${(error as Error).message})`, String(url), 'check the URL')
  }
  const response = await fetch(url, { signal: signal ?? null }).catch(blame('no answer'))
  if (!response.ok || response.body === null)
    return fail('LOAD_FAILED', `HTTP status ${response.status}`, String(url), 'check the URL')
  const length = Number(response.headers.get('content-length'))
  // with a content coding the length is that of the coded bytes
  const total = length > 0 && response.headers.get('content-encoding') === null ? length : undefined
  const report = (loaded: number) => onProgress?.(loaded, total)
  return collect(response.body, report, String(url)).catch(blame('the answer broke off'))
}

/** Relative to the page, where there is one, as users expect. */
export function absoluteUrl(source: string | URL): URL {
  try {
    return new URL(source, globalThis.location?.href)
  } catch {
    return fail('LOAD_FAILED', 'no URL', String(source), `give a URL or one of: ${Object.keys(MODELS).join(', ')}`)
  }
}

async function collect(
  body: ReadableStream<Uint8Array>,
  report: (loadedBytes: number) => void,
  url: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let loaded = 0
  const reader = body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value)
    loaded += next.value.length
    if (loaded > MAX_BYTES) {
      await reader.cancel()
      fail('LOAD_FAILED', `more than ${MAX_BYTES} bytes`, url, 'check the URL')
    }
    report(loaded)
  }
  const bytes = new Uint8Array(loaded)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
