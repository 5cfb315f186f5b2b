// Pools of streams in Node: WebGPU by way of Dawn (optional package webgpu), WASM on worker threads.

import { availableParallelism } from 'node:os'
import { nodeHost } from '../host.node.ts'
import { type PoolHost, type PoolOptions, preparePool } from './creation.ts'
import { nodeGpu } from './gpu.node.ts'
import { ThreadHand } from './hand.node.ts'
import { DenoiserPool as BoundlessPool } from './pool.ts'

const poolHost: PoolHost = {
  host: nodeHost,
  gpu: nodeGpu(),
  processors: availableParallelism(),
  spawn: (module, parsed, threads) =>
    Array.from({ length: threads }, (_, index) => new ThreadHand(module, parsed, { index, hands: threads })),
}

/** Many streams through one model; see `create`. */
export class DenoiserPool extends BoundlessPool {
  /** Loads the model, opens and measures the backends. Rejects with an AttenuateError. */
  static async create(options: PoolOptions = {}): Promise<DenoiserPool> {
    return new DenoiserPool(await preparePool(poolHost, options))
  }
}

export * from './exports.ts'
