// conv and delay over several hops against one f64 pass over the whole stream: taps and bands at the edges, odd widths,
// hops shorter than the history.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Bench, buildModel, padded, randoms, relativeError } from './fixture.ts'

for (const [taps, bands] of [
  [1, 1],
  [2, 1],
  [3, 1],
  [3, 3],
  [5, 1],
  [4, 5],
  [1, 3],
]) {
  test(`conv: ${taps} taps, ${bands} bands`, () => {
    for (const [steps, P, C] of [
      [1, 1, 1],
      [1, 4, 8],
      [2, 3, 5],
      [8, 1, 6],
      [1, 6, 3],
      [3, 2, 16],
      [1, 24, 12],
    ]) {
      const hops = 7
      const floats = P * C
      const W = randoms(taps * bands * C, 1)
      const b = bands === 3 ? undefined : randoms(C, 2)
      const x = randoms(hops * steps * floats, 3)
      const bench = new Bench(
        buildModel([
          {
            kind: 'conv',
            steps,
            positions: P,
            channels: C,
            inputs: [steps * floats],
            weights: [padded(W), b && padded(b)],
            parameters: [taps | (bands << 8), 0],
            stateFloats: (taps - 1) * floats,
          },
        ]),
      )
      const y: number[] = []
      for (let h = 0; h < hops; h++) y.push(...bench.hop([x.subarray(h * steps * floats, (h + 1) * steps * floats)]))
      const expected: number[] = []
      for (let t = 0; t < hops * steps; t++) {
        for (let p = 0; p < P; p++) {
          for (let c = 0; c < C; c++) {
            let sum = b ? b[c] : 0
            for (let j = 0; j < taps; j++) {
              for (let i = 0; i < bands; i++) {
                const [time, place] = [t - (taps - 1) + j, p + i - (bands - 1) / 2]
                if (time >= 0 && place >= 0 && place < P)
                  sum += W[(j * bands + i) * C + c] * x[(time * P + place) * C + c]
              }
            }
            expected.push(sum)
          }
        }
      }
      assert.ok(relativeError(y, expected) < 1e-6, `${steps} steps, P ${P}, C ${C}`)
      assert.ok(bench.canariesLive())
    }
  })
}

for (const late of [1, 2, 3, 7]) {
  test(`delay of ${late} steps`, () => {
    for (const [steps, floats] of [
      [1, 1],
      [1, 5],
      [3, 3],
      [4, 8],
      [9, 2],
    ]) {
      const x = randoms(8 * steps * floats, late)
      const bench = new Bench(
        buildModel([
          {
            kind: 'delay',
            steps,
            positions: 1,
            channels: floats,
            inputs: [steps * floats],
            parameters: [late, 0],
            stateFloats: late * floats,
          },
        ]),
      )
      const y: number[] = []
      for (let h = 0; h < 8; h++) y.push(...bench.hop([x.subarray(h * steps * floats, (h + 1) * steps * floats)]))
      const expected = [...new Array(late * floats).fill(0), ...x].slice(0, x.length)
      assert.equal(y, expected)
      assert.ok(bench.canariesLive())
    }
  })
}

test.run()
