// A stream that goes on: states that forget slowly must not carry the network where it was never trained. Steady noise for 40 s
// through each shipped model: what was quiet after three seconds stays quiet.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from '../bench/quality/random.ts'
import { Denoiser } from '../sdk/index.ts'

const RATE = 16000
const SECONDS = 40
const EARLY = [3, 6] as const
const LATE = [30, 40] as const

/** White noise, and noise that falls by 6 dB per octave from 100 Hz on, as of a fan; RMS 0.015. */
const NOISES = { white: noise(8000), fan: noise(100) }

for (const model of ['base', 'lite', 'hq'])
  for (const [name, samples] of Object.entries(NOISES))
    test(`${model}: ${name} noise stays away`, async () => {
      using denoiser = await Denoiser.create({ model, sampleRate: RATE })
      const out = denoiser.process(samples)
      const [early, late] = [EARLY, LATE].map(([from, to]) => levelDb(samples, from, to) - levelDb(out, from, to))
      assert.ok(early > 10, `attenuated by ${early.toFixed(1)} dB`)
      assert.ok(late > early - 3, `attenuated by ${early.toFixed(1)} dB, later by ${late.toFixed(1)}`)
    })

function noise(cutHz: number): Float32Array {
  const random = seededRandom(7)
  const pole = Math.exp((-2 * Math.PI * cutHz) / RATE)
  let state = 0
  const x = Float32Array.from({ length: SECONDS * RATE }, () => {
    state = pole * state + random() + random() + random() - 1.5
    return state
  })
  const gain = 0.015 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length)
  return x.map((v) => v * gain)
}

function levelDb(x: Float32Array, from: number, to: number): number {
  const part = x.subarray(from * RATE, to * RATE)
  return 10 * Math.log10(part.reduce((sum, v) => sum + v * v, 1e-12) / part.length)
}

test.run()
