// Hops run little by little: the same bits, later by what is said; no call does much; memory goes.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawSamples } from '../tests/golden/signal.ts'
import { Denoiser as BoundlessDenoiser } from './denoiser.ts'
import { nodeHost } from './host.node.ts'
import type { DenoiserOptions } from './options.ts'
import { prepareParts } from './preparation.ts'

async function create(options: DenoiserOptions, spreadSamples: number): Promise<BoundlessDenoiser> {
  return new BoundlessDenoiser({ ...(await prepareParts(nodeHost, options)), spreadSamples })
}

const CASES: readonly DenoiserOptions[] = [
  { model: 'base', sampleRate: 48000 },
  { model: 'base', sampleRate: 44100, channels: 2 },
  { model: 'hq', sampleRate: 16000, channels: 2, linked: true },
  { model: 'lite', sampleRate: 16000, strengthDb: -12 },
]

for (const options of CASES) {
  test(`${JSON.stringify(options)}: the same bits`, async () => {
    const { sampleRate = 0, channels = 1 } = options
    for (const spreadSamples of [1, 40, 128]) {
      using together = await create(options, 0)
      using spread = await create(options, spreadSamples)
      const samples = drawSamples(channels * sampleRate, 1, 0.1)
      const expected = [...together.process(samples), ...together.flush()]
      const found: number[] = []
      for (let at = 0; at < samples.length; at += 128 * channels) {
        const chunk = samples.subarray(at, at + 128 * channels)
        const ready = spread.readyAfter(chunk.length)
        const out = spread.process(chunk)
        assert.is(out.length, ready)
        for (const sample of out) found.push(sample)
      }
      for (const sample of spread.flush()) found.push(sample)
      assert.is(found.length, expected.length)
      assert.ok(found.every((sample, i) => sample === expected[i]))
      const later = (spreadSamples * sampleRate) / together.model.inputRate
      assert.ok(Math.abs(spread.latencySamples - together.latencySamples - later) < 1)
      assert.ok(Math.abs(spread.latency.spreadSamples - later) < 1e-9)
    }
  })
}

test('one stream half way in a hop does not disturb another', async () => {
  const options = { model: 'base', sampleRate: 16000 } as const
  const samples = drawSamples(4096, 2, 0.1)
  using alone = await create(options, 0)
  const expected = alone.process(samples)
  using first = await create(options, 100)
  using second = await create(options, 0)
  const before = alone.stats().memoryBytes
  const third = await create(options, 100)
  third.dispose()
  assert.is(alone.stats().memoryBytes, before)
  for (let at = 0; at < samples.length; at += 32) {
    first.process(samples.subarray(at, at + 32))
    const out = second.process(samples.subarray(at, at + 32))
    const from = second.stats().samplesOut - out.length
    assert.equal(out, expected.slice(from, from + out.length))
  }
})

test.run()
