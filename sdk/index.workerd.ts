// The SDK in Cloudflare Workers and Durable Objects: the denoiser bound to modules of the Worker. Same names as in Node,
// without Node's streams. Models of your own: `model` takes what R2, KV, the Cache or `fetch` give.

import { Denoiser as BoundlessDenoiser } from './denoiser.ts'
import { workerdHost } from './host.workerd.ts'
import { type LoadOptions, type ModelSource, type ParsedModel, parseModel } from './model.ts'
import type { DenoiserOptions } from './options.ts'
import { prepareParts } from './preparation.ts'
import { type ProbeOptions, probeHost } from './probe.ts'
import type { Profile } from './profile.ts'

/** A stateful denoiser for one stream; see `create`. */
export class Denoiser extends BoundlessDenoiser {
  /** As in Node (index.ts). Throws AttenuateError; rejects with the signal's reason. */
  static async create(options: DenoiserOptions = {}): Promise<Denoiser> {
    return new Denoiser(await prepareParts(workerdHost, options))
  }
}

/** Reads and checks a model once per isolate, for any number of denoisers. */
export function loadModel(source?: ModelSource, options?: LoadOptions): Promise<ParsedModel> {
  return parseModel(workerdHost, source, options)
}

/** What this device can carry: what `profile: 'auto'` asks, with the reasons. Errors as of `Denoiser.create`. */
export function probe(options?: ProbeOptions): Promise<Profile> {
  return probeHost(workerdHost, options)
}

export * from './exports.ts'
