// Pools of streams in pages and workers: WebGPU by way of navigator.gpu, WASM in the caller's own thread.

import { browserHost } from '../host.browser.ts'
import { type PoolHost, type PoolOptions, preparePool } from './creation.ts'
import { browserGpu } from './gpu.browser.ts'
import { DenoiserPool as BoundlessPool } from './pool.ts'

const poolHost: PoolHost = {
  host: browserHost,
  gpu: browserGpu,
  processors: 1,
  spawn: undefined,
}

/** Many streams through one model; see `create`. */
export class DenoiserPool extends BoundlessPool {
  /** As in Node (index.ts). */
  static async create(options: PoolOptions = {}): Promise<DenoiserPool> {
    return new DenoiserPool(await preparePool(poolHost, options))
  }
}

export * from './exports.ts'
