// Planar and interleaved are one stream: the same bits either way, exact lengths, errors that name the value, no garbage.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../quantize/specimens.ts'
import { drawNoise, measureGarbage } from './fixture.ts'
import { Denoiser } from './index.ts'

test('planes give the bits of side by side, in any chunks, linked or not, recorded or not', async () => {
  const random = seedRandom(5)
  for (const options of [{}, { linked: true }, { recordSeconds: 1 }, { sampleRate: 48000 }]) {
    using aside = await Denoiser.create({ model: 'lite', channels: 2, ...options })
    using apart = aside.sibling()
    const [left, right] = [drawNoise(1, 9000), drawNoise(2, 9000)]
    const both = Float32Array.from({ length: 18000 }, (_, i) => (i % 2 ? right : left)[i >> 1])
    const expected = [...aside.process(both), ...aside.flush()]
    const planes: [number[], number[]] = [[], []]
    for (let at = 0; at < 9000; ) {
      const end = Math.min(9000, at + Math.floor(700 * random()))
      const out = apart.processPlanar([left.subarray(at, end), right.subarray(at, end)])
      for (const c of [0, 1]) planes[c].push(...out[c])
      at = end
    }
    for (const [c, rest] of apart.flushPlanar().entries()) planes[c].push(...rest)
    assert.is(planes[0].length, 9000)
    for (const c of [0, 1])
      assert.equal(
        planes[c],
        expected.filter((_, i) => i % 2 === c),
      )
  }
})

test('what does not fit is refused, and the stream stays where it was', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', channels: 2 })
  const plane = new Float32Array(500)
  const refused: [unknown, unknown, RegExp][] = [
    [plane, [plane, plane], /OPTION_INVALID: planes, 500; give an array of 2/],
    [[plane], [plane, plane], /OPTION_INVALID: planes, 1; give an array of 2/],
    [[plane, [1, 2]], [plane, plane], /OPTION_INVALID: planes, Array; give Float32Arrays/],
    [[plane, plane.subarray(1)], [plane, plane], /OPTION_INVALID: planes of unequal length, 499; give 500/],
    [[plane, plane], [plane], /OPTION_INVALID: out, 1; give an array of 2/],
    [[plane, plane], [plane.subarray(0, 9), plane.subarray(0, 9)], /OPTION_INVALID: out is too short, 9; give 256/],
  ]
  for (const [planes, out, message] of refused)
    assert.throws(() => denoiser.processPlanarInto(planes as never, out as never), message)
  assert.is(denoiser.stats().samplesIn, 0)
})

test('processPlanarInto allocates nothing', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', channels: 2, now: () => 0 })
  const planes = [drawNoise(1, 128), drawNoise(2, 128)]
  const out = [new Float32Array(512), new Float32Array(512)]
  const grown = measureGarbage(5_000, () => denoiser.processPlanarInto(planes, out))
  assert.ok(grown < 20_000, `${grown} bytes`)
})

test.run()
