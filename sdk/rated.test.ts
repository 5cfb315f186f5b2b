// Streams at rates that are not the model's: exact lengths, alignment, any chunks the same bits, reset, snapshots, stated
// latency as measured, nothing allocated. With the shipped models and with a small one for what needs many runs.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../quantize/compile.ts'
import { measureSnrDb } from '../quantize/snr.ts'
import { seedRandom } from '../quantize/specimens.ts'
import { drawNoise, measureGarbage, play } from './fixture.ts'
import {
  AttenuateError,
  Denoiser,
  type DenoiserOptions,
  encodeSamples,
  loadModel,
  SAMPLE_FORMATS,
  sampleBytes,
} from './index.ts'

const RATES = [4000, 8000, 11025, 12345, 22050, 32000, 44100, 48000, 96000, 192000]
const golden = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../tests/golden/${name}.safetensors`, import.meta.url)))
const small = await loadModel(compile(golden('spectral')))

/** Where neither end is heard. */
function middle(samples: Float32Array): Float32Array {
  return samples.subarray(Math.floor(samples.length * 0.3), Math.floor(samples.length * 0.7))
}

test('as many samples out as went in, in time: 10,000 seeded cases of rate, length and chunks', async () => {
  const random = seedRandom(1)
  for (let round = 0; round < 100; round++) {
    const pick = () =>
      random() < 0.7 ? RATES[Math.floor(random() * RATES.length)] : 4000 + Math.floor(188_000 * random() ** 3)
    const sampleRate = pick()
    const outputRate = random() < 0.5 ? sampleRate : pick()
    using denoiser = await Denoiser.create({ model: small, sampleRate, outputRate })
    for (let run = 0; run < 100; run++) {
      const samples = Math.floor(1200 * random() ** 2)
      const wanted = Math.ceil((samples * outputRate) / sampleRate)
      let [given, made] = [0, 0]
      while (given < samples) {
        const count = Math.min(samples - given, Math.floor(400 * random()))
        const ready = denoiser.readyAfter(count)
        const out = denoiser.process(new Float32Array(count))
        assert.is(out.length, ready)
        given += count
        made += out.length
      }
      const pending = denoiser.pendingSamples
      made += denoiser.flush().length
      assert.is(made, wanted, `${sampleRate} -> ${outputRate} Hz, ${samples} samples`)
      assert.ok(pending >= 0)
    }
  }
})

test('bypassed, the input comes out in place, up to 0.45 of the lower rate', async () => {
  for (const sampleRate of RATES) {
    using denoiser = await Denoiser.create({ model: 'base', sampleRate, strengthDb: 0 })
    const frequency = 0.4 * Math.min(sampleRate, 16000)
    const samples = Float32Array.from(
      { length: sampleRate / 2 },
      (_, i) => 0.5 * Math.sin((2 * Math.PI * frequency * i) / sampleRate),
    )
    const out = play(denoiser, samples, () => 333)
    assert.is(out.length, samples.length)
    const snrDb = measureSnrDb(middle(out), middle(samples))
    assert.ok(snrDb > 75, `${sampleRate} Hz: ${snrDb} dB`)
  }
})

test('minimum phase: the latency it states, about 3 ms less; bypassed, slow tones are in time', async () => {
  for (const sampleRate of RATES) {
    using soon = await Denoiser.create({ model: 'base', sampleRate, phase: 'minimum', strengthDb: 0 })
    using later = await Denoiser.create({ model: 'base', sampleRate, highBand: 'drop' })
    assert.is(soon.highBand, 'drop')
    const lower = Math.min(sampleRate, 16000)
    const savedMs = later.latencyMs - soon.latencyMs
    assert.ok(savedMs > 40_000 / lower && savedMs < 70_000 / lower, `${sampleRate}: ${savedMs} ms`)
    let [made, worst] = [0, 0]
    for (let given = 1; given <= 0.1 * sampleRate; given++) {
      const ready = soon.readyAfter(given)
      if (ready > made) worst = Math.max(worst, given - made)
      made = ready
    }
    assert.is(soon.latencySamples, worst, `${sampleRate}`)
    const samples = Float32Array.from(
      { length: sampleRate / 2 },
      (_, i) => 0.5 * Math.sin((2 * Math.PI * 150 * i) / sampleRate),
    )
    const out = play(soon, samples, () => 100)
    const snrDb = measureSnrDb(middle(out), middle(samples))
    assert.ok(snrDb > 50, `${sampleRate} Hz: ${snrDb} dB`)
  }
  await Denoiser.create({ sampleRate: 48000, phase: 'minimum', highBand: 'follow' }).then(
    () => assert.unreachable(),
    ({ message }: AttenuateError) =>
      assert.match(
        message,
        /OPTION_INVALID: highBand follow with phase minimum, minimum; use 'drop' or phase 'linear'/,
      ),
  )
})

test('any chunks give the same bits; reset is new; stereo is two of mono', async () => {
  for (const options of [
    { model: 'base', sampleRate: 48000 },
    { model: 'lite', sampleRate: 44100 },
    { model: 'hq', sampleRate: 8000, outputRate: 48000 },
    { model: 'nano', sampleRate: 8000 },
    { model: 'nano', sampleRate: 4000, outputRate: 48000 },
    { model: 'lite', sampleRate: 12345 },
    { model: 'lite', sampleRate: 48000, phase: 'minimum' },
  ] as DenoiserOptions[]) {
    const random = seedRandom(7)
    const name = `${options.model} ${options.sampleRate}`
    using denoiser = await Denoiser.create(options)
    const samples = drawNoise(random, Math.floor(0.4 * options.sampleRate!))
    const whole = play(denoiser, samples)
    assert.equal(
      play(denoiser, samples, () => 1),
      whole,
      name,
    )
    assert.equal(
      play(denoiser, samples, () => 700 * random()),
      whole,
      name,
    )
    denoiser.process(samples.subarray(0, 999))
    denoiser.reset()
    assert.equal(
      play(denoiser, samples, () => 128),
      whole,
      name,
    )

    using stereo = await Denoiser.create({ ...options, channels: 2 })
    const both = Float32Array.from({ length: 2 * samples.length }, (_, i) => (i % 2 === 0 ? samples[i >> 1] : 0))
    const out = play(stereo, both, () => 500 * random())
    assert.equal(
      out.filter((_, i) => i % 2 === 0),
      whole,
      name,
    )
  }
})

test('snapshots go on to the bit, at any place; those of other rates are refused', async () => {
  for (const [sampleRate, outputRate] of [
    [48000, 48000],
    [44100, 44100],
    [8000, 16000],
  ]) {
    const random = seedRandom(sampleRate)
    const options = { model: 'lite', sampleRate, outputRate }
    using one = await Denoiser.create(options)
    using other = await Denoiser.create(options)
    for (let run = 0; run < 20; run++) {
      one.process(drawNoise(random, Math.floor(2000 * random())))
      other.restore(one.snapshot())
      const next = drawNoise(random, 1500)
      assert.equal(other.process(next), one.process(next))
    }
    using foreign = await Denoiser.create({ ...options, sampleRate: 32000 })
    assert.throws(
      () => foreign.restore(one.snapshot()),
      (error: unknown) => error instanceof AttenuateError && error.code === 'STATE_INVALID',
    )
    assert.equal(other.flush(), one.flush())
  }
})

test('every format at every pair of rates: any cuts, the same bytes, as many frames as there should be', async () => {
  const random = seedRandom(11)
  const rates = [8000, 16000, 44100, 48000]
  for (const sampleRate of rates)
    for (const outputRate of rates) {
      using denoiser = await Denoiser.create({ model: small, channels: 2, sampleRate, outputRate })
      const samples = drawNoise(random, 2 * 1501)
      for (const format of SAMPLE_FORMATS) {
        const size = sampleBytes(format)
        const bytes = new Uint8Array(samples.length * size)
        encodeSamples(format, samples, samples.length, bytes)
        const cut = async (length: () => number) => {
          const pieces: Uint8Array[] = []
          for (let at = 0; at < bytes.length; ) {
            const end = at + 1 + Math.floor(length())
            pieces.push(bytes.subarray(at, end))
            at = end
          }
          const out: Uint8Array[] = []
          for await (const piece of denoiser.iterate(pieces, { format })) out.push(piece)
          return Buffer.concat(out)
        }
        const whole = await cut(() => 1e9)
        assert.is(whole.length, 2 * size * Math.ceil((1501 * outputRate) / sampleRate), `${format} ${sampleRate}`)
        assert.ok((await cut(() => 999 * random())).equals(whole), `${format}, ${sampleRate} to ${outputRate} Hz`)
        assert.ok((await cut(() => 7 * size - 1)).equals(whole), `${format}, ${sampleRate} to ${outputRate} Hz`)
      }
    }
})

test('the stated latency is the longest that an output waits', async () => {
  for (const model of ['base', 'hq', 'nano'])
    for (const sampleRate of RATES) {
      using denoiser = await Denoiser.create({ model, sampleRate })
      const { outputRate, latencySamples } = denoiser
      let worst = 0
      let made = 0
      for (let given = 1; given <= 0.3 * sampleRate; given++) {
        // the output before which nothing came must wait for this input
        const due = (given * outputRate) / sampleRate
        const ready = denoiser.readyAfter(given)
        if (ready > made) worst = Math.max(worst, Math.ceil(due - made))
        made = ready
      }
      assert.is(latencySamples, worst, `${model} ${sampleRate}`)
      assert.is(denoiser.latencyMs, (1000 * worst) / outputRate)
      const { hopSamples, lookaheadSamples, overlapSamples, resamplingSamples } = denoiser.latency
      assert.ok(Math.abs(hopSamples + lookaheadSamples + overlapSamples + resamplingSamples - worst) < 1e-6)
    }
})

test('the stated latency is that where hops and samples begin together only after two seconds, too', async () => {
  const sampleRate = 44372
  using denoiser = await Denoiser.create({ model: 'nano', sampleRate, outputRate: sampleRate })
  let [worst, made] = [0, 0]
  for (let given = 1; given <= 2.1 * sampleRate; given++) {
    const ready = denoiser.readyAfter(given)
    if (ready > made) worst = Math.max(worst, given - made)
    made = ready
  }
  assert.is(denoiser.latencySamples, worst)
})

test('processInto allocates nothing at 48 kHz', async () => {
  const denoiser = await Denoiser.create({ model: small, sampleRate: 48000, now: () => 0 })
  const chunk = drawNoise(3, 128)
  const out = new Float32Array(2048)
  const grown = measureGarbage(20_000, () => denoiser.processInto(chunk, out))
  assert.ok(grown < 80_000, `${grown} bytes`)
  denoiser.dispose()
})

test('memory comes back, filters too', async () => {
  const keep = await Denoiser.create({ model: 'lite' })
  const { memoryBytes } = keep.stats()
  for (let i = 0; i < 50; i++) (await Denoiser.create({ model: 'lite', sampleRate: 8000 + 100 * i })).dispose()
  assert.is(keep.stats().memoryBytes, memoryBytes)
  keep.dispose()
})

test('rates that cannot be', async () => {
  for (const sampleRate of [0, 3999, 192001, 44100.5, Number.NaN, -16000]) {
    const error = await Denoiser.create({ model: small, sampleRate }).then(
      () => undefined,
      (error) => error,
    )
    assert.ok(error instanceof AttenuateError && error.code === 'RATE_UNSUPPORTED', String(error))
    assert.match(error.message, String(sampleRate))
  }
})

test.run()
