// The worklet in real Chromium: the same bits as in Node, the latency it says, bypass and strength, an end that frees, errors
// that reach the caller. Runs the built package (dist/).

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser } from '../../sdk/index.ts'
import { drawSamples } from '../golden/signal.ts'
import { openSite, type Site } from './site.ts'

const test = suite<{ site: Site }>('worklet')

test.before(async (context) => {
  context.site = await openSite()
})
test.after(async ({ site }) => {
  await site.close()
})

/** The clip of the package, 16 kHz. */
function readClip(): Float32Array {
  const bytes = readFileSync(fileURLToPath(new URL('../../examples/clip/noisy.wav', import.meta.url)))
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + (bytes.length & ~1)))
  return Float32Array.from(samples, (sample) => sample / 32768)
}

interface Run {
  readonly rate: number
  readonly channels: number
  /** Interleaved. */
  readonly samples: number[]
  readonly options: object
  readonly bypass?: number
}

interface Result {
  readonly latencySamples: number
  readonly out: number[][]
  readonly stats: { quanta: number; underruns: number; hops: number }
}

/** Through a node in an OfflineAudioContext; every channel from the first sample on. */
function render({ page }: Site, run: Run): Promise<Result> {
  return page.evaluate(async ({ rate, channels, samples, options, bypass }) => {
    const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
    const frames = samples.length / channels
    const context = new OfflineAudioContext(channels, frames, rate)
    const buffer = context.createBuffer(channels, frames, rate)
    for (let c = 0; c < channels; c++)
      buffer.copyToChannel(
        Float32Array.from({ length: frames }, (_, i) => samples[i * channels + c]),
        c,
      )
    const node = await createDenoiserNode(context, { channels, ...options })
    if (bypass !== undefined) node.bypass.value = bypass
    const source = new AudioBufferSourceNode(context, { buffer })
    source.connect(node).connect(context.destination)
    source.start()
    const rendered = await context.startRendering()
    const out = Array.from({ length: channels }, (_, c) => [...rendered.getChannelData(c)])
    return { latencySamples: node.latencySamples, out, stats: await node.stats() }
  }, run)
}

test('16 kHz: the bits that Node gives', async ({ site }) => {
  const samples = readClip().subarray(0, 40_000)
  for (const model of ['base', 'lite', 'hq']) {
    using denoiser = await Denoiser.create({ model })
    const expected = denoiser.process(samples)
    const { out, latencySamples, stats } = await render(site, {
      rate: 16000,
      channels: 1,
      samples: [...samples],
      options: { model },
    })
    const found = Float32Array.from(out[0].slice(latencySamples)).subarray(0, expected.length)
    assert.is(stats.underruns, 0)
    assert.ok(found.length > 39_000)
    assert.ok(out[0].slice(0, latencySamples).every((x) => x === 0))
    assert.equal(found, expected.subarray(0, found.length), model)
    // a hop but for the quantum that an audio graph waits anyway; one more where a hop is spread over two
    const spread = model === 'hq' ? 128 : 0
    assert.is(latencySamples, denoiser.latencySamples - 128 + spread, model)
  }
})

test('44.1 and 48 kHz: the bits that Node gives, later by what the node says', async ({ site }) => {
  for (const rate of [44100, 48000]) {
    const samples = drawSamples(rate, 5, 0.1)
    using denoiser = await Denoiser.create({ model: 'base', sampleRate: rate })
    const expected = denoiser.process(samples)
    for (const spreadQuanta of [1, 2, 16]) {
      const run = { rate, channels: 1, samples: [...samples], options: { spreadQuanta } }
      const { out, latencySamples, stats } = await render(site, run)
      const found = Float32Array.from(out[0].slice(latencySamples)).subarray(0, expected.length)
      assert.is(stats.underruns, 0)
      assert.equal(found, expected.subarray(0, found.length), `${rate} Hz, ${spreadQuanta} quanta`)
      // a hop is 2.8 and 3 quanta
      const quanta = Math.min(spreadQuanta, rate === 48000 ? 3 : 2)
      assert.ok(latencySamples <= denoiser.latencySamples + (quanta - 1) * 128)
    }
  }
})

test('stereo: each channel for itself', async ({ site }) => {
  const [left, right] = [drawSamples(16_000, 1, 0.1), drawSamples(16_000, 2, 0.1)]
  const samples = Array.from({ length: 32_000 }, (_, i) => (i % 2 === 0 ? left : right)[i >> 1])
  const { out, latencySamples } = await render(site, { rate: 16000, channels: 2, samples, options: { model: 'lite' } })
  for (const [c, channel] of [left, right].entries()) {
    using denoiser = await Denoiser.create({ model: 'lite' })
    const found = Float32Array.from(out[c].slice(latencySamples))
    assert.equal(found, denoiser.process(channel).subarray(0, found.length))
  }
})

test('linked channels and the high band: the bits that Node gives', async ({ site }) => {
  const samples = [...drawSamples(48_000, 4, 0.1)]
  for (const options of [
    { model: 'lite', linked: true },
    { model: 'lite', linked: true, highBand: 'pass' },
    { model: 'lite', highBand: 'drop' },
    { model: 'lite', phase: 'minimum' },
  ] as const) {
    const { out, latencySamples } = await render(site, { rate: 48000, channels: 2, samples, options })
    using denoiser = await Denoiser.create({ ...options, sampleRate: 48000, channels: 2 })
    const expected = denoiser.process(Float32Array.from(samples))
    for (const [c, plane] of out.entries()) {
      const found = Float32Array.from(plane.slice(latencySamples))
      assert.equal(found, expected.filter((_, i) => i % 2 === c).subarray(0, found.length))
    }
  }
})

test('bypass: the input, as late as the output', async ({ site }) => {
  const samples = drawSamples(16_000, 3, 0.2)
  const { out, latencySamples } = await render(site, {
    rate: 16000,
    channels: 1,
    samples: [...samples],
    options: { model: 'base' },
    bypass: 1,
  })
  const found = Float32Array.from(out[0].slice(latencySamples + 1000))
  assert.equal(found, samples.subarray(1000, 1000 + found.length))
})

test('whoever waits for a node whose context is closed hears of its end', async ({ site }) => {
  const messages = await site.page.evaluate(async () => {
    const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
    const context = new AudioContext()
    const node = await createDenoiserNode(context, { model: 'lite' })
    await context.close()
    const waiting: Promise<unknown>[] = [node.stats(), node.reset()]
    const heard = waiting.map((answer) => answer.then(String, (error: Error) => error.message))
    await node.close()
    const late = new Promise<string>((resolve) => setTimeout(resolve, 1000, 'nothing'))
    return Promise.all(heard.map((message) => Promise.race([message, late])))
  })
  for (const message of messages) assert.match(message, /^DISPOSED: node, closed/)
})

test('errors reach the caller', async ({ site }) => {
  const messages = await site.page.evaluate(async () => {
    const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
    const context = new OfflineAudioContext(1, 1000, 16000)
    const failure = (options: object, on: BaseAudioContext = context) =>
      createDenoiserNode(on, options).then(
        () => 'no error',
        (error: Error) => `${error.name} ${error.message}`,
      )
    return [
      await failure({ model: new Uint8Array(100) }),
      await failure({ model: 'absent.ssm' }),
      await failure({ processorUrl: '/absent.js' }),
      await failure({ channels: 9 }),
      await failure({ spreadQuanta: 0.5 }),
      await failure({ strengthDb: 3 }),
      await failure({ signal: AbortSignal.abort() }),
    ]
  })
  for (const [i, expected] of [
    /^AttenuateError MODEL_/,
    /^AttenuateError LOAD_FAILED: HTTP status 404, .*absent\.ssm/,
    /^AttenuateError LOAD_FAILED: the processor's file cannot be added .*absent\.js/,
    /CHANNELS_UNSUPPORTED: channels, 9/,
    /OPTION_INVALID: spreadQuanta, 0.5; use 1..16/,
    /OPTION_INVALID: strengthDb, 3/,
    /^AbortError/,
  ].entries())
    assert.match(messages[i], expected)
})

test.run()
