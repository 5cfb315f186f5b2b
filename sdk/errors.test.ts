// Every code of the closed list, provoked through the functions users call: one line, with what, value and remedy. The
// table is typed by the list, so a new code without a case here does not compile.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readArchive } from '../quantize/archive.ts'
import { makeCheckpoint, readCheckpoint, writeCheckpoint } from '../quantize/checkpoint.ts'
import { compile } from '../quantize/compile.ts'
import { printable } from '../quantize/errors.ts'
import { decodeModel, encodeModel, sealModel } from '../quantize/modelfile.ts'
import { readPickle } from '../quantize/pickle.ts'
import { describeUpsampler, fillNetwork } from '../quantize/specimens.ts'
import type { Tensor } from '../quantize/tensor.ts'
import { AttenuateError, Denoiser, type DenoiserOptions, ERROR_CODES, type ErrorCode, SensorReceiver } from './index.ts'
import { WavReader } from './wav.ts'

const lite = new Uint8Array(readFileSync(new URL('../models/lite.ssm', import.meta.url)))
const network = fillNetwork(describeUpsampler(), 1)

function create(options: DenoiserOptions): Promise<Denoiser> {
  return Denoiser.create({ model: lite, ...options })
}

/** lite with one 32-bit word of its header replaced. */
function withWord(at: number, word: number): Uint8Array {
  const bytes = lite.slice()
  new DataView(bytes.buffer).setUint32(at, word, true)
  return sealModel(bytes)
}

function withTensor(name: string, change: (tensor: Tensor) => Tensor | undefined) {
  const tensors = new Map(network.tensors)
  const changed = change(tensors.get(name)!)
  tensors.delete(name)
  if (changed !== undefined) tensors.set(name, changed)
  return makeCheckpoint(network.text, tensors)
}

async function used<T>(use: (denoiser: Denoiser) => T): Promise<T> {
  using denoiser = await create({})
  return use(denoiser)
}

const CAUSES: Record<ErrorCode, () => unknown> = {
  FILE_UNKNOWN: () => readCheckpoint(new Uint8Array(4)),
  SAFETENSORS_INVALID: () => readCheckpoint(writeCheckpoint(network).subarray(0, -1)),
  ZIP_INVALID: () => readArchive(new Uint8Array(100)),
  PICKLE_INVALID: () => readPickle(new Uint8Array(0)),
  PICKLE_REFUSED: () => readPickle(Uint8Array.of(0x80, 5, 0x4e, 0x2e)),
  GRAPH_INVALID: () => makeCheckpoint('{}', new Map()),
  TENSOR_MISSING: () => withTensor('enter.weight', () => undefined),
  TENSOR_UNEXPECTED: () =>
    makeCheckpoint(
      network.text,
      new Map([...network.tensors, ['stranger.weight', network.tensors.get('enter.weight')!]]),
    ),
  TENSOR_SHAPE: () => withTensor('enter.weight', ({ data }) => ({ shape: [data.length], data })),
  TENSOR_VALUE: () => withTensor('enter.weight', ({ shape, data }) => ({ shape, data: data.map(() => Number.NaN) })),
  PROGRAM_TOO_LARGE: () =>
    encodeModel({ ...decodeModel(lite), weights: new Uint8Array(0), card: { name: 'x'.repeat(1 << 20) } }),
  OPTION_INVALID: () => create({ strengthDb: 1 }),
  TARGET_IMPOSSIBLE: () =>
    compile(writeCheckpoint(network), {
      maxMacsPerSecond: 1,
      calibration: Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i)),
    }),
  MODEL_INVALID: () => create({ model: withWord(0, 1) }),
  MODEL_VERSION: () => create({ model: withWord(4, 99) }),
  MODEL_TRUNCATED: () => create({ model: lite.subarray(0, 1000) }),
  MODEL_HASH: () => create({ model: lite.map((byte, i) => (i === 1000 ? ~byte : byte)) }),
  STATE_INVALID: () => used((denoiser) => denoiser.restore(new Uint8Array(100))),
  PACKET_INVALID: async () => {
    using denoiser = await Denoiser.create({ model: 'nano' })
    new SensorReceiver(denoiser).take(new Uint8Array(7))
  },
  RATE_UNSUPPORTED: () => create({ sampleRate: 1 }),
  CHANNELS_UNSUPPORTED: () => create({ channels: 9 }),
  FORMAT_UNSUPPORTED: () => new WavReader().push(riff(2)), // ADPCM
  AUDIO_INVALID: () => new WavReader().push(new Uint8Array(100)),
  ENVIRONMENT_UNSUPPORTED: () => create({ wasm: new Uint8Array(8) }),
  LOAD_FAILED: () => create({ model: 'no-such-model' }),
  DISPOSED: () => used((denoiser) => denoiser).then((denoiser) => denoiser.process(new Float32Array(1))),
}

/** The beginning of a WAV file of a coding. */
function riff(coding: number): Uint8Array {
  const bytes = new Uint8Array(64)
  bytes.set(new TextEncoder().encode('RIFF....WAVEfmt '))
  const view = new DataView(bytes.buffer)
  view.setUint32(16, 16, true)
  for (const [i, value] of [coding, 1, 16000, 0, 32000, 0, 2, 16].entries()) view.setUint16(20 + 2 * i, value, true)
  bytes.set(new TextEncoder().encode('data'), 36)
  return bytes
}

for (const code of ERROR_CODES)
  test(code, async () => {
    const error = await Promise.resolve()
      .then(CAUSES[code])
      .then(
        () => assert.unreachable('nothing was wrong'),
        (thrown) => thrown,
      )
    assert.instance(error, AttenuateError)
    assert.is(error.code, code, error.message)
    assert.is(error.name, 'AttenuateError')
    assert.is(error.message, `${code}: ${error.what}, ${error.value}; ${error.remedy}`)
    for (const part of [error.what, error.value, error.remedy]) assert.ok(part.length > 0, error.message)
    assert.not.match(error.message, /[\n\r]/)
  })

test('a hostile value stays one short line', () => {
  assert.is(printable('a\nb\u0000c'), 'a b c')
  assert.is(printable('x'.repeat(1000)).length, 123)
  assert.is(printable([1, 2]), '(1,2)')
})

test.run()
