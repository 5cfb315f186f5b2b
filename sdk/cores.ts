// Cores already open, one per compiled module: all denoisers of a process (isolate, worklet) share memory and weights.
// In: what the caller gave as `wasm`, or nothing. Out: an open core.

import { Core } from './core.ts'
import { AttenuateError, fail } from './errors.ts'
import type { Host } from './host.ts'

/** A compiled module, bytes, or where to fetch them. The same value shares one core. */
export type WasmSource = WebAssembly.Module | BufferSource | string | URL

const cores = new WeakMap<WebAssembly.Module, Promise<Core>>()
const defaults = new WeakMap<Host, Promise<WebAssembly.Module>>()
const compiled = new WeakMap<object, Promise<WebAssembly.Module>>()
const fetched = new Map<string, Promise<WebAssembly.Module>>()

/** Throws ENVIRONMENT_UNSUPPORTED where the module cannot run, LOAD_FAILED where it cannot be had. */
export async function shareCore(host: Host, wasm?: WasmSource): Promise<Core> {
  const module = await findModule(host, wasm)
  return remember(cores, module, () => Core.open(module))
}

/** Compiled once for the same value. */
export async function findModule(host: Host, wasm: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (wasm === undefined) return remember(defaults, host, () => host.loadCore())
  if (wasm instanceof WebAssembly.Module) return wasm
  if (typeof wasm === 'string' || wasm instanceof URL)
    return remember(fetched, String(wasm), async () => compile(await host.readWasm(wasm)))
  if (wasm instanceof ArrayBuffer || ArrayBuffer.isView(wasm)) return remember(compiled, wasm, () => compile(wasm))
  return fail('OPTION_INVALID', 'wasm', typeof wasm, 'give a WebAssembly.Module, bytes or a URL')
}

interface Memory<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): unknown
  delete(key: K): unknown
}

/** What `make` gave for this key; a failure is not remembered. */
function remember<K, V>(memory: Memory<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = memory.get(key)
  if (known !== undefined) return known
  const made = make()
  memory.set(key, made)
  made.catch(() => memory.delete(key))
  return made
}

/** Asynchronous, as browsers demand. */
export async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (error) {
    throw new AttenuateError(
      'ENVIRONMENT_UNSUPPORTED',
      'WASM core cannot be compiled',
      (error as Error).message,
      "use a host with WebAssembly SIMD; allow 'wasm-unsafe-eval' where a page's policy forbids it; or pass a compiled Module",
    )
  }
}
