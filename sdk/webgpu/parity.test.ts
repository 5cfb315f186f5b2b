// The compute shader against the WASM core: whole streams, beginning and end included, of networks that use every op, in
// every way to multiply and to sum. The shipped models are in models.test.ts.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { measureSnrDb } from '../../quantize/snr.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import { ParsedModel } from '../model.ts'
import { GpuBackend } from './backend.webgpu.ts'
import { measureParity } from './fixture.parity.ts'
import { denoisedAlone, openSoftwareDevice, openSoftwareGpu, readGolden } from './fixture.ts'
import { DenoiserPool } from './index.ts'

const LENGTH = 4003
const core = new WebAssembly.Module(readFileSync(new URL('../../build/core.simd.wasm', import.meta.url)))

async function throughGpu(gpu: GPU, model: Uint8Array, samples: Float32Array): Promise<Float32Array> {
  const pool = await DenoiserPool.create({ model, backend: 'webgpu', gpu })
  const stream = pool.add()
  stream.write(samples)
  stream.end()
  await pool.drain()
  const out = stream.read()
  pool.dispose()
  return out
}

for (const name of ['paper-centred', 'residual', 'spectral', 'unequal']) {
  test(`${name}: 80 dB and more`, async () => {
    const gpu = await openSoftwareGpu()
    const model = readGolden(name)
    const samples = drawSamples(LENGTH, 3000, 0.3)
    const expected = await denoisedAlone(model, samples)
    const found = await throughGpu(gpu, model, samples)
    const whole = measureSnrDb(found, expected)
    console.log(`${name}: ${whole.toFixed(1)} dB`)
    assert.ok(whole >= 80, `${whole} dB`)
    const last = measureSnrDb(found.subarray(-1500), expected.subarray(-1500))
    assert.ok(last >= 80, `last 1500 samples: ${last} dB`)
  })
}

for (const name of ['residual', 'spectral', 'unequal']) {
  test(`${name}, int8 weights: as floats and in dot products of integers`, async () => {
    const opened = await openSoftwareDevice()
    const parsed = ParsedModel.parse(readGolden(name, { format: 'int8' }))
    assert.ok(opened.hasDots, 'Dawn knows packed_4x8_integer_dot_product whatever the adapter')
    for (const products of ['floats', 'dots'] as const) {
      const backend = await GpuBackend.open({ ...opened, close: () => {} }, parsed, { products })
      assert.is(/dot4I8Packed/.test(backend.executor.shader.code), products === 'dots')
      const snr = await measureParity(backend, parsed, core)
      console.log(`${name} int8, ${products}: ${snr.toFixed(1)} dB`)
      // the core's own rounding of activations is what differs
      assert.ok(snr >= 70, `${products}: ${snr} dB`)
      backend.dispose()
    }
    opened.close()
  })
}

test('rows whose threads exchange numbers in subgroups', async () => {
  const opened = await openSoftwareDevice(['subgroups'])
  assert.ok(opened.device.features.has('subgroups'), 'the SwiftShader of Chromium has subgroups of 4')
  for (const [name, format, products, least] of [
    ['paper-centred', 'f32', 'floats', 80],
    ['residual', 'int8', 'dots', 70],
  ] as const) {
    const parsed = ParsedModel.parse(readGolden(name, { format }))
    const backend = await GpuBackend.open({ ...opened, close: () => {} }, parsed, { products, rows: 'exchanged' })
    assert.match(backend.executor.shader.code, /subgroupShuffleXor/)
    const snr = await measureParity(backend, parsed, core)
    console.log(`${name} ${format}, ${products}, exchanged: ${snr.toFixed(1)} dB`)
    assert.ok(snr >= least, `${name}: ${snr} dB`)
    backend.dispose()
  }
  opened.close()
})

test.run()
