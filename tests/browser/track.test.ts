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

declare const MediaStreamTrackGenerator: new (init: { kind: string }) => MediaStreamTrack

test.before(async (context) => {
  context.microphone = makeMicrophone(makeTalk(), RATE)
  context.site = await openSite(context.microphone.args)
})
test.after(async ({ site, microphone }) => {
  await site.close()
  microphone.remove()
})

/** 2 s of noise alone (the clip's, forwards and backwards by turns), then 3 s of the clip: speech in the same noise. */
function makeTalk(): Float32Array {
  const { samples } = readWav(readFileSync(CLIP))
  const lead = samples.subarray(0, LEAD_SAMPLES)
  const talk = new Float32Array(5 * RATE)
  for (let i = 0; i < 2 * RATE; i++) {
    const turn = Math.floor(i / lead.length)
    const at = i % lead.length
    talk[i] = lead[turn % 2 === 0 ? at : lead.length - 1 - at]
  }
  talk.set(samples.subarray(LEAD_SAMPLES, LEAD_SAMPLES + 3 * RATE), 2 * RATE)
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
  const variants: Record<string, Variant> = Object.fromEntries(
    ['worklet', 'stream'].flatMap((route) => [
      [route, { options: { route } }],
      [`${route} bypassed`, { options: { route }, bypass: true }],
    ]),
  )
  const opened = await open(page, variants)
  const names = Object.keys(variants)
  const record = async () => {
    const [noisy, ...results] = await recordTracks(page, ['noisy', ...names], 7, RATE)
    return results.map((result) => compare(noisy, result))
  }
  let changes = await record()
  // what is bypassed tells whether the machine kept up: where its sound is in pieces, nothing can be said of the rest
  for (let i = 0; i < 4 && changes.some(({ likeness }, i) => variants[names[i]].bypass && likeness < 0.97); i++)
    changes = await record()
  await stop(page)
  for (const [i, name] of names.entries()) {
    const { isLike, route, latencyMs } = opened[name]
    assert.ok(isLike)
    assert.ok(name.startsWith(route))
    assert.ok(latencyMs > 10 && latencyMs < 40, `${latencyMs} ms`)
    const { noiseDb, speechDb, likeness, delaysMs } = changes[i]
    if (process.env.VERBOSE) console.log(name, { latencyMs, noiseDb, speechDb, likeness, delaysMs })
    const expectDb = (value: number, least: number, most: number) =>
      assert.ok(value >= least && value <= most, `${name}: ${value} dB, expected ${least} to ${most}`)
    expectDb(noiseDb, ...((name === route ? [-90, -10] : [-1, 1]) as [number, number]))
    expectDb(speechDb, ...((name === route ? [-4, 1] : [-1, 1]) as [number, number]))
    assert.ok(name !== route || likeness > 0.8, `${name}: speech correlates by ${likeness}`)
  }
})

test('mute, another microphone of another rate, clones, the end', async ({ site: { page } }) => {
  for (const route of ['worklet', 'stream']) {
    const found = await page.evaluate(async (route) => {
      const { denoiseTrack } = await import('attenuate-edge/worklet' as string)
      const context = new AudioContext({ sampleRate: 16000 })
      const hum = () => {
        const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 })
        const source = new OscillatorNode(context, { frequency: 300 })
        source.connect(destination)
        source.start()
        return destination.stream.getAudioTracks()[0]
      }
      const first = hum()
      const clean = await denoiseTrack(first, { route, model: 'lite', channels: 1, stopsSource: true })
      const heard: string[] = []
      for (const name of ['mute', 'unmute', 'ended']) clean.addEventListener(name, () => heard.push(name))
      const samplesIn = async () => (await clean.denoiser.stats()).samplesIn as number
      /** Have samples come in again, however long it takes? */
      const flows = async () => {
        const before = await samplesIn()
        while ((await samplesIn()) < before + 3000) await new Promise((resolve) => setTimeout(resolve, 20))
        return true
      }
      const flowed = [await flows()]
      first.dispatchEvent(new Event('mute'))
      first.dispatchEvent(new Event('unmute'))
      const [microphone] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()
      clean.denoiser.replaceSource(microphone)
      flowed.push(await flows())
      const label =
        clean.label === microphone.label && clean.getSettings().deviceId === microphone.getSettings().deviceId
      const clone = clean.clone()
      clean.stop()
      flowed.push(await flows())
      const states = [clean.readyState, clone.readyState, first.readyState, microphone.readyState]
      clone.stop()
      await clone.denoiser.close()
      states.push(clone.readyState, microphone.readyState)
      const after = await clean.denoiser.reset().then(String, (error: Error) => error.message)
      const replaced = await Promise.resolve()
        .then(() => clean.denoiser.replaceSource(hum()))
        .then(String, (error: Error) => error.message)
      await context.close()
      return { flowed, heard, label, states, after, replaced }
    }, route)
    assert.equal(found.flowed, [true, true, true])
    assert.equal(found.heard, ['mute', 'unmute'], 'stop() tells nobody, as with any track')
    assert.ok(found.label, 'speaks for the new microphone')
    assert.equal(found.states, ['ended', 'live', 'ended', 'live', 'ended', 'ended'])
    assert.match(found.after, /DISPOSED/)
    assert.match(found.replaced, /DISPOSED: replaceSource/)
  }
})

test('a source that ends by itself: the next one, or the end', async ({ site: { page } }) => {
  const found = await page.evaluate(async () => {
    const { denoiseTrack } = await import('attenuate-edge/worklet' as string)
    const open = async () => (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0]
    const unplug = (track: MediaStreamTrack) => {
      track.stop()
      track.dispatchEvent(new Event('ended')) // as a device does that goes
    }
    const [first, second] = [await open(), await open()]
    const spare = [second]
    const clean = await denoiseTrack(first, { model: 'lite', onSourceEnded: async () => spare.pop() })
    const ended = new Promise((resolve) => clean.addEventListener('ended', resolve))
    unplug(first)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const states = [clean.readyState, clean.denoiser.source === second]
    unplug(second)
    await ended
    const late = await denoiseTrack(second).then(String, (error: Error) => error.message)
    const video = new MediaStreamTrackGenerator({ kind: 'video' })
    const wrong = await denoiseTrack(video).then(String, (error: Error) => error.message)
    return { states: [...states, clean.readyState], late, wrong }
  })
  assert.equal(found.states, ['live', true, 'ended'])
  assert.match(found.late, /^OPTION_INVALID: state of track, ended/)
  assert.match(found.wrong, /^OPTION_INVALID: kind of track, video/)
})

test('no next source, as asking for it failed; one that comes too late', async ({ site: { page } }) => {
  const found = await page.evaluate(async () => {
    const { denoiseTrack } = await import('attenuate-edge/worklet' as string)
    const open = async () => (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0]
    const unplug = (track: MediaStreamTrack) => {
      track.stop()
      track.dispatchEvent(new Event('ended'))
    }
    const reported: string[] = []
    const hear = (event: ErrorEvent) => {
      event.preventDefault()
      reported.push(event.message)
    }
    addEventListener('error', hear)
    const failures = [() => Promise.reject(new Error('no microphone')), (ended: MediaStreamTrack) => ended]
    for (const give of failures) {
      const first = await open()
      const clean = await denoiseTrack(first, { model: 'lite', onSourceEnded: () => give(first) })
      const ended = new Promise((resolve) => clean.addEventListener('ended', resolve))
      unplug(first)
      await ended
    }
    removeEventListener('error', hear)
    const late: string[] = []
    for (const stopsSource of [true, false]) {
      const [first, second] = [await open(), await open()]
      let give = (_: MediaStreamTrack) => {}
      const onSourceEnded = () => new Promise<MediaStreamTrack>((resolve) => (give = resolve))
      const clean = await denoiseTrack(first, { model: 'lite', stopsSource, onSourceEnded })
      unplug(first)
      clean.stop()
      give(second)
      await new Promise((resolve) => setTimeout(resolve))
      late.push(second.readyState)
      second.stop()
    }
    return { reported, late }
  })
  assert.is(found.reported.length, 2)
  assert.match(found.reported[0], /no microphone/)
  assert.match(found.reported[1], /OPTION_INVALID: state of track, ended/)
  assert.equal(found.late, ['ended', 'live'])
})

test("LiveKit's shape: init, another microphone, destroy", async ({ site: { page } }) => {
  const found = await page.evaluate(async () => {
    const { LiveKitDenoiser } = await import('attenuate-edge/worklet' as string)
    const audioContext = new AudioContext()
    const open = async () => (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0]
    const processor = new LiveKitDenoiser({ model: 'lite' })
    await processor.init({ kind: 'audio', track: await open(), audioContext })
    const first = processor.processedTrack
    const other = await open()
    await processor.restart({ kind: 'audio', track: other, audioContext })
    const kept = [processor.processedTrack === first, processor.denoiser.source === other, first.readyState]
    await processor.destroy()
    const after = [processor.processedTrack, first.readyState, other.readyState, audioContext.state]
    await processor.init({ track: other, audioContext })
    after.push(processor.processedTrack.readyState)
    await processor.destroy()
    await audioContext.close()
    return { kept, after, name: processor.name }
  })
  assert.equal(found.kept, [true, true, 'live'])
  assert.equal(found.after, [undefined, 'ended', 'live', 'running', 'live'])
  assert.is(found.name, 'attenuate-edge')
})

test('RTCPeerConnection: replaceTrack, and sound arrives', async ({ site: { page } }) => {
  const { before, after } = await page.evaluate(async () => {
    const { denoiseTrack } = await import('attenuate-edge/worklet' as string)
    const audio = { noiseSuppression: false, autoGainControl: false, echoCancellation: false }
    const [microphone] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks()
    const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()]
    here.onicecandidate = ({ candidate }) => candidate && there.addIceCandidate(candidate)
    there.onicecandidate = ({ candidate }) => candidate && here.addIceCandidate(candidate)
    const sender = here.addTrack(microphone)
    const arriving = new Promise<MediaStreamTrack>((resolve) => {
      there.ontrack = ({ track }) => resolve(track)
    })
    await here.setLocalDescription(await here.createOffer())
    await there.setRemoteDescription(here.localDescription!)
    await there.setLocalDescription(await there.createAnswer())
    await here.setRemoteDescription(there.localDescription!)
    const far = await arriving
    const player = new Audio() // without one Chromium decodes nothing
    player.srcObject = new MediaStream([far])
    await player.play()
    const energyOver = async (seconds: number) => {
      const read = async () => {
        for (const report of (await there.getStats()).values())
          if (report.type === 'inbound-rtp')
            return { energy: report.totalAudioEnergy as number, seconds: report.totalSamplesDuration as number }
        return { energy: 0, seconds: 0 }
      }
      const begin = await read()
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        const now = await read()
        if (now.seconds - begin.seconds >= seconds) return now.energy - begin.energy
      }
    }
    const before = await energyOver(5) // a whole round of the talk
    const clean = await denoiseTrack(microphone, { strengthDb: -40 })
    await sender.replaceTrack(clean)
    const after = await energyOver(5)
    clean.stop()
    microphone.stop()
    here.close()
    there.close()
    return { before, after }
  })
  assert.ok(before > 0, 'the microphone arrives')
  assert.ok(after > 0.1 * before, `the clean track arrives: energy ${after} of ${before}`)
})

const FRAME = 320
/** Samples over which the delay is taken as constant. */
const BLOCK = 0.5 * RATE
/** What Chromium's queues may hold. */
const MOST_DELAY = 0.6 * RATE

interface Change {
  /** Level of the second against the first, where there is noise alone. */
  readonly noiseDb: number
  /** The same where speech stands out of the noise. */
  readonly speechDb: number
  /** Correlation where speech stands out. */
  readonly likeness: number
  /** By how much the second comes later, second by second. */
  readonly delaysMs: readonly number[]
}

/**
 * What became of a sound, frame by frame; of all frames the middle one, as a busy machine lets the recorder miss some. The
 * first second is left out: ways fill.
 */
function compare(before: Float32Array, after: Float32Array): Change {
  const starts = Array.from({ length: Math.floor((before.length - 2 * RATE) / FRAME) }, (_, i) => RATE + i * FRAME)
  const delays = delaysBetween(before, after)
  const at = (i: number): [Float32Array, Float32Array] => {
    const delay = delays[Math.floor(i / BLOCK)]
    return [before.subarray(i, i + FRAME), after.subarray(i + delay, i + delay + FRAME)]
  }
  const levels = starts.map((i) => 10 * Math.log10(power(at(i)[0]) + 1e-12))
  const calmDb = [...levels].sort((a, b) => a - b)[Math.floor(0.3 * levels.length)]
  const calm = starts.filter((_, i) => isCalm(levels, i, calmDb))
  const loud = starts.filter((_, i) => levels[i] > calmDb + 8)
  const median = (frames: number[], of: (a: Float32Array, b: Float32Array) => number) => {
    const values = frames.map((i) => of(...at(i))).sort((a, b) => a - b)
    return values[values.length >> 1]
  }
  const changeDb = (a: Float32Array, b: Float32Array) => 10 * Math.log10((power(b) + 1e-12) / (power(a) + 1e-12))
  return {
    noiseDb: median(calm, changeDb),
    speechDb: median(loud, changeDb),
    likeness: median(loud, (a, b) => product(a, b) / Math.sqrt(power(a) * power(b) + 1e-24)),
    delaysMs: delays.map((delay) => (1000 * delay) / RATE),
  }
}

/** A second of nothing louder on either side: between the talks. */
function isCalm(levels: readonly number[], i: number, calmDb: number): boolean {
  const near = levels.slice(Math.max(0, i - 25), i + 25)
  return near.every((level) => level < calmDb + 5)
}

/** Of each block: between two clocks Chromium's own queues let the delay jump on a busy machine. */
function delaysBetween(a: Float32Array, b: Float32Array): number[] {
  return Array.from({ length: Math.floor(a.length / BLOCK) }, (_, block) => {
    const from = block * BLOCK
    let best = { delay: 0, value: Number.NEGATIVE_INFINITY }
    for (let delay = 0; delay < MOST_DELAY; delay++) {
      const value = product(a.subarray(from, from + BLOCK), b.subarray(from + delay, from + BLOCK + delay))
      if (value > best.value) best = { delay, value }
    }
    return best.delay
  })
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < b.length; i++) sum += a[i] * b[i]
  return sum / a.length
}

function power(a: Float32Array): number {
  return product(a, a)
}

test.run()
