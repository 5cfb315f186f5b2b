// The shipped models on a GPU against the WASM core: a second of noise through each, with f32 weights (lite in f32 is what
// the bench's bundle is tested with); and a shipped file with its int8 weights, where the core rounds activations to int16 and
// the shader does not.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../quantize/compile.ts'
import { ParsedModel } from '../model.ts'
import { GpuBackend } from './backend.webgpu.ts'
import { measureParity } from './fixture.parity.ts'
import { openSoftwareDevice } from './fixture.ts'

const read = (path: string) => new Uint8Array(readFileSync(new URL(`../../${path}`, import.meta.url)))
const core = new WebAssembly.Module(read('build/core.simd.wasm'))

for (const [name, precision, file, leastDb] of [
  ['base', 'f32', compile(read('models/base.safetensors')), 80],
  ['hq', 'f32', compile(read('models/hq.safetensors')), 80],
  ['lite', 'f16', compile(read('models/lite.safetensors')), 45],
  ['lite int8', 'f32', read('models/lite.ssm'), 60],
] as const) {
  test(`${name}, ${precision}: ${leastDb} dB and more`, async () => {
    const parsed = ParsedModel.parse(file)
    const backend = await GpuBackend.open(await openSoftwareDevice(), parsed, {
      precision,
      // what does not fit is stored as f32, and much memory takes SwiftShader long to compile
      ...(precision === 'f16' ? { workgroupBytes: 32768 } : {}),
    })
    const snr = await measureParity(backend, parsed, core)
    console.log(`${name}, ${precision}: ${snr.toFixed(1)} dB`)
    assert.ok(snr >= leastDb, `${snr} dB`)
    backend.dispose()
  })
}

test.run()
