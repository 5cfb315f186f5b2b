// The SDK in browsers (pages and workers): the denoiser bound to files that are fetched. Same names as in Node, without
// Node's streams. For an AudioContext there is `attenuate-edge/worklet`.

import { Denoiser as BoundlessDenoiser } from './denoiser.ts'
import { browserHost } from './host.browser.ts'
import { type LoadOptions, type ModelSource, type ParsedModel, parseModel } from './model.ts'
import type { DenoiserOptions } from './options.ts'
import { prepareParts } from './preparation.ts'
import { type ProbeOptions, probeHost } from './probe.ts'
import type { Profile } from './profile.ts'

/** A stateful denoiser for one stream; see `create`. */
export class Denoiser extends BoundlessDenoiser {
  /** As in Node (index.ts). Throws AttenuateError; rejects with the signal's reason. */
  static async create(options: DenoiserOptions = {}): Promise<Denoiser> {
    return new Denoiser(await prepareParts(browserHost, options))
  }
}

/** Reads and checks a model once, for any number of denoisers. */
export function loadModel(source?: ModelSource, options?: LoadOptions): Promise<ParsedModel> {
  return parseModel(browserHost, source, options)
}

/** What this device can carry: what `profile: 'auto'` asks, with the reasons. Errors as of `Denoiser.create`. */
export function probe(options?: ProbeOptions): Promise<Profile> {
  return probeHost(browserHost, options)
}

export * from './exports.ts'
