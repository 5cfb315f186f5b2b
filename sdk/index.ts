// The SDK in Node: the denoiser bound to this package's files. Other runtimes have their own entry with the same names.

import type { Transform } from 'node:stream'
import { Denoiser as BoundlessDenoiser, type DenoiserOptions } from './denoiser.ts'
import { nodeHost } from './host.node.ts'
import { type LoadOptions, type ModelSource, type ParsedModel, parseModel } from './model.ts'
import { prepareParts } from './preparation.ts'
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

export type { Card, Model } from '../quantize/modelfile.ts'
export type { WasmSource } from './cores.ts'
export type { DenoiserOptions, LadderOptions, SiblingOptions, Stats } from './denoiser.ts'
export { AttenuateError, ERROR_CODES, type ErrorCode } from './errors.ts'
export type { GovernorOptions } from './governor.ts'
export type { Progress } from './host.ts'
export type { Latency } from './latency.ts'
export type { MixtureOptions } from './mixture.ts'
export { type LoadOptions, type ModelSource, ParsedModel } from './model.ts'
export { DEFAULT_MODEL, MODELS, type ModelName, type ShippedModel } from './models.ts'
export { decodeSamples, encodeSamples, SAMPLE_FORMATS, type SampleFormat, sampleBytes } from './pcm.ts'
export { PRESETS, type Preset } from './preset.ts'
export { type Replay, replay } from './replay.ts'
export { type BlockFormat, decodeBlock, encodeBlock, type NibbleOrder, type SensorLaw } from './sensor/codec.ts'
export { SensorEncoder, type SensorEncoderOptions } from './sensor/encoder.ts'
export { decodePacket, encodePacket, PACKET_BYTES } from './sensor/packet.ts'
export { SensorReceiver, type SensorReceiverOptions, type SensorStats } from './sensor/receiver.ts'
export { modelOfSnapshot } from './snapshot.ts'
export type { NodeStreamOptions } from './stream.node.ts'
export type { StreamOptions } from './stream.ts'
export type { SupervisionStats } from './supervision.ts'
