// Strength: bypass to the bit and in time, a bound on attenuation, no step on change.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Strength } from './strength.ts'

const HOP = 8
const LAG = 20

/** A network that mutes everything. */
function play(strength: Strength, hops: number, dry: (i: number) => number, before?: (hop: number) => void): number[] {
  const out: number[] = []
  for (let hop = 0; hop < hops; hop++) {
    before?.(hop)
    const wet = new Float32Array(HOP)
    strength.blend(
      wet,
      Float32Array.from({ length: HOP }, (_, i) => dry(hop * HOP + i)),
    )
    out.push(...wet)
  }
  return out
}

test('0 dB is the input, delayed by the lag', () => {
  const out = play(new Strength(HOP, LAG, 0), 10, (i) => i + 1)
  assert.equal(
    out,
    out.map((_, i) => Math.max(0, i + 1 - LAG)),
  )
})

test('-Infinity is the network alone', () => {
  assert.ok(play(new Strength(HOP, LAG, Number.NEGATIVE_INFINITY), 10, () => 1).every((value) => value === 0))
})

test('-20 dB leaves a tenth', () => {
  const out = play(new Strength(HOP, LAG, -20), 10, () => 1)
  for (const value of out.slice(LAG)) assert.ok(Math.abs(value - 0.1) < 1e-7)
})

test('a change fades over one hop in even steps', () => {
  const strength = new Strength(HOP, LAG, Number.NEGATIVE_INFINITY)
  const out = play(
    strength,
    10,
    () => 1,
    (hop) => {
      if (hop === 5) strength.strengthDb = 0
    },
  )
  for (let i = 5 * HOP; i < 6 * HOP; i++) assert.ok(Math.abs(out[i] - out[i - 1] - 1 / HOP) < 1e-6)
  assert.equal(out.slice(6 * HOP), new Array(4 * HOP).fill(1))
})

test('amplification and nonsense are refused', () => {
  for (const value of [1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => new Strength(HOP, LAG, value), /OPTION_INVALID: strengthDb/)
})

test.run()
