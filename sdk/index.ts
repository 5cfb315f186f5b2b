// The SDK in Node: the denoiser bound to this package's files. Other runtimes have their own entry with the same names.

import { Denoiser as BoundlessDenoiser, type DenoiserOptions, prepareParts } from './denoiser.ts'
import { nodeHost } from './host.node.ts'

export class Denoiser extends BoundlessDenoiser {
  /** Loads what is missing and opens a stream. Rejects with an AttenuateError, or with the signal's reason. */
  static async create(options: DenoiserOptions = {}): Promise<Denoiser> {
    return new Denoiser(await prepareParts(nodeHost, options))
  }
}

export type { DenoiserOptions, Stats } from './denoiser.ts'
export { AttenuateError, ERROR_CODES, type ErrorCode } from './errors.ts'
export type { Latency } from './latency.ts'
export { DEFAULT_MODEL, MODELS, type ModelName } from './models.ts'
