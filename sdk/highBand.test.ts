// The band above the model's: bypassed the input to the bit, followed as the upper band is attenuated, flat over the crossover
// where both are attenuated alike; aliases stay beside it; chunks, snapshots, gaps, several channels.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../quantize/compile.ts'
import type { Model } from '../quantize/modelfile.ts'
import { seedRandom } from '../quantize/specimens.ts'
import type { Core } from './core.ts'
import { shareCore } from './cores.ts'
import { drawNoise, measureGarbage, play } from './fixture.ts'
import { Frames, type Framing } from './frames.ts'
import { HighBand } from './highBand.ts'
import { nodeHost } from './host.node.ts'
import { type AttenuateError, Denoiser, type DenoiserOptions, loadModel } from './index.ts'
import { RatedFrames } from './rated.ts'

const RATES = [22050, 32000, 44100, 48000, 96000]
const RATE = 48000
const core: Core = await shareCore(nodeHost)
const spectral = await loadModel(
  compile(readFileSync(new URL('../tests/golden/spectral.safetensors', import.meta.url))),
)

function tone(frequency: number, rate: number, samples: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, i) => 0.1 * Math.sin((2 * Math.PI * frequency * i) / rate))
}

/** Power in dB of a frequency, of the middle of a signal. */
function levelAt(samples: Float32Array, frequency: number, rate: number): number {
  const [from, to] = [Math.floor(samples.length * 0.3), Math.floor(samples.length * 0.9)]
  let [re, im, sum] = [0, 0, 0]
  for (let i = from; i < to; i++) {
    const window = 1 - Math.cos((2 * Math.PI * (i - from)) / (to - from))
    re += window * samples[i] * Math.cos((2 * Math.PI * frequency * i) / rate)
    im += window * samples[i] * Math.sin((2 * Math.PI * frequency * i) / rate)
    sum += window
  }
  return 20 * Math.log10((2 * Math.hypot(re, im)) / sum + 1e-12)
}

// first: what a runtime has specialised for one kind of runner it has not for two
test('processInto allocates nothing', async () => {
  using denoiser = await Denoiser.create({
    model: spectral,
    sampleRate: 48000,
    channels: 2,
    linked: true,
    now: () => 0,
  })
  const chunk = drawNoise(3, 256)
  const out = new Float32Array(4096)
  const grown = measureGarbage(20_000, () => denoiser.processInto(chunk, out))
  assert.ok(grown < 80_000, `${grown} bytes`)
})

for (const highBand of ['follow', 'pass'] as const)
  test(`${highBand}: bypassed, the input comes out to the bit, whatever the rate and model`, async () => {
    for (const sampleRate of RATES)
      for (const model of ['base', 'hq', spectral]) {
        using denoiser = await Denoiser.create({ model, sampleRate, highBand, strengthDb: 0 })
        assert.is(denoiser.highBand, highBand)
        const samples = drawNoise(sampleRate, Math.round(0.3 * sampleRate))
        const random = seedRandom(3)
        assert.equal(
          play(denoiser, samples, () => 900 * random()),
          samples,
        )
      }
  })

test('the default: follow where there is such a band; latency is that of drop', async () => {
  for (const [options, expected] of [
    [{ sampleRate: 48000 }, 'follow'],
    [{ sampleRate: 17000 }, 'follow'],
    [{ sampleRate: 16000 }, 'drop'],
    [{ sampleRate: 8000 }, 'drop'],
    [{ sampleRate: 8000, highBand: 'follow' }, 'drop'],
    [{ sampleRate: 48000, outputRate: 44100 }, 'drop'],
    [{ model: 'nano', sampleRate: 16000 }, 'drop'],
    [{ sampleRate: 48000, highBand: 'drop' }, 'drop'],
  ] as [DenoiserOptions, string][]) {
    using denoiser = await Denoiser.create(options)
    assert.is(denoiser.highBand, expected, JSON.stringify(options))
  }
  using keeps = await Denoiser.create({ sampleRate: 48000 })
  using drops = await Denoiser.create({ sampleRate: 48000, highBand: 'drop' })
  assert.is(keeps.latencySamples, drops.latencySamples)
})

test('what cannot be is refused', async () => {
  for (const [options, message] of [
    [{ sampleRate: 48000, highBand: 'keep' as never }, /OPTION_INVALID: highBand, keep; use one of follow, drop, pass/],
    [{ sampleRate: 48000, outputRate: 44100, highBand: 'pass' }, /OPTION_INVALID: .*another output rate, 44100 Hz/],
    [{ model: 'nano', sampleRate: 16000, highBand: 'follow' }, /OPTION_INVALID: highBand follow with a model that mak/],
    [{ model: 'nano', highBand: 'pass' }, /OPTION_INVALID: highBand pass with a model that makes .*, 4000 Hz; use 'dr/],
  ] as [DenoiserOptions, RegExp][]) {
    await Denoiser.create(options).then(
      () => assert.unreachable(),
      (error: AttenuateError) => assert.match(error.message, message),
    )
  }
})

const HOP = 64
const LAG = 160

/** Frames at 48 kHz around something that scales the band of the model by `scale` and is LAG samples late. */
function openScaled(mode: 'follow' | 'pass', scale: (hop: number) => number): Framing {
  const path = { sampleRate: RATE, outputRate: RATE, linked: false, phase: 'linear' } as const
  const shape = { inputHop: HOP, outputHop: HOP, lagSamples: LAG, zeroHops: 3, lookaheadHops: 0 }
  const highBand = new HighBand({ mode, channels: 1, hop: HOP, hopMs: 4, lagSamples: LAG, reachSamples: 1024 }, 0)
  const dry = new Float32Array(LAG + HOP)
  let hop = 0
  const runner = {
    run([input]: readonly Float32Array[], [output]: readonly Float32Array[]) {
      dry.copyWithin(0, HOP)
      dry.set(input, LAG)
      const now = scale(hop++)
      for (let i = 0; i < HOP; i++) output[i] = now * dry[i]
      highBand.take([output], [dry])
    },
    end() {},
  }
  const model = { inputRate: 16000, outputRate: 16000, inputHop: HOP, outputHop: HOP } as Model
  return new RatedFrames(core, model, new Frames(shape, runner), { ...path, channels: 1, mostPending: 4000, highBand })
}

function playFrames(frames: Framing, samples: Float32Array): Float32Array {
  const out = new Float32Array(samples.length)
  const place = { first: 0, stride: 1 }
  const made = frames.push(samples, samples.length, out, place)
  const rest = new Float32Array(frames.pending)
  frames.drain(rest, place)
  out.set(rest, made)
  return out
}

test('follow: attenuated alike on both sides of the crossover, flat to 0.01 dB, without aliases', () => {
  for (const scale of [1, 0.5, 0.1, 0.01])
    for (const frequency of [1000, 5500, 6500, 7100, 7500, 7900, 8000, 8100, 8500, 9000, 12000, 20000]) {
      const frames = openScaled('follow', () => scale)
      // what is above follows what is just below, so something has to be there
      const guide = tone(5600, RATE, RATE)
      const samples = tone(frequency, RATE, RATE).map((x, i) => x + guide[i])
      const out = playFrames(frames, samples)
      const heardDb = levelAt(out, frequency, RATE) - levelAt(samples, frequency, RATE)
      assert.ok(Math.abs(heardDb - 20 * Math.log10(scale)) < 0.01, `${frequency} Hz times ${scale}: ${heardDb} dB`)
      if (frequency <= 8000) continue
      const aliasDb = levelAt(out, 16000 - frequency, RATE) - levelAt(samples, frequency, RATE)
      assert.ok(aliasDb < 20 * Math.log10(scale) - 70, `${frequency} Hz times ${scale}: alias ${aliasDb} dB`)
      frames.dispose()
    }
})

test('pass over a muted band: nothing of it, all above, aliases between the edges of the crossover only', () => {
  const measured = [7000, 7200, 7600, 8000, 8400, 8800, 9500, 16000].map((frequency) => {
    const frames = openScaled('pass', () => 0)
    const samples = tone(frequency, RATE, RATE)
    const out = playFrames(frames, samples)
    frames.dispose()
    const inputDb = levelAt(samples, frequency, RATE)
    return {
      frequency,
      heardDb: levelAt(out, frequency, RATE) - inputDb,
      aliasDb: frequency > 8000 ? levelAt(out, 16000 - frequency, RATE) - inputDb : Number.NEGATIVE_INFINITY,
    }
  })
  for (const { frequency, heardDb, aliasDb } of measured) {
    if (frequency <= 7200) assert.ok(heardDb < -55, `${frequency} Hz: ${heardDb} dB`)
    if (frequency >= 8800) assert.ok(Math.abs(heardDb) < 0.01, `${frequency} Hz: ${heardDb} dB`)
    if (frequency === 8000) assert.ok(Math.abs(heardDb - -2.5) < 6, `${heardDb} dB`)
    if (frequency >= 8800) assert.ok(aliasDb < -80, `alias of ${frequency} Hz: ${aliasDb} dB`)
  }
})

test('follow: a change of the gain is heard above as below, within two hops', () => {
  const frames = openScaled('follow', (hop) => (hop < 125 ? 1 : 0.05))
  const samples = drawNoise(5, RATE)
  const out = playFrames(frames, samples)
  const change = 125 * HOP * (RATE / 16000) - LAG * (RATE / 16000)
  const rms = (from: number, to: number, of: Float32Array) =>
    Math.sqrt(of.subarray(from, to).reduce((s, x) => s + x * x, 0) / (to - from))
  const before = rms(change - 4000, change, out) / rms(change - 4000, change, samples)
  const after = rms(change + 10_000, RATE - 2000, out) / rms(change + 10_000, RATE - 2000, samples)
  assert.ok(Math.abs(before - 1) < 1e-3, `${before}`)
  assert.ok(Math.abs(after - 0.05) < 2e-3, `${after}`)
  frames.dispose()
})

test('in noise the high band goes with the rest; in speech it stays more than in noise', async () => {
  const rate = 48000
  const noise = drawNoise(9, 2 * rate, 0.05)
  using follow = await Denoiser.create({ sampleRate: rate })
  using pass = await Denoiser.create({ sampleRate: rate, highBand: 'pass' })
  const above = (samples: Float32Array) => levelAbove(samples.subarray(rate), rate)
  const [input, followed, passed] = [noise, play(follow, noise), play(pass, noise)].map(above)
  assert.ok(Math.abs(passed - input) < 0.1, `${passed} of ${input}`)
  assert.ok(followed < input - 12, `${followed} of ${input}`)
})

/** dB, mean over some frequencies above 9 kHz. */
function levelAbove(samples: Float32Array, rate: number): number {
  const levels = Array.from({ length: 40 }, (_, i) => 10 ** (levelAt(samples, 9500 + 300 * i, rate) / 10))
  return 10 * Math.log10(levels.reduce((sum, x) => sum + x, 0) / levels.length)
}

test('any chunks, the same bits; snapshots go on; a reset one is new; gaps leave it in step', async () => {
  for (const options of [
    { model: 'base', sampleRate: 48000, channels: 2 },
    { model: 'hq', sampleRate: 44100, highBand: 'pass' },
    { model: spectral, sampleRate: 24000, channels: 2, linked: true },
  ] as DenoiserOptions[]) {
    const random = seedRandom(1)
    using one = await Denoiser.create(options)
    using other = await Denoiser.create(options)
    const samples = drawNoise(7, 2 * Math.floor(0.3 * options.sampleRate!))
    const whole = play(one, samples)
    assert.is(whole.length, samples.length)
    assert.equal(
      play(one, samples, () => 700 * random()),
      whole,
    )
    for (let run = 0; run < 12; run++) {
      one.process(drawNoise(run, 2 * Math.floor(1500 * random())))
      if (run % 4 === 3) one.advance(1 + run)
      other.restore(one.snapshot())
      assert.equal(other.process(samples), one.process(samples))
      if (run % 4 === 1) one.reset()
    }
  }
})

test('after a gap, bypassed, the input comes out again to the bit', async () => {
  using denoiser = await Denoiser.create({ model: 'hq', sampleRate: 48000, strengthDb: 0 })
  for (const hops of [1, 2, 3, 100]) {
    denoiser.reset()
    const samples = drawNoise(hops, 48000)
    const before = denoiser.process(samples.subarray(0, 20_000))
    denoiser.advance(hops)
    const after = Float32Array.from([...denoiser.process(samples.subarray(20_000)), ...denoiser.flush()])
    assert.is(before.length + after.length, samples.length)
    assert.equal(before, samples.subarray(0, before.length))
    // beyond what the model held when the gap came
    assert.equal(after.subarray(-24_000), samples.subarray(-24_000))
  }
})

test.run()
