// Linked channels: what lies between them in level and phase stays, equal channels give what the network gives, the cost is
// that of one network; latency as stated, lengths, chunks, snapshots; the transform against its definition.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { measureSnrDb } from '../quantize/snr.ts'
import { seedRandom } from '../quantize/specimens.ts'
import { drawNoise, play } from './fixture.ts'
import { Fourier } from './fourier.ts'
import { type AttenuateError, Denoiser, type DenoiserOptions } from './index.ts'

/** Harmonics that come and go, in noise: something that stays and something that goes. */
function voice(samples: number): Float32Array {
  const noise = drawNoise(1, samples, 0.03)
  return noise.map((x, i) => {
    const gate = Math.sin((2 * Math.PI * 3 * i) / 16000) > 0 ? 1 : 0
    let sum = 0
    for (let k = 1; k < 12; k++) sum += Math.sin((2 * Math.PI * 140 * k * i) / 16000) / k
    return x + 0.1 * gate * sum
  })
}

function interleave(planes: readonly Float32Array[]): Float32Array {
  return Float32Array.from({ length: planes.length * planes[0].length }, (_, i) => {
    return planes[i % planes.length][Math.floor(i / planes.length)]
  })
}

const plane = (samples: Float32Array, c: number, channels = 2) => samples.filter((_, i) => i % channels === c)

test('the transform is its definition, and comes back', () => {
  for (const size of [2, 8, 256, 1024]) {
    const fourier = new Fourier(size)
    const [re, im] = [Float64Array.from(drawNoise(1, size)), Float64Array.from(drawNoise(2, size))]
    const [a, b] = [re.slice(), im.slice()]
    fourier.transform(re, im)
    for (const k of [0, 1, size >> 1, size - 1]) {
      let [x, y] = [0, 0]
      for (let n = 0; n < size; n++) {
        const angle = (-2 * Math.PI * k * n) / size
        x += a[n] * Math.cos(angle) - b[n] * Math.sin(angle)
        y += a[n] * Math.sin(angle) + b[n] * Math.cos(angle)
      }
      assert.ok(Math.hypot(re[k] - x, im[k] - y) < 1e-12, `${size}: ${k}`)
    }
    fourier.transform(im, re)
    for (let n = 0; n < size; n++) assert.ok(Math.hypot(re[n] / size - a[n], im[n] / size - b[n]) < 1e-15)
  }
})

test('level and phase between channels stay: a voice to the left, a delayed one, one turned over', async () => {
  const samples = voice(32_000)
  for (const model of ['base', 'hq', 'lite']) {
    using denoiser = await Denoiser.create({ model, channels: 3, linked: true })
    const late = samples.map((_, i) => (i < 5 ? 0 : samples[i - 5]))
    const out = play(denoiser, interleave([samples, samples.map((x) => 0.25 * x), late]))
    const [left, right, delayed] = [0, 1, 2].map((c) => plane(out, c, 3))
    assert.ok(measureSnrDb(samples, left) < 20, `${model} does something`)
    const quarter = left.map((x) => 0.25 * x)
    assert.ok(measureSnrDb(right, quarter) > 120, `${model}: level`)
    const moved = left.map((_, i) => (i < 5 ? 0 : left[i - 5]))
    const phaseDb = measureSnrDb(delayed, moved)
    assert.ok(phaseDb > 25, `${model}: phase, ${phaseDb} dB`)
  }
})

test('equal channels give what the network gives, to the end of the stream', async () => {
  for (const model of ['base', 'hq', 'lite']) {
    using linked = await Denoiser.create({ model, channels: 2, linked: true })
    using alone = await Denoiser.create({ model })
    for (const length of [32_000, 31_900, 100]) {
      const samples = voice(length)
      linked.reset()
      alone.reset()
      const out = play(linked, interleave([samples, samples]))
      assert.ok(measureSnrDb(plane(out, 1), plane(out, 0)) > 140, model)
      const nearDb = measureSnrDb(plane(out, 0), play(alone, samples))
      assert.ok(nearDb > 120, `${model}, ${length} samples: ${nearDb} dB`)
    }
  }
})

test('the last hop of unequal channels: their mean is what the network makes of the mean', async () => {
  const samples = voice(32_000)
  const late = samples.map((_, i) => (i < 5 ? 0 : samples[i - 5]))
  const mean = (a: Float32Array, b: Float32Array) => a.map((x, i) => (x + b[i]) / 2)
  for (const model of ['base', 'hq', 'lite']) {
    using linked = await Denoiser.create({ model, channels: 2, linked: true })
    using alone = await Denoiser.create({ model })
    const out = play(linked, interleave([samples, late]))
    const last = (all: Float32Array) => all.subarray(-linked.model.outputHop)
    const nearDb = measureSnrDb(last(mean(plane(out, 0), plane(out, 1))), last(play(alone, mean(samples, late))))
    // far above, unless gains are held: weights decide
    assert.ok(nearDb > 30, `${model}: ${nearDb} dB`)
  }
})

test('bypassed, the input to the bit; lengths, latency and chunks as they should be', async () => {
  for (const options of [
    { model: 'base' },
    { model: 'hq', channels: 5 },
    { model: 'lite', sampleRate: 44100 },
    { model: 'base', sampleRate: 8000, outputRate: 48000 },
  ] as DenoiserOptions[]) {
    const { channels = 2 } = options
    const random = seedRandom(7)
    using denoiser = await Denoiser.create({ ...options, channels, linked: true })
    using apart = await Denoiser.create({ ...options, channels })
    const { outputHop, outputRate } = denoiser.model
    const later = (outputHop * denoiser.outputRate) / outputRate
    assert.ok(denoiser.latencySamples - apart.latencySamples - later < 1, JSON.stringify(options))
    const samples = drawNoise(3, channels * 9001)
    const wanted = channels * Math.ceil((9001 * denoiser.outputRate) / denoiser.sampleRate)
    let [given, made, worst] = [0, 0, 0]
    for (; given < 4000; given++) {
      const count = denoiser.process(samples.subarray(given * channels, (given + 1) * channels)).length / channels
      if (count > 0)
        worst = Math.max(worst, Math.ceil(((given + 1) * denoiser.outputRate) / denoiser.sampleRate) - made)
      made += count
    }
    assert.ok(worst <= denoiser.latencySamples && worst > denoiser.latencySamples - 8, `${worst}`)
    denoiser.reset()
    const whole = play(denoiser, samples)
    assert.is(whole.length, wanted)
    assert.equal(
      play(denoiser, samples, () => 900 * random()),
      whole,
    )
    if (denoiser.sampleRate !== denoiser.outputRate) continue
    denoiser.strengthDb = 0
    denoiser.reset()
    assert.equal(play(denoiser, samples), samples)
  }
})

test('snapshots go on to the bit; a stream of unlinked channels refuses them', async () => {
  const options = { model: 'base', channels: 2, sampleRate: 48000 }
  using one = await Denoiser.create({ ...options, linked: true })
  using other = await Denoiser.create({ ...options, linked: true })
  using apart = await Denoiser.create(options)
  for (let run = 0; run < 10; run++) {
    one.process(drawNoise(run, 2 * (1 + 997 * run)))
    if (run === 5) one.advance(3)
    other.restore(one.snapshot())
    const next = drawNoise(99, 6000)
    assert.equal(other.process(next), one.process(next))
  }
  assert.throws(
    () => apart.restore(one.snapshot()),
    /STATE_INVALID: snapshot of another stream: linked channels, 1; restore it where that is 0/,
  )
})

test('one channel is linked to none; a sibling may link; a model with two rates cannot', async () => {
  using alone = await Denoiser.create({ linked: true })
  assert.is(alone.linked, false)
  using sibling = alone.sibling({ channels: 2, linked: true })
  assert.is(sibling.linked, true)
  assert.is(sibling.sibling().linked, true)
  await Denoiser.create({ model: 'nano', channels: 2, linked: true }).then(
    () => assert.unreachable(),
    ({ message }: AttenuateError) =>
      assert.match(
        message,
        /OPTION_INVALID: linked channels of a model with unequal rates, 4000; use a model with one/,
      ),
  )
})

test.run()
