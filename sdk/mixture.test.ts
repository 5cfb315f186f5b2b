// What is heard beside the network's own result: strength that may change at any time, presets, comfort noise, and voice
// activity per hop; none of it allocates.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawSamples } from '../tests/golden/signal.ts'
import { drawNoise, measureGarbage, uncaughtDuring } from './fixture.ts'
import { Denoiser, type DenoiserOptions, PRESETS } from './index.ts'
import { decodeSamples } from './pcm.ts'
import { WavReader } from './wav.ts'

const RATE = 16000
const HOP = 128

function create(options: DenoiserOptions = {}): Promise<Denoiser> {
  return Denoiser.create({ model: 'lite', ...options })
}

async function play(samples: Float32Array, options: DenoiserOptions = {}): Promise<Float32Array> {
  using denoiser = await create(options)
  return Float32Array.of(...denoiser.process(samples), ...denoiser.flush())
}

function powerDb(samples: Float32Array): number {
  return 10 * Math.log10(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)
}

function difference(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value - b[i])
}

/** Largest second difference: a step or a kink sticks out of it, a fade does not. */
function roughness(samples: Float32Array): number {
  let most = 0
  for (let i = 2; i < samples.length; i++)
    most = Math.max(most, Math.abs(samples[i] - 2 * samples[i - 1] + samples[i - 2]))
  return most
}

test('strength swept over its whole range, and thrown about: no step', async () => {
  // a slow sine: its own second difference is tiny, so that nothing covers a click
  const tone = Float32Array.from({ length: 3 * RATE }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 60 * i) / RATE))
  const wet = await play(tone)
  const natural = Math.max(roughness(tone), roughness(wet))
  const schedules: Record<string, (hop: number) => number> = {
    sweep: (hop) => -60 * Math.abs(Math.sin(hop / 60)),
    'up and down': (hop) => (Math.floor(hop / 20) % 2 ? 0 : Number.NEGATIVE_INFINITY),
    'every hop': (hop) => (hop % 2 ? 0 : -40),
  }
  for (const [name, strengthDb] of Object.entries(schedules)) {
    using denoiser = await create()
    const parts: number[] = []
    for (let at = 0; at < tone.length; at += HOP) {
      denoiser.strengthDb = strengthDb(at / HOP)
      parts.push(...denoiser.process(tone.subarray(at, at + HOP)))
    }
    const out = Float32Array.from(parts)
    // a linear fade of one hop may bend by what it fades over, divided by its length, and no more
    const bend = (2 * Math.max(...difference(tone, wet).map(Math.abs))) / HOP
    assert.ok(roughness(out) < 3 * natural + bend, `${name}: ${roughness(out)} against ${natural} + ${bend}`)
    assert.ok(bend < 0.02, 'the test would hear a click of 0.02')
  }
})

test('presets are their options', async () => {
  const samples = drawSamples(RATE, 7, 0.2)
  assert.equal(await play(samples, { preset: 'gentle' }), await play(samples, { ...PRESETS.gentle }))
  assert.equal(await play(samples, { preset: 'full' }), await play(samples))
  const loud = { preset: 'gentle', strengthDb: -3 } as const
  assert.equal(await play(samples, loud), await play(samples, { strengthDb: -3 }))
  using denoiser = await create({ preset: 'natural' })
  assert.is(denoiser.strengthDb, PRESETS.natural.strengthDb)
  assert.is(denoiser.comfortNoiseDb, PRESETS.natural.comfortNoiseDb)
  using sibling = denoiser.sibling({ preset: 'gentle' })
  assert.is(sibling.strengthDb, -18)
  await create({ preset: 'rough' as never }).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, /^OPTION_INVALID: preset, rough; use one of full, gentle, natural/),
  )
})

test('gentle: nothing is attenuated by more than 18 dB', async () => {
  const samples = drawSamples(2 * RATE, 7, 0.2)
  const wet = await play(samples)
  const out = await play(samples, { preset: 'gentle' })
  const share = 10 ** (-18 / 20)
  for (let i = 0; i < out.length; i++)
    assert.ok(Math.abs(out[i] - (wet[i] + share * (samples[i] - wet[i]))) < 1e-6, `sample ${i}`)
})

test('comfort noise fills pauses to its level, and nothing else', async () => {
  const noise = drawSamples(4 * RATE, 7, 0.01)
  const muted = { strengthDb: Number.NEGATIVE_INFINITY }
  const plain = await play(noise, muted)
  const filled = await play(noise, { ...muted, comfortNoiseDb: -65 })
  const added = difference(filled, plain)
  const quiet: number[] = []
  for (let hop = 50; hop < noise.length / HOP - 1; hop++) {
    const part = (signal: Float32Array) => signal.subarray(hop * HOP, (hop + 1) * HOP)
    const before = powerDb(part(plain))
    if (before < -75) quiet.push(...part(filled))
    else if (before > -60) assert.ok(powerDb(part(added)) < -75, `hop ${hop} of ${before} dB was filled`)
  }
  assert.ok(quiet.length > 20 * HOP, `${quiet.length} quiet samples`)
  assert.ok(Math.abs(powerDb(Float32Array.from(quiet)) + 65) < 2, `${powerDb(Float32Array.from(quiet))} dB`)
})

test('comfort noise: silence stays silence, bypass stays the input, a stream repeats to the bit', async () => {
  const silence = new Float32Array(RATE)
  assert.ok((await play(silence, { comfortNoiseDb: -40 })).every((value) => Math.abs(value) < 1e-6))
  const samples = drawSamples(RATE, 7, 0.01)
  assert.equal(await play(samples, { strengthDb: 0, comfortNoiseDb: -40 }), samples)
  assert.equal(await play(samples, { preset: 'natural' }), await play(samples, { preset: 'natural' }))
  using denoiser = await create()
  for (const value of [0, -29, Number.NaN])
    assert.throws(() => {
      denoiser.comfortNoiseDb = value
    }, /^OPTION_INVALID: comfortNoiseDb/)
})

test('comfort noise changes without a step', async () => {
  const samples = drawSamples(2 * RATE, 7, 0.002)
  using denoiser = await create({ comfortNoiseDb: -60 })
  const parts: number[] = []
  for (let at = 0; at < samples.length; at += HOP) {
    denoiser.comfortNoiseDb = at % 2048 < 1024 ? Number.NEGATIVE_INFINITY : -60
    parts.push(...denoiser.process(samples.subarray(at, at + HOP)))
  }
  const out = Float32Array.from(parts)
  let step = 0
  for (let i = 1; i < out.length; i++) step = Math.max(step, Math.abs(out[i] - out[i - 1]))
  assert.ok(step < 0.004, `${step}`) // four times the level that was asked for
})

test('voice activity: high in speech, low in noise and silence, one value per hop and channel', async () => {
  const speech = readClip()
  const voices: [number, number][] = []
  using denoiser = await create({
    model: 'base',
    channels: 2,
    onVoice: (value, channel) => voices.push([value, channel]),
  })
  const hops = Math.floor(speech.length / HOP)
  const stereo = new Float32Array(2 * hops * HOP)
  for (let i = 0; i < hops * HOP; i++) stereo[2 * i] = speech[i] // the second channel is silent
  denoiser.process(stereo)
  assert.is(voices.length, 2 * hops)
  const first = voices.filter(([, channel]) => channel === 0).map(([value]) => value)
  assert.is(denoiser.voiceActivity, first.at(-1))
  assert.ok(voices.every(([value]) => value >= 0 && value <= 1))
  assert.ok(voices.filter(([, channel]) => channel === 1).every(([value]) => value < 0.01))
  const share = first.filter((value) => value > 0.5).length / first.length
  assert.ok(share > 0.2 && share < 0.95, `voice in ${(100 * share).toFixed(0)} % of the hops`)
})

test('a listener to voice that throws takes nothing from the stream, and is heard of', async () => {
  const noise = drawNoise(2, 20 * HOP + 7, 0.1)
  for (const options of [{}, { sampleRate: 48000 }]) {
    let calls = 0
    const onVoice = () => {
      if (++calls % 5 === 0) throw new Error(`of call ${calls}`)
    }
    const messages = await uncaughtDuring(async () => {
      assert.equal(await play(noise, { ...options, onVoice }), await play(noise, options))
    })
    assert.ok(calls >= 5)
    assert.equal(
      messages,
      Array.from({ length: Math.floor(calls / 5) }, (_, i) => `of call ${5 * (i + 1)}`),
    )
  }
})

test('voice activity in steady noise is low', async () => {
  const noise = drawNoise(1, 5 * RATE, 0.05)
  const values: number[] = []
  using denoiser = await create({ model: 'base', onVoice: (value) => values.push(value) })
  denoiser.process(noise)
  const late = values.slice(values.length / 2)
  assert.ok(
    late.filter((value) => value > 0.5).length < 0.1 * late.length,
    `${late.filter((value) => value > 0.5).length}`,
  )
})

test('neither strength nor comfort noise nor activity allocates', async () => {
  using denoiser = await create({ now: () => 0, strengthDb: -20, comfortNoiseDb: -60 })
  const chunk = drawSamples(HOP, 0, 0.01)
  const out = new Float32Array(2 * HOP)
  const least = measureGarbage(20_000, () => denoiser.processInto(chunk, out))
  assert.ok(least < 80_000, `${least} bytes`) // one number per hop would be 320,000
})

/** The bundled clip: speech in noise, 16 kHz. */
function readClip(): Float32Array {
  const reader = new WavReader()
  const bytes = reader.push(new Uint8Array(readFileSync(new URL('../examples/clip/noisy.wav', import.meta.url))))
  assert.is(reader.format!.sampleRate, RATE)
  const samples = new Float32Array(bytes.length / 2)
  decodeSamples('s16', bytes, samples)
  return samples
}

test.run()
