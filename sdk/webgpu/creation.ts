// Everything asynchronous about a pool: model, core, device, and which backend. In: options. Out: the parts of a pool.

import { findModule, shareCore, type WasmSource } from '../cores.ts'
import { fail } from '../errors.ts'
import type { Host } from '../host.ts'
import { checkKind } from '../kinds.ts'
import { type ModelSource, type ParsedModel, parseModel } from '../model.ts'
import type { Backend, BackendName } from './backend.ts'
import { WasmBackend } from './backend.wasm.ts'
import { GpuBackend } from './backend.webgpu.ts'
import { type Choice, measureBoth } from './choice.ts'
import { type GpuHost, openDevice } from './device.ts'
import type { ExecutorOptions } from './executor.ts'
import { type Hand, LocalHand } from './hand.ts'
import type { Fallback, PoolParts } from './pool.ts'

/** Of `DenoiserPool.create`. */
export interface PoolOptions {
  /** A shipped model's name, a URL, a path (Node), the bytes of a model file, or what `loadModel` gave. Default: `base`. */
  readonly model?: ModelSource
  /** `auto` (default) measures both at the start and takes the faster for `streams` streams. */
  readonly backend?: BackendName | 'auto'
  /** Expected number of streams, for `auto`: 1..65535. More or fewer may come. Default 64. */
  readonly streams?: number
  /** Activations on the GPU, as they lie in memory; sums, poles and states are f32 always. Default `f32`. */
  readonly precision?: 'f32' | 'f16'
  /** Threads of the WASM backend in Node, 1..256. Default: as many as the machine has processors. */
  readonly threads?: number
  /** The core, as for a `Denoiser`. */
  readonly wasm?: WasmSource
  /** An implementation of WebGPU. Default: `navigator.gpu`; in Node the optional package webgpu. */
  readonly gpu?: GPU
  /** Called when a device was lost and WASM has taken over, no sample lost. An error it throws is reported as uncaught. */
  readonly onFallback?: (fallback: Fallback) => void
}

/** What an entry brings. */
export interface PoolHost {
  readonly host: Host
  readonly gpu: GpuHost
  /** Processors to run on. */
  readonly processors: number
  /** Hands in threads of their own; undefined where there are none. */
  readonly spawn: ((module: WebAssembly.Module, parsed: ParsedModel, threads: number) => Hand[]) | undefined
}

const DEFAULT_STREAMS = 64
const MAX_STREAMS = 65535
const MAX_THREADS = 256

export async function preparePool(poolHost: PoolHost, options: PoolOptions = {}): Promise<PoolParts> {
  checkKind('options', options, 'object')
  const { backend = 'auto', streams = DEFAULT_STREAMS, precision = 'f32', threads = poolHost.processors } = options
  checkCount('streams', streams, MAX_STREAMS)
  checkCount('threads', threads, MAX_THREADS)
  if (!['auto', 'webgpu', 'wasm'].includes(backend))
    fail('OPTION_INVALID', 'backend', backend, "use 'auto', 'webgpu' or 'wasm'")
  if (precision !== 'f32' && precision !== 'f16') fail('OPTION_INVALID', 'precision', precision, "use 'f32' or 'f16'")
  const parsed = await parseModel(poolHost.host, options.model)
  const openWasm = () => openWasmBackend(poolHost, parsed, threads, options.wasm)
  const parts = { model: parsed.model, openFallback: openWasm, onFallback: options.onFallback }
  if (backend === 'wasm') return { ...parts, backend: await openWasm(), choice: asked('wasm') }
  const gpu = options.gpu === undefined ? poolHost.gpu : { ...poolHost.gpu, find: async () => options.gpu! }
  if (backend === 'webgpu')
    return { ...parts, backend: await openGpuBackend(gpu, parsed, precision), choice: asked('webgpu') }
  return {
    ...parts,
    ...(await choose(() => openGpuBackend(gpu, parsed, precision), openWasm, parsed, streams, poolHost)),
  }
}

function asked(name: BackendName): Choice {
  return { reason: `${name}: asked for`, measured: [], slowerBelow: undefined }
}

/** The faster of the two; WASM where there is no WebGPU. */
async function choose(
  openGpu: () => Promise<Backend>,
  openWasm: () => Promise<Backend>,
  { model }: ParsedModel,
  streams: number,
  { host }: PoolHost,
): Promise<{ backend: Backend; choice: Choice }> {
  const wasm = await openWasm()
  let webgpu: Backend
  try {
    webgpu = await openGpu()
  } catch (error) {
    const reason = `wasm: no WebGPU (${(error as Error).message})`
    return { backend: wasm, choice: { reason, measured: [], slowerBelow: undefined } }
  }
  const { name, choice } = await measureBoth(webgpu, wasm, model, streams, host.now)
  const [backend, other] = name === 'webgpu' ? [webgpu, wasm] : [wasm, webgpu]
  other.dispose()
  return { backend, choice }
}

async function openWasmBackend(
  { host, spawn }: PoolHost,
  parsed: ParsedModel,
  threads: number,
  wasm: WasmSource | undefined,
): Promise<WasmBackend> {
  const core = await shareCore(host, wasm) // threads open their own: what cannot be opened is refused here
  if (spawn !== undefined && threads > 1)
    return new WasmBackend(parsed.model, spawn(await findModule(host, wasm), parsed, threads))
  return new WasmBackend(parsed.model, [new LocalHand(core, parsed)])
}

async function openGpuBackend(
  host: GpuHost,
  parsed: ParsedModel,
  precision: NonNullable<ExecutorOptions['precision']>,
): Promise<GpuBackend> {
  const opened = await openDevice(host)
  try {
    return await GpuBackend.open(opened, parsed, { precision })
  } catch (error) {
    opened.close()
    throw error
  }
}

function checkCount(what: string, count: number, most: number): void {
  if (!Number.isInteger(count) || count < 1 || count > most)
    fail('OPTION_INVALID', what, count, `use a whole number of 1..${most}`)
}
