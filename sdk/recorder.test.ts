// Flight recorder and replay: any calls, any chunks, any moment: the same bits again; damaged and foreign recordings are
// refused; nothing is allocated between two stretches. Warm start: a settled state, speech from the first hop on.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../quantize/specimens.ts'
import { drawNoise, measureGarbage } from './fixture.ts'
import { AttenuateError, Denoiser, replay } from './index.ts'
import { decodeRecording, encodeRecording } from './recording.ts'

function refusal(code: string, part: string) {
  return (error: unknown) => error instanceof AttenuateError && error.code === code && error.message.includes(part)
}

/** Anything that may happen to a stream, `steps` times. */
function live(denoiser: Denoiser, random: () => number, steps: number): void {
  for (let step = 0; step < steps; step++) {
    denoiser.process(drawNoise(random, denoiser.channels * Math.floor(700 * random())))
    const kind = random()
    if (kind < 0.05) denoiser.conceal(Math.floor(400 * random()))
    else if (kind < 0.1) denoiser.advance(Math.floor(90 * random()))
    else if (kind < 0.13) denoiser.flush()
    else if (kind < 0.15) denoiser.reset(random() < 0.5 ? 'warm' : 'cold')
    else if (kind < 0.2) denoiser.strengthDb = -30 * random()
    else if (kind < 0.23) denoiser.comfortNoiseDb = -90 + 20 * random()
  }
}

test('a recording of any calls plays again to the bit', async () => {
  for (const [seed, channels] of [
    [1, 1],
    [2, 2],
    [3, 1],
  ]) {
    const random = seedRandom(seed)
    using denoiser = await Denoiser.create({ model: 'lite', channels, recordSeconds: 2 })
    using again = await Denoiser.create({ model: 'lite', channels })
    for (const steps of [1, 40, 200, 300]) {
      live(denoiser, random, steps)
      const bytes = denoiser.recording()
      const { samples, isIdentical, input } = replay(bytes, again)
      assert.ok(isIdentical, `seed ${seed}, ${steps} steps`)
      assert.ok(replay(Buffer.from(bytes), again).isIdentical, 'as a file is read')
      assert.ok(samples.every(Number.isFinite))
      assert.ok(input.length <= 4 * 16000 * channels)
      // from there on both are the same stream
      const next = drawNoise(random, 1000 * channels)
      assert.equal(again.process(next), denoiser.process(next))
    }
  }
})

test('the last seconds are there, a chunk longer than a stretch too', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', recordSeconds: 1 })
  using again = await Denoiser.create({ model: 'lite' })
  const all = drawNoise(4, 5 * 16000 + 321)
  const out = denoiser.process(all)
  const { samples, input, isIdentical } = replay(denoiser.recording(), again)
  assert.ok(isIdentical)
  assert.ok(input.length >= 16000 && input.length <= 32000, `${input.length}`)
  assert.equal(input, all.subarray(all.length - input.length))
  assert.equal(samples, out.subarray(out.length - samples.length))
})

test('one changed sample is noticed', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', recordSeconds: 1 })
  using again = await Denoiser.create({ model: 'lite' })
  denoiser.process(drawNoise(5, 8000))
  const recording = decodeRecording(denoiser.recording())
  recording.stretches[0].samples[4000] += 1e-3
  assert.not.ok(replay(encodeRecording(recording), again).isIdentical)
})

test('restore begins a new recording', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', recordSeconds: 1 })
  using again = await Denoiser.create({ model: 'lite' })
  const random = seedRandom(6)
  const start = denoiser.snapshot()
  denoiser.process(drawNoise(random, 5000))
  denoiser.restore(start)
  denoiser.process(drawNoise(random, 3000))
  const { input, isIdentical } = replay(denoiser.recording(), again)
  assert.is(input.length, 3000)
  assert.ok(isIdentical)
})

test('recording allocates nothing within a stretch', async () => {
  const denoiser = await Denoiser.create({ model: 'lite', recordSeconds: 600, now: () => 0 })
  const chunk = drawNoise(7, 16)
  const out = new Float32Array(256)
  const grown = measureGarbage(20_000, () => denoiser.processInto(chunk, out))
  // an object per call would be half a megabyte and more
  assert.ok(grown < 80_000, `${grown} bytes`)
  denoiser.dispose()
})

test('refusals', async () => {
  for (const [options, part] of [
    [{ recordSeconds: 0 }, 'recordSeconds, 0; use 1..600'],
    [{ recordSeconds: Number.NaN }, 'recordSeconds, NaN; use 1..600'],
    [{ recordSeconds: 5, governor: {} }, 'recordSeconds with a governor, 5'],
  ] as const) {
    let seen: unknown
    await Denoiser.create({ model: 'lite', ...options }).catch((error) => {
      seen = error
    })
    assert.ok(refusal('OPTION_INVALID', part)(seen), String(seen))
  }
  using silent = await Denoiser.create({ model: 'lite' })
  assert.throws(() => silent.recording(), refusal('OPTION_INVALID', 'create the denoiser with recordSeconds'))
  assert.throws(() => silent.reset('hot' as 'warm'), refusal('OPTION_INVALID', 'reset mode, hot'))

  using denoiser = await Denoiser.create({ model: 'lite', recordSeconds: 1 })
  denoiser.process(drawNoise(8, 4000))
  const bytes = denoiser.recording()
  using stereo = await Denoiser.create({ model: 'lite', channels: 2 })
  assert.throws(() => replay(bytes, stereo), refusal('STATE_INVALID', 'number of channels, 1; this denoiser has 2'))
  using other = await Denoiser.create({ model: 'base' })
  assert.throws(() => replay(bytes, other), refusal('STATE_INVALID', 'of another model'))
  assert.throws(
    () => replay(bytes.subarray(0, 20), silent),
    refusal('STATE_INVALID', 'shorter than its header, 20 bytes'),
  )
  assert.throws(() => replay(bytes.subarray(0, 900), silent), refusal('STATE_INVALID', 'length, 900 of'))
  const flipped = bytes.slice()
  flipped[700] ^= 4
  assert.throws(() => replay(flipped, silent), refusal('STATE_INVALID', 'check sum'))
  assert.throws(() => replay(new Uint8Array(64), silent), refusal('STATE_INVALID', 'not a recording: magic, 0x0'))
})

test('warm reset: bits of its own, the same each time, nothing of the warming in the output', async () => {
  using denoiser = await Denoiser.create({ model: 'base' })
  const samples = drawNoise(9, 16000)
  const cold = denoiser.process(samples)
  denoiser.reset('warm')
  const silence = denoiser.process(new Float32Array(4000))
  assert.ok(silence.every((x) => Math.abs(x) < 1e-6))
  denoiser.reset('warm')
  const warm = denoiser.process(samples)
  denoiser.reset('warm')
  assert.equal(denoiser.process(samples), warm)
  assert.not.equal(warm, cold)
  denoiser.reset()
  assert.equal(denoiser.process(samples), cold)
})

test.run()
