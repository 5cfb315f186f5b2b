// The streaming object that users hold, fed the golden networks in chunks of any length: bit for bit what the core gives
// hop by hop (hops.ts), which golden.test.ts holds against the reference. Also after `reset`, and with a second stream between.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../quantize/compile.ts'
import { play } from '../../sdk/fixture.ts'
import { Denoiser } from '../../sdk/index.ts'
import { openBuild, playWhole } from './hops.ts'
import { drawSamples } from './signal.ts'

const NETWORKS = ['paper-centred', 'paper-causal', 'residual', 'spectral', 'unequal', 'op-conv-far-ahead', 'op-meeting']
const SAMPLES = 20123
const module = openBuild('simd')

function* drawLengths(seed: number): Generator<number> {
  for (let random = seed; ; ) {
    random = (Math.imul(1664525, random) + 1013904223) >>> 0
    // mostly audio-callback sizes, now and then a single sample or several hops at once
    yield [1, 128, 7, 441, 160, 1000, 0, 129][random >>> 29]
  }
}

for (const name of NETWORKS) {
  test(`any chunks of ${name}`, async () => {
    assert.ok(module, 'no core in build/: run `npm run build:wasm`')
    const model = compile(readFileSync(new URL(`${name}.safetensors`, import.meta.url)))
    const samples = drawSamples(SAMPLES, 7, 0.1)
    const expected = playWhole(module, model, samples, new Set())
    const denoiser = await Denoiser.create({ model, wasm: module })
    const other = await Denoiser.create({ model, wasm: module })
    const noise = drawSamples(333, 0, 1)
    const lengths = drawLengths(1)
    const found = play(denoiser, samples, () => {
      other.process(noise)
      return lengths.next().value
    })
    assert.is(found.length, expected.length)
    assert.is(firstDifference(found, expected), -1, 'first sample that differs')
    denoiser.process(noise)
    denoiser.reset()
    const again = play(denoiser, samples, () => lengths.next().value)
    assert.is(firstDifference(again, expected), -1, 'first sample that differs after reset')
    denoiser.dispose()
    other.dispose()
  })
}

function firstDifference(a: Float32Array, b: Float32Array): number {
  return a.findIndex((x, i) => !Object.is(x, b[i]))
}

test.run()
