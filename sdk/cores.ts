// Cores already open, one per compiled module: all denoisers of a process (isolate, worklet) share memory and weights.
// In: what the caller gave as `wasm`, or nothing. Out: an open core.

import { Core } from './core.ts'
import { AttenuateError } from './errors.ts'
import type { Host } from './host.ts'

export type WasmSource = WebAssembly.Module | BufferSource

const cores = new WeakMap<WebAssembly.Module, Promise<Core>>()
const modules = new WeakMap<Host, Promise<WebAssembly.Module>>()

export async function shareCore(host: Host, wasm?: WasmSource): Promise<Core> {
  const module = wasm === undefined ? await defaultModule(host) : await toModule(wasm)
  let core = cores.get(module)
  if (core === undefined) {
    core = Core.open(module)
    cores.set(module, core)
    core.catch(() => cores.delete(module))
  }
  return core
}

function defaultModule(host: Host): Promise<WebAssembly.Module> {
  let module = modules.get(host)
  if (module === undefined) {
    module = host.loadCore()
    modules.set(host, module)
    module.catch(() => modules.delete(host))
  }
  return module
}

async function toModule(wasm: WasmSource): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return wasm
  try {
    return await WebAssembly.compile(wasm)
  } catch (error) {
    throw new AttenuateError(
      'ENVIRONMENT_UNSUPPORTED',
      'WASM core cannot be compiled',
      (error as Error).message,
      'use a host with WebAssembly SIMD, or pass a compiled Module',
    )
  }
}
