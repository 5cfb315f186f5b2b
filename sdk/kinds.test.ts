// Arguments of another kind, as callers without types may give them: one error that names the argument, its kind and what to give.
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AttenuateError, Denoiser, decodeSamples, encodeSamples, loadModel, replay, SensorReceiver } from './index.ts'
import { WavReader } from './wav.ts'
import { DenoiserPool } from './webgpu/index.ts'

const denoiser = await Denoiser.create({ model: 'lite' })
const pool = await DenoiserPool.create({ model: 'lite', backend: 'wasm', threads: 1 })
const caller = pool.add()
const samples = new Float32Array(200)
const bytes = new Uint8Array(400)

type Call = (...given: unknown[]) => unknown
const loose = (call: unknown) => call as Call

/** What is called, with what, and what it says. */
const REFUSED: readonly (readonly [Call, readonly unknown[], string])[] = [
  [loose(denoiser.process.bind(denoiser)), [], 'chunk, undefined; give a Float32Array'],
  [loose(denoiser.process.bind(denoiser)), [null], 'chunk, null; give a Float32Array'],
  [loose(denoiser.process.bind(denoiser)), [new Int16Array(9)], 'chunk, Int16Array; give a Float32Array'],
  [loose(denoiser.processInto.bind(denoiser)), [samples], 'out, undefined; give a Float32Array'],
  [loose(denoiser.processInto.bind(denoiser)), [samples, new Array(900)], 'out, Array; give a Float32Array'],
  [loose(denoiser.stream.bind(denoiser)), [null], 'options, null; give an object'],
  [loose(denoiser.iterate.bind(denoiser)), [], 'source, undefined; give an iterable of chunks'],
  [loose(denoiser.arrived.bind(denoiser)), ['1'], 'samples, string; give a number'],
  [loose(replay), ['x', denoiser], 'recording, string; give the bytes of recording()'],
  [loose(replay), [bytes], 'denoiser, undefined; give a Denoiser'],
  [(given) => new SensorReceiver(given as Denoiser), [], 'denoiser, undefined; give a Denoiser'],
  [(given) => new SensorReceiver(given as Denoiser), [{ sampleRate: 4000 }], 'denoiser, Object; give a Denoiser'],
  [loose(decodeSamples), ['s16', bytes], 'out, undefined; give a Float32Array'],
  [loose(decodeSamples), ['s16', bytes.subarray(1), samples], 'bytes are too few, 399; give 400'],
  [loose(encodeSamples), ['s16', [1, 2], 2, bytes], 'samples, Array; give a Float32Array'],
  [loose(encodeSamples), ['s16', samples, 201, bytes], 'count of samples, 201; use 0..200'],
  [loose(encodeSamples), ['s16', samples, 200, bytes.subarray(1)], 'out is too short, 399; give 400 bytes'],
  [(given) => new WavReader().push(given as Uint8Array), [], 'bytes, undefined; give a Uint8Array'],
  [(given) => new WavReader().push(given as Uint8Array), ['x'], 'bytes, string; give a Uint8Array'],
  [loose(caller.write.bind(caller)), [], 'samples, undefined; give a Float32Array'],
  [loose(caller.write.bind(caller)), [new Int16Array(9)], 'samples, Int16Array; give a Float32Array'],
  [loose(caller.write.bind(caller)), [[1, 2, 3]], 'samples, Array; give a Float32Array'],
]

async function refusal(call: () => unknown): Promise<AttenuateError> {
  try {
    await call()
  } catch (error) {
    assert.instance(error, AttenuateError)
    return error as AttenuateError
  }
  return assert.unreachable('taken') as never
}

test('calls name the argument, its kind and what to give', async () => {
  for (const [call, given, line] of REFUSED)
    assert.is((await refusal(() => call(...given))).message, `OPTION_INVALID: ${line}`)
})

test('so do those that answer later', async () => {
  const wrong = null as never
  for (const call of [() => DenoiserPool.create(wrong), () => loadModel('lite', wrong)])
    assert.is((await refusal(call)).message, 'OPTION_INVALID: options, null; give an object')
})

test('an unknown sample format is one wherever it is named', async () => {
  for (const call of [encodeSamples, decodeSamples, (format: never) => denoiser.stream({ format })])
    assert.match(
      (await refusal(() => loose(call)('s17', samples, 1, bytes))).message,
      /^FORMAT_UNSUPPORTED: sample format, s17; use/,
    )
})

test('what is refused changes nothing', async () => {
  const before = denoiser.snapshot()
  for (const given of [undefined, new Int16Array(9)]) await refusal(() => denoiser.process(given as never))
  assert.equal(denoiser.snapshot(), before)
})

test('arrays of another realm, and what extends them, are of their kind', () => {
  const foreign = runInNewContext('new Float32Array(400)') as Float32Array
  assert.not.instance(foreign, Float32Array)
  denoiser.reset()
  assert.is(denoiser.process(foreign).length, 256) // 3 hops of 128 less the lag
  decodeSamples('s16', Buffer.alloc(400), samples)
})

test.run()
