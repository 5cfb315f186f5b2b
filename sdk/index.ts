// The SDK in Node: the denoiser bound to this package's files. Other runtimes have their own entry with the same names.

import type { Transform } from 'node:stream'
import { Denoiser as BoundlessDenoiser } from './denoiser.ts'
import { nodeHost } from './host.node.ts'
import { type LoadOptions, type ModelSource, type ParsedModel, parseModel } from './model.ts'
import type { DenoiserOptions } from './options.ts'
import { prepareParts } from './preparation.ts'
import { type ProbeOptions, probeHost } from './probe.ts'
import type { Profile } from './profile.ts'
import { type NodeStreamOptions, toNodeTransform } from './stream.node.ts'

/** A stateful denoiser for one stream; see `create`. */
export class Denoiser extends BoundlessDenoiser {
  /** Loads what is missing and opens a stream. Rejects with an AttenuateError, or with the signal's reason. */
  static async create(options: DenoiserOptions = {}): Promise<Denoiser> {
    return new Denoiser(await prepareParts(nodeHost, options))
  }

  /**
   * A Node transform: Float32Array in and out (object mode), or bytes with `format`. Back-pressure is respected; at the end
   * of the source the stream is flushed; the denoiser stays open and may be used again.
   */
  nodeStream(options?: NodeStreamOptions): Transform {
    return toNodeTransform(this, options)
  }
}

/** Reads and checks a model once, for any number of `Denoiser.create({ model })`. Errors as there. */
export function loadModel(source?: ModelSource, options?: LoadOptions): Promise<ParsedModel> {
  return parseModel(nodeHost, source, options)
}

/** What this device can carry: what `profile: 'auto'` asks, with the reasons. Errors as of `Denoiser.create`. */
export function probe(options?: ProbeOptions): Promise<Profile> {
  return probeHost(nodeHost, options)
}

export * from './exports.ts'
export type { NodeStreamOptions } from './stream.node.ts'
