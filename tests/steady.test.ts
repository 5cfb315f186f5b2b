// A stream that goes on: states that forget slowly must not carry the network where it was never trained. Steady noise for 40 s
// through each shipped model: what was quiet after three seconds stays quiet.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dbToGain, rmsDb } from '../bench/quality/level.ts'
import { synthesiseNoise } from '../bench/quality/syntheticSpeech.ts'
import { Denoiser } from '../sdk/index.ts'

const RATE = 16000
const SECONDS = 40
const EARLY = [3, 6] as const
const LATE = [30, 40] as const
const LEVEL_DB = -36.5 // dBFS

/** White noise, and noise that falls by 6 dB per octave from 100 Hz on, as of a fan. */
const NOISES = { white: noise(8000), fan: noise(100) }

for (const model of ['base', 'lite', 'hq'])
  for (const [name, samples] of Object.entries(NOISES))
    test(`${model}: ${name} noise stays away`, async () => {
      using denoiser = await Denoiser.create({ model, sampleRate: RATE })
      const out = denoiser.process(samples)
      const [early, late] = [EARLY, LATE].map((seconds) => attenuationDb(samples, out, seconds))
      assert.ok(early > 10, `attenuated by ${early.toFixed(1)} dB`)
      assert.ok(late > early - 3, `attenuated by ${early.toFixed(1)} dB, later by ${late.toFixed(1)}`)
    })

function noise(cutHz: number): Float32Array {
  const pole = Math.exp((-2 * Math.PI * cutHz) / RATE)
  let state = 0
  const x = synthesiseNoise(SECONDS * RATE, 1, 7).map((v) => {
    state = pole * state + v
    return state
  })
  const gain = dbToGain(LEVEL_DB - rmsDb(x))
  return x.map((v) => v * gain)
}

function attenuationDb(input: Float32Array, output: Float32Array, [from, to]: readonly [number, number]): number {
  const part = (x: Float32Array) => x.subarray(from * RATE, to * RATE)
  return rmsDb(part(input)) - rmsDb(part(output))
}

test.run()
