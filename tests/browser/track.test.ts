// A microphone's track through `denoiseTrack` in real Chromium, by either route: noise goes, speech stays, bypass changes
// nothing; it lives through mute and another microphone and frees what it held; it goes over an RTCPeerConnection.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readWav } from '../../bench/quality/wav.ts'
import { type Microphone, makeMicrophone, recordTracks } from './microphone.ts'
import { openSite, type Site } from './site.ts'

const RATE = 16_000
/** The clip begins with noise alone. */
const LEAD_SAMPLES = 0.6 * RATE
const CLIP = fileURLToPath(new URL('../../examples/clip/noisy.wav', import.meta.url))

const test = suite<{ site: Site; microphone: Microphone }>('track')

test.before(async (context) => {
  context.microphone = makeMicrophone(makeTalk(), RATE)
  context.site = await openSite(context.microphone.args)
})
test.after(async ({ site, microphone }) => {
  await site.close()
  microphone.remove()
})

/** 3 s of noise alone (the clip's, forwards and backwards by turns), then 5 s of the clip: speech in the same noise. */
function makeTalk(): Float32Array {
  const { samples } = readWav(readFileSync(CLIP))
  const lead = samples.subarray(0, LEAD_SAMPLES)
  const talk = new Float32Array(8 * RATE)
  for (let i = 0; i < 3 * RATE; i++) {
    const turn = Math.floor(i / lead.length)
    const at = i % lead.length
    talk[i] = lead[turn % 2 === 0 ? at : lead.length - 1 - at]
  }
  talk.set(samples.subarray(LEAD_SAMPLES, LEAD_SAMPLES + 5 * RATE), 3 * RATE)
  return talk
}

/** The microphone as it is, without the browser's own processing, and clean tracks of it, in `globalThis.tracks`. */
async function open(page: Page, variants: Readonly<Record<string, Variant>>): Promise<Record<string, Opened>> {
  return page.evaluate(async (variants) => {
    const { denoiseTrack } = await import('attenuate-edge/worklet' as string)
    const audio = { noiseSuppression: false, autoGainControl: false, echoCancellation: false, channelCount: 1 }
    const [noisy] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks()
    const tracks: Record<string, MediaStreamTrack> = { noisy }
    const opened: Record<string, Opened> = {}
    for (const [name, { options, bypass }] of Object.entries(variants)) {
      const clean = await denoiseTrack(noisy, options)
      clean.denoiser.bypass = bypass === true
      tracks[name] = clean
      const { route, latencyMs } = clean.denoiser
      opened[name] = { isLike: clean.label === noisy.label, route, latencyMs }
    }
    Object.assign(globalThis, { tracks })
    return opened
  }, variants)
}

interface Variant {
  readonly options: object
  readonly bypass?: boolean
}

interface Opened {
  /** Speaks for its source. */
  readonly isLike: boolean
  readonly route: string
  readonly latencyMs: number
}

function stop(page: Page): Promise<void> {
  return page.evaluate(() => {
    const { tracks } = globalThis as unknown as { tracks: Record<string, MediaStreamTrack> }
    for (const track of Object.values(tracks)) track.stop()
  })
}

test('noise alone goes, speech stays, bypass changes nothing', async ({ site: { page } }) => {
  const variants = Object.fromEntries(
    ['worklet', 'stream'].flatMap((route) => [
      [route, { options: { route } }],
      [`${route} bypassed`, { options: { route }, bypass: true }],
    ]),
  )
  const opened = await open(page, variants)
  const names = Object.keys(variants)
  const [noisy, ...results] = await recordTracks(page, ['noisy', ...names], 10, RATE)
  await stop(page)
  for (const [i, name] of names.entries()) {
    const { isLike, route, latencyMs } = opened[name]
    assert.ok(isLike)
    assert.ok(name.startsWith(route))
    assert.ok(latencyMs > 10 && latencyMs < 40, `${latencyMs} ms`)
    const { noiseDb, speechDb, likeness, delayMs } = compare(noisy, results[i])
    if (process.env.VERBOSE) console.log(name, { latencyMs, noiseDb, speechDb, likeness, delayMs })
    const expectDb = (value: number, least: number, most: number) =>
      assert.ok(value >= least && value <= most, `${name}: ${value} dB, expected ${least} to ${most}`)
    expectDb(noiseDb, ...((name === route ? [-90, -10] : [-1, 1]) as [number, number]))
    expectDb(speechDb, ...((name === route ? [-4, 1] : [-1, 1]) as [number, number]))
    assert.ok(name !== route || likeness > 0.8, `${name}: speech correlates by ${likeness}`)
  }
})

const FRAME = 320

interface Change {
  /** Level of the second against the first, where there is noise alone. */
  readonly noiseDb: number
  /** The same where speech stands out of the noise. */
  readonly speechDb: number
  /** Correlation where speech stands out. */
  readonly likeness: number
  /** By how much the second comes later. */
  readonly delayMs: number
}

/** What became of a sound. The first second is left out: ways fill. */
function compare(before: Float32Array, after: Float32Array): Change {
  const delay = delayBetween(before, after)
  const at = (i: number) => [before.subarray(i, i + FRAME), after.subarray(i + delay, i + delay + FRAME)]
  const starts = Array.from({ length: Math.floor((before.length - 2 * RATE) / FRAME) }, (_, i) => RATE + i * FRAME)
  const levels = starts.map((i) => 10 * Math.log10(power(at(i)[0]) + 1e-12))
  const calmDb = [...levels].sort((a, b) => a - b)[Math.floor(0.3 * levels.length)]
  const calm = starts.filter((_, i) => isCalm(levels, i, calmDb))
  const loud = starts.filter((_, i) => levels[i] > calmDb + 8)
  const sum = (frames: number[], of: (a: Float32Array, b: Float32Array) => number) =>
    frames.reduce((total, i) => total + of(...(at(i) as [Float32Array, Float32Array])), 0)
  const change = (frames: number[]) => 10 * Math.log10(sum(frames, (_, b) => power(b)) / sum(frames, power))
  const energies = sum(loud, power) * sum(loud, (_, b) => power(b))
  return {
    noiseDb: change(calm),
    speechDb: change(loud),
    likeness: sum(loud, product) / Math.sqrt(energies),
    delayMs: (1000 * delay) / RATE,
  }
}

/** A second of nothing louder on either side: between the talks. */
function isCalm(levels: readonly number[], i: number, calmDb: number): boolean {
  const near = levels.slice(Math.max(0, i - 25), i + 25)
  return near.every((level) => level < calmDb + 5)
}

function delayBetween(a: Float32Array, b: Float32Array): number {
  let best = { delay: 0, value: Number.NEGATIVE_INFINITY }
  for (let delay = 0; delay < 0.2 * RATE; delay++) {
    const value = product(a.subarray(RATE, 5 * RATE), b.subarray(RATE + delay, 5 * RATE + delay))
    if (value > best.value) best = { delay, value }
  }
  return best.delay
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum / a.length
}

function power(a: Float32Array): number {
  return product(a, a)
}

test.run()
