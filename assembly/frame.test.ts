// frame and overlap over several hops against the whole stream: strides longer and shorter than what overlaps.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, randoms, relativeError } from './fixture.ts'

const SHAPES = [
  // frames per hop, length, stride
  [1, 512, 128],
  [1, 16, 16],
  [4, 10, 3],
  [2, 9, 1],
  [3, 7, 5],
  [1, 5, 2],
  [2, 64, 32],
]

for (const [frames, length, stride] of SHAPES) {
  test(`frame: ${frames} of ${length}, stride ${stride}`, () => {
    const hop = frames * stride
    const x = randoms(9 * hop, 1)
    const bench = new Bench(
      buildModel([
        {
          kind: 'frame',
          steps: frames,
          positions: 1,
          channels: 1,
          resultChannels: length,
          inputs: [hop],
          parameters: [length, stride],
          stateFloats: length - stride,
        },
      ]),
    )
    for (let h = 0; h < 9; h++) {
      const y = bench.hop([x.subarray(h * hop, (h + 1) * hop)])
      for (let j = 0; j < frames; j++) {
        const end = h * hop + (j + 1) * stride
        const expected = Array.from({ length }, (_, i) => x[end - length + i] ?? 0)
        assert.equal([...y.subarray(j * length, (j + 1) * length)], expected)
      }
      assert.ok(bench.canariesLive())
    }
  })

  test(`overlap: ${frames} of ${length}, stride ${stride}`, () => {
    const hop = frames * stride
    const x = randoms(9 * frames * length, 1)
    const expected = new Float64Array(9 * hop + length)
    for (let j = 0; j < 9 * frames; j++) {
      for (let i = 0; i < length; i++) expected[j * stride + i] += x[j * length + i]
    }
    const bench = new Bench(
      buildModel([
        {
          kind: 'overlap',
          steps: hop,
          positions: 1,
          channels: length,
          resultChannels: 1,
          inputs: [frames * length],
          parameters: [length, stride],
          stateFloats: length - stride,
        },
      ]),
    )
    const y: number[] = []
    const size = frames * length
    for (let h = 0; h < 9; h++) y.push(...bench.hop([x.subarray(h * size, (h + 1) * size)]))
    assert.ok(relativeError(y, expected.subarray(0, 9 * hop)) < 3e-7)
    assert.ok(bench.canariesLive())
  })
}

test.run()
