// The bridge from pieces to hops: the denoiser's own samples, a constant number later, whatever lengths pieces have.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../../quantize/specimens.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import { Denoiser } from '../index.ts'
import { chooseSpread, Quanta } from './quanta.ts'

const CHANNELS = 2

/** Through `quanta` in pieces of these lengths; planar. */
function pass(quanta: Quanta, planes: readonly Float32Array[], lengths: () => number): Float32Array[] {
  const out = planes.map((plane) => new Float32Array(plane.length))
  for (let at = 0; at < planes[0].length; ) {
    const end = at + lengths()
    const part = (plane: Float32Array) => plane.subarray(at, end)
    quanta.process(planes.map(part), out.map(part))
    at = end
  }
  return out
}

async function expectSame(sampleRate: number, length: number, unit: number, lengths: () => number): Promise<void> {
  using denoiser = await Denoiser.create({ model: 'lite', sampleRate, channels: CHANNELS })
  using alone = await Denoiser.create({ model: 'lite', sampleRate, channels: CHANNELS })
  const samples = Math.floor(sampleRate / 2 / unit) * unit
  const planes = [1, 2].map((seed) => drawSamples(samples, seed, 0.1))
  const interleaved = Float32Array.from({ length: CHANNELS * planes[0].length }, (_, i) => planes[i % 2][i >> 1])
  const quanta = new Quanta(denoiser, length, unit)
  for (let round = 0; round < 2; round++) {
    const expected = alone.process(interleaved)
    const found = pass(quanta, planes, lengths)
    assert.is(quanta.stats().underruns, 0)
    for (const [c, plane] of found.entries()) {
      const from = quanta.latencySamples
      assert.ok(plane.subarray(0, from).every((sample) => sample === 0))
      for (let i = from; i < plane.length; i++)
        if (plane[i] !== expected[(i - from) * CHANNELS + c]) assert.unreachable(`channel ${c}, sample ${i}`)
    }
    quanta.reset()
    alone.reset()
  }
}

for (const sampleRate of [16000, 44100, 48000]) {
  for (const quantum of [64, 128, 192, 1000])
    test(`${sampleRate} Hz, quanta of ${quantum}`, () => expectSame(sampleRate, quantum, quantum, () => quantum))
  test(`${sampleRate} Hz, pieces of any length up to 20 ms`, () => {
    const random = seedRandom(sampleRate)
    const longest = sampleRate / 50
    return expectSame(sampleRate, longest, 1, () => 1 + Math.floor(random() * longest))
  })
}

test('a rate at which hops fall alike only after a second: never too little', async () => {
  using denoiser = await Denoiser.create({ model: 'nano', sampleRate: 171_612 })
  const quanta = new Quanta(denoiser, 128)
  pass(quanta, [drawSamples(3200 * 128, 1, 0.1)], () => 128)
  assert.is(quanta.stats().underruns, 0)
})

test('nothing connected is silence; fewer channels repeat the last', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', channels: CHANNELS, strengthDb: 0 })
  const quanta = new Quanta(denoiser, 128)
  const plane = drawSamples(128, 3, 0.1)
  const out = [new Float32Array(128), new Float32Array(128)]
  const heard: Float32Array[][] = []
  for (const input of [[plane], undefined, [], [plane, plane], [], []]) {
    quanta.process(input, out)
    heard.push(out.map((channel) => channel.slice()))
  }
  const late = quanta.latencySamples / 128
  const expectPlane = (channels: Float32Array[]) =>
    assert.ok(channels.every((channel) => channel.every((sample, i) => sample === plane[i])))
  expectPlane(heard[late])
  expectPlane(heard[late + 3])
  for (const silent of [late + 1, late + 2]) assert.ok(heard[silent].flatMap((x) => [...x]).every((x) => x === 0))
})

test('a hop is spread over as many quanta as it lasts, at most', () => {
  const model = { inputRate: 16000, inputHop: 128 } as Parameters<typeof chooseSpread>[0]
  assert.is(chooseSpread(model, 48000, 128, 1), 0)
  assert.is(chooseSpread(model, 48000, 128, 2), 42)
  assert.is(chooseSpread(model, 48000, 128, 3), 85)
  assert.is(chooseSpread(model, 48000, 128, 16), 85)
  assert.is(chooseSpread(model, 16000, 128, 2), 0)
  assert.is(chooseSpread(model, 96000, 1024, 4), 0)
})

test.run()
