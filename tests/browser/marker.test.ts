// Nothing is lost on the way: a marker through the identity model, in real time beside a busy core, and offline at every
// rate and quantum. `npm run soak:worklet` listens for five minutes.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileIdentity } from './identity.ts'
import { runMarker } from './marker.ts'
import { openSite, type Site } from './site.ts'

const test = suite<{ site: Site }>('marker')

test.before(async (context) => {
  context.site = await openSite()
})
test.after(async ({ site }) => {
  await site.close()
})

test('44.1 and 48 kHz beside a busy core: no gap, no repeat, no loss', async ({ site: { page } }) => {
  const results = await runMarker(page, { seconds: 8, rates: [44100, 48000], channels: 2, busyWorkers: 1 })
  for (const result of results) {
    const { rate, frames, wrong, underruns } = result
    assert.ok(frames > 7 * rate, `${frames} frames at ${rate} Hz`)
    assert.is(wrong, 0, JSON.stringify(result))
    assert.is(underruns, 0)
  }
})

interface Setting {
  readonly rate: number
  readonly quantum: number
  readonly channels: number
  readonly model: number[]
}

interface Delay {
  readonly said: number
  /** Samples off by more than the filters explain, at that delay. */
  readonly wrong: number
  readonly underruns: number
}

test('any rate, any quantum, one channel or two: the latency that the node says', async ({ site: { page } }) => {
  for (const rate of [8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000]) {
    for (const [quantum, channels] of [
      [128, 1],
      [128, 2],
      [64, 1],
      [192, 1],
      [1000, 2],
    ]) {
      const { said, wrong, underruns } = await page.evaluate(measureDelay, {
        rate,
        quantum,
        channels,
        model: [...compileIdentity()],
      })
      const where = `${rate} Hz, quanta of ${quantum}, ${channels} channels`
      assert.ok(said >= 0 && said < 0.05 * rate + 2 * quantum, `${where}: ${said} samples`)
      assert.is(underruns, 0, where)
      assert.is(wrong, 0, where)
    }
  }
})

/** In the page: a tone that wanders, and which of the coming samples are not it. */
async function measureDelay({ rate, quantum, channels, model }: Setting): Promise<Delay> {
  const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
  const frames = rate
  const Context = OfflineAudioContext as unknown as new (options: object) => OfflineAudioContext
  const context = new Context({ numberOfChannels: channels, length: frames, sampleRate: rate, renderSizeHint: quantum })
  const markerAt = (n: number, c: number) => 0.5 * Math.sin((0.13 + 0.02 * c) * rate * Math.sin((2 * n) / rate))
  const buffer = context.createBuffer(channels, frames, rate)
  for (let c = 0; c < channels; c++) {
    const plane = buffer.getChannelData(c)
    for (let n = 0; n < frames; n++) plane[n] = markerAt(n, c)
  }
  const node = await createDenoiserNode(context, { model: Uint8Array.from(model), channels })
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(node).connect(context.destination)
  source.start()
  const said = node.latencySamples
  const rendered = await context.startRendering()
  let wrong = 0
  for (let c = 0; c < channels; c++) {
    const plane = rendered.getChannelData(c)
    for (let n = said + 200; n < frames; n++) if (Math.abs(plane[n] - markerAt(n - said, c)) > 0.004) wrong++
  }
  return { said, wrong, underruns: (await node.stats()).underruns }
}

test("a track's own streams: pieces of any length, another rate, the time of capture", async ({ site: { page } }) => {
  const found = await page.evaluate(streamMarker, [...compileIdentity()])
  assert.equal(found.wrong, [])
  assert.is(found.route, 'stream')
  assert.ok(found.compared > 0.95 * found.sent, `${found.compared} of ${found.sent} samples`)
})

declare const MediaStreamTrackGenerator: new (init: {
  kind: string
}) => MediaStreamTrack & { writable: WritableStream<AudioData> }
declare const MediaStreamTrackProcessor: new (init: {
  track: MediaStreamTrack
}) => { readable: ReadableStream<AudioData> }

/** In the page: sample n that comes out is sample n - latency that went in, and says when that was. */
async function streamMarker(model: number[]) {
  const { denoiseTrack } = await import('attenuate-edge/worklet' as string)
  const source = new MediaStreamTrackGenerator({ kind: 'audio' })
  const clean = await denoiseTrack(source, { model: Uint8Array.from(model), route: 'stream', channels: 1 })
  const writer = source.writable.getWriter()
  const reader = new MediaStreamTrackProcessor({ track: clean }).readable.getReader()
  const markerAt = (seconds: number) => 0.5 * Math.sin(6000 * seconds + 900 * Math.sin(2 * seconds))
  const result = { route: clean.denoiser.route, sent: 0, compared: 0, wrong: [] as string[] }
  let seconds = 0
  for (const rate of [48000, 44100, 16000]) {
    const begin = seconds
    for (let piece = 0; piece < 150; piece++) {
      const numberOfFrames = piece % 7 === 0 ? 77 : rate / 100
      const data = Float32Array.from({ length: numberOfFrames }, (_, i) => markerAt(seconds + i / rate))
      const timestamp = Math.round(1e6 * seconds)
      const given = {
        format: 'f32-planar',
        sampleRate: rate,
        numberOfFrames,
        numberOfChannels: 1,
        timestamp,
        data,
      } as const
      await writer.write(new AudioData(given))
      seconds += numberOfFrames / rate
      const { value } = await reader.read()
      if (value === undefined) throw new Error('the clean track ended')
      const plane = new Float32Array(value.numberOfFrames)
      value.copyTo(plane, { planeIndex: 0, format: 'f32-planar' })
      const latencySamples = Math.round((clean.denoiser.latencyMs * rate) / 1000)
      const from = seconds - numberOfFrames / rate - latencySamples / rate
      // Chromium blurs timestamps by some tenths of a millisecond
      if (Math.abs(value.timestamp / 1e6 - from) > 1e-3)
        result.wrong.push(`timestamp ${value.timestamp}, not ${from} s`)
      value.close()
      result.sent += numberOfFrames
      for (let i = 0; i < plane.length; i++) {
        const at = from + i / rate
        if (at < begin + 0.006) continue // silence, and filters fill
        result.compared++
        const off = Math.abs(plane[i] - markerAt(at))
        if (off > 0.004) result.wrong.push(`${rate} Hz, ${at} s: off by ${off}`)
      }
      if (result.wrong.length > 5) return result
    }
  }
  clean.stop()
  await writer.close().catch(() => {})
  return result
}

test.run()
