// Pools in a page of real Chromium: the compute shader on SwiftShader against the WASM core in Node, a device that is lost,
// a page without WebGPU. Runs the built package (dist/).

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { measureSnrDb } from '../../quantize/snr.ts'
import { denoisedAlone, readGolden } from '../../sdk/webgpu/fixture.ts'
import { drawSamples } from '../golden/signal.ts'
import { openSite, type Site } from './site.ts'

const test = suite<{ site: Site }>('webgpu page')

test.before(async (context) => {
  context.site = await openSite(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'])
})
test.after(async ({ site }) => {
  await site.close()
})

const model = readGolden('residual')

for (const { what, isLost, precision, leastDb } of [
  { what: 'f32: 80 dB and more', isLost: false, precision: 'f32', leastDb: 80 },
  { what: 'f16: 45 dB and more', isLost: false, precision: 'f16', leastDb: 45 },
  { what: 'a device that is destroyed: no sample is lost', isLost: true, precision: 'f32', leastDb: 80 },
]) {
  test(what, async ({ site }) => {
    const samples = drawSamples(4001, 0, 0.3)
    const { out, backend, reason } = await site.page.evaluate(
      async ({ model, samples, isLost, precision }) => {
        const { DenoiserPool } = await import('attenuate-edge/webgpu' as string)
        const devices: GPUDevice[] = []
        const request = GPUAdapter.prototype.requestDevice
        GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...options) {
          const device = await request.apply(this, options)
          devices.push(device)
          return device
        }
        const pool = await DenoiserPool.create({
          model: Uint8Array.from(model),
          backend: 'webgpu',
          precision,
          wasm: '/build/core.simd.wasm',
        })
        GPUAdapter.prototype.requestDevice = request
        const stream = pool.add()
        stream.write(Float32Array.from(samples.slice(0, 2000)))
        const going = pool.drain()
        if (isLost) devices[0].destroy()
        await going
        stream.write(Float32Array.from(samples.slice(2000)))
        stream.end()
        await pool.drain()
        const out = [...stream.read()] as number[]
        const { backend, fallback } = pool.report
        pool.dispose()
        return { out, backend: backend as string, reason: fallback?.reason as string | undefined }
      },
      { model: [...model], samples: [...samples], isLost, precision },
    )
    const snr = measureSnrDb(Float32Array.from(out), await denoisedAlone(model, samples))
    assert.ok(snr >= leastDb, `${snr} dB`)
    assert.is(backend, isLost ? 'wasm' : 'webgpu')
    assert.is(reason !== undefined, isLost)
  })
}

test('auto decides; without WebGPU there is a clear error', async ({ site }) => {
  const { reason, message } = await site.page.evaluate(
    async ({ model }) => {
      const { DenoiserPool } = await import('attenuate-edge/webgpu' as string)
      const options = { model: Uint8Array.from(model), wasm: '/build/core.simd.wasm', streams: 2 }
      const pool = await DenoiserPool.create(options)
      const { reason } = pool.report
      pool.dispose()
      Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true })
      const message = await DenoiserPool.create({ ...options, backend: 'webgpu' }).then(
        () => 'created',
        (error: Error) => error.message,
      )
      return { reason: reason as string, message: message as string }
    },
    { model: [...model] },
  )
  assert.match(reason, /for 2 streams: a hop of all takes/)
  assert.match(message, /ENVIRONMENT_UNSUPPORTED: navigator.gpu, missing; use a browser with WebGPU/)
})

test.run()
