// Calls that take samples, bytes or options, for callers without types. In: what each takes when it is right, as the words of
// options.ts. Out: the calls themselves.

import {
  Denoiser,
  decodeBlock,
  decodePacket,
  decodeSamples,
  encodeBlock,
  encodePacket,
  encodeSamples,
  loadModel,
  modelOfSnapshot,
  ParsedModel,
  replay,
  SensorEncoder,
  SensorReceiver,
  sampleBytes,
} from '../../sdk/index.ts'
import { encodeWavHeader, WavReader } from '../../sdk/wav.ts'
import { DenoiserPool } from '../../sdk/webgpu/index.ts'

type Given = readonly never[]

/** A call, and what it takes when it is right. */
export interface Call {
  readonly sound: readonly unknown[]
  readonly call: (...given: Given) => unknown
}

/** By name. */
export async function openCalls(): Promise<Readonly<Record<string, Call>>> {
  const denoiser = await Denoiser.create({ model: 'lite' })
  const pool = await DenoiserPool.create({ model: 'lite', backend: 'wasm', threads: 1 })
  const stream = pool.add()
  const of = <T extends Given>(call: (...given: T) => unknown, ...sound: readonly unknown[]): Call => ({
    sound,
    call: call as Call['call'],
  })
  return {
    process: of(denoiser.process.bind(denoiser), '#floats'),
    processInto: of(denoiser.processInto.bind(denoiser), '#floats', '#room'),
    processPlanar: of(denoiser.processPlanar.bind(denoiser), ['#floats']),
    processPlanarInto: of(denoiser.processPlanarInto.bind(denoiser), ['#floats'], ['#room']),
    iterate: of(
      async (...given: Parameters<Denoiser['iterate']>) => {
        for await (const _ of denoiser.iterate(...given));
      },
      ['#floats'],
      {},
    ),
    stream: of(denoiser.stream.bind(denoiser), { format: 's16' }),
    nodeStream: of(denoiser.nodeStream.bind(denoiser), { format: 's16' }),
    restore: of(denoiser.restore.bind(denoiser), '#bytes'),
    arrived: of(denoiser.arrived.bind(denoiser), 128),
    modelOfSnapshot: of(modelOfSnapshot, '#bytes'),
    replay: of(replay, '#bytes', '#denoiser'),
    loadModel: of(loadModel, 'lite', {}),
    parse: of(ParsedModel.parse, '#bytes'),
    SensorReceiver: of(
      (...given: ConstructorParameters<typeof SensorReceiver>) => new SensorReceiver(...given),
      '#sensor',
    ),
    SensorEncoder: of((...given: ConstructorParameters<typeof SensorEncoder>) => new SensorEncoder(...given), {}),
    push: of((samples: Float32Array) => new SensorEncoder().push(samples), '#floats'),
    encodeBlock: of(encodeBlock, '#block', '#bytes', {}),
    decodeBlock: of(decodeBlock, '#bytes', '#block', {}),
    encodePacket: of(encodePacket, '#block', 3, {}),
    decodePacket: of(decodePacket, '#bytes', '#block'),
    sampleBytes: of(sampleBytes, 's16'),
    decodeSamples: of(decodeSamples, 's16', '#bytes', '#floats'),
    encodeSamples: of(encodeSamples, 's16', '#floats', 4, '#bytes'),
    WavReader: of((bytes: Uint8Array) => new WavReader().push(bytes), '#wav'),
    encodeWavHeader: of(encodeWavHeader, { sampleFormat: 's16', sampleRate: 16000, channels: 1 }, 100, true),
    write: of((samples: Float32Array) => {
      stream.reset()
      stream.write(samples)
    }, '#floats'),
    add: of((...given: Parameters<DenoiserPool['add']>) => pool.add(...given).remove(), '#undefined'),
  }
}
