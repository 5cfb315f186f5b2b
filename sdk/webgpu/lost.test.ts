// A device that is destroyed in mid-stream: WASM goes on from states of a moment ago and the input since, and every stream
// comes out whole. Hosts without WebGPU, and choices that cannot be met, are told so.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeModel } from '../../quantize/modelfile.ts'
import { measureSnrDb } from '../../quantize/snr.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import { uncaughtDuring } from '../fixture.ts'
import { AttenuateError, Denoiser } from '../index.ts'
import type { Timing } from './choice.ts'
import { crossing } from './choice.ts'
import { denoisedAlone, openSoftwareGpu, readGolden } from './fixture.ts'
import { DenoiserPool, type Fallback } from './index.ts'
import { INTERVAL } from './ledger.ts'

const model = readGolden('residual')
const { inputHop } = decodeModel(model)

/** An implementation that tells of every device it opens. */
function watched(gpu: GPU, onDevice: (device: GPUDevice) => void): GPU {
  return {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options)
      if (adapter === null) return null
      const { features, limits, info } = adapter
      const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
        const device = await adapter.requestDevice(descriptor)
        onDevice(device)
        return device
      }
      return { features, limits, info, requestDevice }
    },
  } as unknown as GPU
}

const alone = (samples: Float32Array) => denoisedAlone(model, samples)

for (const hopsBefore of [1, INTERVAL - 1, 2 * INTERVAL + 5]) {
  test(`destroyed after ${hopsBefore} hops: no sample is lost`, async () => {
    let device: GPUDevice | undefined
    const fallbacks: Fallback[] = []
    const gpu = watched(await openSoftwareGpu(), (opened) => {
      device = opened
    })
    const onFallback = (fallback: Fallback) => fallbacks.push(fallback)
    const pool = await DenoiserPool.create({ model, backend: 'webgpu', gpu, threads: 1, onFallback })
    assert.is(pool.report.backend, 'webgpu')
    const hopsAfter = 12
    const callers = [0, 1, 2, 3].map((n) => ({
      stream: pool.add(),
      samples: drawSamples((hopsBefore + hopsAfter) * inputHop - n, 997 * n, 0.3),
    }))
    const step = (hop: number) => {
      for (const [n, { stream, samples }] of callers.entries()) {
        // the last stream comes in pieces of three hops
        const [from, to] = n < 3 ? [hop, hop + 1] : hop % 3 === 0 ? [hop, hop + 3] : [0, 0]
        stream.write(samples.subarray(from * inputHop, to * inputHop))
      }
    }
    for (let hop = 0; hop < hopsBefore; hop++) {
      step(hop)
      await pool.hop()
    }
    // one batch is under way when the device goes, another is submitted to it afterwards
    step(hopsBefore)
    const flying = pool.hop()
    device!.destroy()
    step(hopsBefore + 1)
    const late = pool.hop()
    assert.ok((await flying) >= 3)
    assert.ok((await late) >= 3)
    for (let hop = hopsBefore + 2; hop < hopsBefore + hopsAfter + 2; hop++) {
      step(hop)
      await pool.hop()
    }
    for (const { stream } of callers) stream.end()
    await pool.drain()
    for (const [n, { stream, samples }] of callers.entries()) {
      const found = stream.read()
      const snr = measureSnrDb(found, await alone(samples))
      assert.ok(snr >= 80, `stream ${n}: ${snr} dB`)
    }
    assert.is(pool.report.backend, 'wasm')
    assert.is(fallbacks.length, 1)
    assert.is(fallbacks[0].streams, 4)
    assert.ok(fallbacks[0].replayedHops <= INTERVAL + 2, `${fallbacks[0].replayedHops} hops run again`)
    assert.equal(pool.report.fallback, fallbacks[0])
    pool.dispose()
  })
}

test('an error on the device counts as its loss', async () => {
  let device: GPUDevice | undefined
  const gpu = watched(await openSoftwareGpu(), (opened) => {
    device = opened
  })
  const pool = await DenoiserPool.create({ model, backend: 'webgpu', gpu, threads: 1 })
  const stream = pool.add()
  const samples = drawSamples(20 * inputHop, 0, 0.3)
  stream.write(samples.subarray(0, 10 * inputHop))
  await pool.drain()
  device!.createBuffer({ size: 16, usage: 0 })
  stream.write(samples.subarray(10 * inputHop))
  stream.end()
  await pool.drain()
  assert.is(pool.report.backend, 'wasm')
  const snr = measureSnrDb(stream.read(), await alone(samples))
  assert.ok(snr >= 80, `${snr} dB`)
  pool.dispose()
})

test('where WASM cannot take over, whoever hops hears of it, and the process lives', async () => {
  let device: GPUDevice | undefined
  const gpu = watched(await openSoftwareGpu(), (opened) => {
    device = opened
  })
  const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) // no core
  const pool = await DenoiserPool.create({ model, backend: 'webgpu', gpu, wasm })
  const stream = pool.add()
  stream.write(drawSamples(4 * inputHop, 0, 0.3))
  device!.destroy()
  await new Promise((resolve) => setTimeout(resolve, 100)) // nobody hops
  await pool.hop().then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, /^LOAD_FAILED/),
  )
  pool.dispose()
})

test('a listener to the fallback that throws ends no hop, and is heard of', async () => {
  let device: GPUDevice | undefined
  const gpu = watched(await openSoftwareGpu(), (opened) => {
    device = opened
  })
  const onFallback = () => {
    throw new Error('of the listener')
  }
  const pool = await DenoiserPool.create({ model, backend: 'webgpu', gpu, threads: 1, onFallback })
  const stream = pool.add()
  const samples = drawSamples(4 * inputHop, 0, 0.3)
  const messages = await uncaughtDuring(async () => {
    stream.write(samples)
    stream.end()
    device!.destroy()
    await pool.drain()
  })
  assert.is(stream.read().length, (await alone(samples)).length)
  assert.equal(messages, ['of the listener'])
  pool.dispose()
})

test('a snapshot moves from the GPU to WASM and back', async () => {
  const gpu = await openSoftwareGpu()
  const [a, b] = [
    await DenoiserPool.create({ model, backend: 'webgpu', gpu }),
    await DenoiserPool.create({ model, backend: 'wasm', threads: 1 }),
  ]
  const samples = drawSamples(40 * inputHop + 7, 0, 0.3)
  const parts: Float32Array[] = []
  let stream = a.add()
  for (const [i, pool] of [a, b, a, b].entries()) {
    if (i > 0) {
      const bytes: Uint8Array = await stream.snapshot()
      parts.push(stream.read())
      stream.remove()
      stream = pool.add(bytes)
    }
    stream.write(samples.subarray(i * 1000, i === 3 ? samples.length : (i + 1) * 1000))
    if (i === 3) stream.end()
    await pool.drain()
  }
  parts.push(stream.read())
  const found = Float32Array.from(parts.flatMap((part) => [...part]))
  const snr = measureSnrDb(found, await alone(samples))
  assert.ok(snr >= 80, `${snr} dB`)
  a.dispose()
  b.dispose()
})

test('a snapshot of another kind or model is refused, and the stream is what it was', async () => {
  const pool = await DenoiserPool.create({ model, backend: 'wasm', threads: 1 })
  const denoiser = await Denoiser.create({ model })
  const size = pool.size
  assert.throws(() => pool.add(denoiser.snapshot()), /STATE_INVALID/)
  assert.throws(() => pool.add(new Uint8Array(100)), /STATE_INVALID/)
  assert.is(pool.size, size)
  pool.dispose()
})

test('no WebGPU: a clear error; auto takes WASM and says why', async () => {
  const none = { requestAdapter: async () => null } as unknown as GPU
  try {
    await DenoiserPool.create({ model, backend: 'webgpu', gpu: none })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, AttenuateError)
    assert.match((error as Error).message, /ENVIRONMENT_UNSUPPORTED: WebGPU adapter, none; install/)
  }
  const pool = await DenoiserPool.create({ model, gpu: none, threads: 1 })
  assert.is(pool.report.backend, 'wasm')
  assert.match(pool.report.reason, /no WebGPU/)
  pool.dispose()
})

test('auto measures both and says where the GPU is slower', async () => {
  const pool = await DenoiserPool.create({ model, gpu: await openSoftwareGpu(), streams: 4, threads: 1 })
  const { measured, reason, slowerBelow, backend } = pool.report
  assert.equal(
    measured.map(({ streams }) => streams),
    [1, 4],
  )
  const last = measured[1]
  assert.is(backend, last.webgpuMs < last.wasmMs ? 'webgpu' : 'wasm')
  assert.is(slowerBelow, crossing(measured))
  assert.match(reason, /a hop of all takes/)
  if (slowerBelow !== 1) assert.match(reason, /slower than WASM below/)
  pool.dispose()
})

test('where the times cross', () => {
  const timing = (streams: number, webgpuMs: number, wasmMs: number): Timing => ({ streams, webgpuMs, wasmMs })
  assert.is(crossing([timing(1, 1, 2), timing(4, 1, 8)]), 1)
  assert.is(crossing([timing(1, 2, 1), timing(4, 8, 4)]), Number.POSITIVE_INFINITY)
  // 4 times slower at 1, 4 times faster at 16: as fast at 4
  assert.is(crossing([timing(1, 4, 1), timing(16, 4, 16)]), 4)
})

test('options that cannot be met', async () => {
  const refused = async (options: object, message: RegExp) => {
    try {
      await DenoiserPool.create({ model, ...options })
      assert.unreachable()
    } catch (error) {
      assert.match((error as Error).message, message)
    }
  }
  await refused({ backend: 'cuda' }, /OPTION_INVALID: backend, cuda; use/)
  await refused({ streams: 0 }, /OPTION_INVALID: streams, 0; use a whole number/)
  await refused({ precision: 'f8' }, /OPTION_INVALID: precision, f8; use 'f32' or 'f16'/)
})

test.run()
