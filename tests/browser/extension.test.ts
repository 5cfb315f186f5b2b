// The extension in real Chromium, loaded unpacked, with a noisy file as microphone: pages that know nothing of it get a clean
// track, strict ones too; off, they get what the microphone gives. Levels are measured where the file holds noise alone and
// where it holds speech, against a Chromium without the extension.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { strFromU8, unzipSync } from 'fflate'
import { type BrowserContext, chromium, type Page, type Worker } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildExtension, zipExtension } from '../../examples/extension/build.mjs'
import { Denoiser } from '../../sdk/index.ts'
import { serveCallers } from './callers.ts'
import { findChromium } from './site.ts'

const CLIP = fileURLToPath(new URL('../../examples/clip/noisy.wav', import.meta.url))
const RATE = 16000
/** Of the clip: noise alone, in seconds. */
const NOISE = [0.05, 0.65] as const
/** Frames of the clip this far below its loudest are no speech. */
const SPEECH_DB = -8
const FRAME = 160
/** Of the clip, so that every place of it is heard once. */
const SECONDS = 8
/** Until the delay of a strict page has grown to what this machine asks for. */
const SETTLE_MS = 3000
const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }

interface Bench {
  readonly folder: string
  readonly server: Server
  readonly origin: string
  /** With the extension, and without. */
  readonly browser: BrowserContext
  readonly bare: BrowserContext
  readonly background: Worker
}

const test = suite<Bench>('extension')

test.before(async (bench) => {
  const folder = mkdtempSync(join(tmpdir(), 'extension-'))
  const unpacked = await buildExtension(join(folder, 'unpacked'))
  const browser = await start(join(folder, 'profile'), [
    `--load-extension=${unpacked}`,
    `--disable-extensions-except=${unpacked}`,
  ])
  const background = browser.serviceWorkers()[0] ?? (await browser.waitForEvent('serviceworker'))
  const bare = await start(join(folder, 'bare'), [])
  Object.assign(bench, { folder, browser, bare, background, ...(await serveCallers()) })
})

test.after(async ({ browser, bare, server, folder }) => {
  await Promise.all([browser.close(), bare.close()])
  server.close()
  rmSync(folder, { recursive: true })
})

function start(profile: string, args: readonly string[]): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    headless: false, // the old headless mode has no extensions
    ignoreDefaultArgs: ['--disable-extensions'],
    args: [
      '--headless=new',
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${CLIP}`,
      ...args,
    ],
  })
}

async function call(browser: BrowserContext, address: string, constraints: object = { audio: RAW }): Promise<Page> {
  const page = await browser.newPage()
  await page.addInitScript('globalThis.__name = (f) => f') // what tsx puts into functions that are sent to the page
  page.on('pageerror', (error) => console.error(`page: ${error.message}`))
  await page.goto(address)
  await page.evaluate(`open(${JSON.stringify(constraints)})`)
  return page
}

async function record(page: Page, stream = 'streams[0]', seconds = SECONDS): Promise<Float32Array> {
  const bytes = Uint8Array.from(Buffer.from(await page.evaluate<string>(`record(${stream}, ${seconds})`), 'base64'))
  return new Float32Array(bytes.buffer)
}

function readClip(): Float32Array {
  const bytes = readFileSync(CLIP)
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + (bytes.length & ~1)))
  return Float32Array.from(samples, (sample) => sample / 32768)
}

/** RMS of each frame of 10 ms. */
function envelope(samples: Float32Array): Float64Array {
  return Float64Array.from({ length: Math.floor(samples.length / FRAME) }, (_, i) => {
    const frame = samples.subarray(i * FRAME, (i + 1) * FRAME)
    return Math.sqrt(frame.reduce((sum, x) => sum + x * x, 0) / FRAME)
  })
}

const clip = envelope(readClip())

/** Levels in dB where the clip, which plays again and again, holds noise alone (mean) and where it holds speech (median). */
function measure(recorded: Float32Array): { readonly noiseDb: number; readonly speechDb: number } {
  const levels = envelope(recorded)
  const shift = bestOf(clip.length, (candidate) => levels.reduce((sum, x, i) => sum + x * at(i + candidate), 0))
  const loudest = Math.max(...clip)
  const noise: number[] = []
  const speech: number[] = []
  for (const [i, level] of levels.entries()) {
    const place = (i + shift) % clip.length
    const seconds = (place * FRAME) / RATE
    if (seconds >= NOISE[0] && seconds < NOISE[1]) noise.push(level)
    else if (20 * Math.log10(clip[place] / loudest) > SPEECH_DB) speech.push(level)
  }
  return { noiseDb: power(noise), speechDb: median(speech) }
}

function at(place: number): number {
  return clip[place % clip.length]
}

function bestOf(count: number, score: (candidate: number) => number): number {
  const scores = Array.from({ length: count }, (_, candidate) => score(candidate))
  return scores.indexOf(Math.max(...scores))
}

function power(levels: readonly number[]): number {
  return 10 * Math.log10(levels.reduce((sum, x) => sum + x * x, 0) / levels.length)
}

function median(levels: readonly number[]): number {
  return 20 * Math.log10(levels.toSorted((a, b) => a - b)[levels.length >> 1])
}

/** A busy machine drops pieces of a recording and is late, so it is asked again, a few times; what is wrong of itself stays wrong. */
async function hear<T>(ask: () => Promise<T>, check: (heard: T) => void): Promise<T> {
  for (let turn = 1; ; turn++) {
    const heard = await ask()
    try {
      check(heard)
      return heard
    } catch (error) {
      if (turn === 5) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

/** As the popup does. */
async function set({ background }: Bench, settings: object): Promise<void> {
  await background.evaluate((values) => chrome.storage.local.set(values), settings)
}

/** What the toolbar shows for the tab of this page. */
async function badgeOf({ background }: Bench, page: Page): Promise<{ id: number; text: string; reason: string }> {
  await page.bringToFront()
  return background.evaluate(async () => {
    const [{ id = 0 }] = await chrome.tabs.query({ active: true, lastFocusedWindow: true })
    const text = await chrome.action.getBadgeText({ tabId: id })
    return { id, text, reason: await chrome.action.getTitle({ tabId: id }) }
  })
}

async function popupOf({ browser, background }: Bench, tab: number): Promise<Page> {
  const popup = await browser.newPage()
  await popup.goto(new URL(`popup.html?tab=${tab}`, background.url()).href)
  return popup
}

test('noise goes, speech stays; off, both stay: on any page and on a strict one', async (bench) => {
  const { browser, bare, origin } = bench
  const [plain, strict, untouched] = await Promise.all([
    call(browser, `${origin}/plain`),
    call(browser, `${origin}/strict`),
    call(bare, `${origin}/plain`),
  ])
  const wasm = await strict.evaluate(() => WebAssembly.compile(new Uint8Array(8)).then(String, String))
  assert.match(wasm, /Content Security policy/, 'the strict page is one')
  await plain.evaluate('callBack(streams[0])')
  await strict.waitForTimeout(SETTLE_MS)
  using denoiser = await Denoiser.create()
  const node = measure(denoiser.process(readClip()))
  const names = ['plain', 'strict']
  const [raw] = await hear(
    async () => {
      const recording = [record(untouched), record(plain), record(strict), record(plain, 'remote')]
      return (await Promise.all(recording)).map(measure)
    },
    ([raw, ...on]) => {
      for (const [i, name] of names.entries()) {
        const line = `${name}: raw ${show(raw)}, on ${show(on[i])}`
        console.log(line)
        assert.ok(on[i].noiseDb < raw.noiseDb - 10, line)
        assert.ok(Math.abs(on[i].speechDb - raw.speechDb) < 3, line)
        assert.ok(Math.abs(on[i].speechDb - node.speechDb) < 2, `${line}, Node ${show(node)}`)
      }
      const [, , remote] = on
      const line = `at the other end of a call: ${show(remote)}`
      console.log(line)
      assert.ok(remote.noiseDb < raw.noiseDb - 10, line)
      assert.ok(Math.abs(remote.speechDb - raw.speechDb) < 4, line)
    },
  )
  await set(bench, { isOn: false })
  await hear(
    async () => (await Promise.all([plain, strict].map((page) => record(page)))).map(measure),
    (off) => {
      for (const [i, name] of names.entries()) {
        const line = `${name}: raw ${show(raw)}, off ${show(off[i])}`
        console.log(line)
        assert.ok(Math.abs(off[i].noiseDb - raw.noiseDb) < 1, line)
        assert.ok(Math.abs(off[i].speechDb - raw.speechDb) < 1, line)
      }
    },
  )
  await set(bench, { isOn: true })
  await Promise.all([plain, strict, untouched].map((page) => page.close()))
})

function show({ noiseDb, speechDb }: { noiseDb: number; speechDb: number }): string {
  return `noise ${noiseDb.toFixed(1)} speech ${speechDb.toFixed(1)} dB`
}

test("the clean track is the microphone to the page; video and errors are the browser's", async ({
  browser,
  bare,
  origin,
}) => {
  const describe = async (from: BrowserContext) => {
    const page = await call(from, `${origin}/plain`, { audio: RAW, video: true })
    const found = await page.evaluate(async () => {
      const [stream] = (globalThis as unknown as { streams: MediaStream[] }).streams
      const [track] = stream.getAudioTracks()
      await track.applyConstraints({ autoGainControl: true })
      const { groupId: _, ...settings } = track.getSettings()
      const fail = (constraints: MediaStreamConstraints) =>
        navigator.mediaDevices.getUserMedia(constraints).then(String, (e: Error) => `${e.name}: ${e.message}`)
      return {
        kinds: stream
          .getTracks()
          .map(({ kind, label, readyState, enabled, muted }) => [kind, label, readyState, enabled, muted])
          .sort(),
        settings,
        constraints: track.getConstraints(),
        capabilities: Object.keys(track.getCapabilities()),
        video: stream.getVideoTracks()[0].getSettings().width,
        errors: [await fail({}), await fail({ audio: { deviceId: { exact: 'none' } } })],
        signature: [navigator.mediaDevices.getUserMedia.name, navigator.mediaDevices.getUserMedia.length],
      }
    })
    await page.close()
    return found
  }
  assert.equal(await describe(browser), await describe(bare))
})

test('strength and switch act on a call in progress, before and after', async (bench) => {
  const { browser, origin } = bench
  await set(bench, { isOn: false })
  const page = await call(browser, `${origin}/plain`)
  const before = measure(await record(page))
  await set(bench, { isOn: true, strengthDb: -6 })
  await hear(
    async () => measure(await record(page)),
    (gentle) => {
      const line = `off ${show(before)}, 6 dB ${show(gentle)}`
      assert.ok(gentle.noiseDb < before.noiseDb - 4 && gentle.noiseDb > before.noiseDb - 8, line)
    },
  )
  await set(bench, { strengthDb: -40 })
  await page.close()
})

test('two microphones of one page: both in the popup, each with its own end; clones count', async (bench) => {
  const { browser, origin } = bench
  const page = await call(browser, `${origin}/plain`)
  await page.evaluate(`open({ audio: true })`)
  const { id } = await hear(
    () => badgeOf(bench, page),
    ({ text }) => assert.is(text, '•'),
  )
  const popup = await popupOf(bench, id)
  const counted = (wanted: number) =>
    popup.waitForFunction((n) => document.querySelectorAll('#microphones article').length === n, wanted)
  await counted(2)
  await page.evaluate(`{ globalThis.copy = streams[0].clone(); streams[0].getTracks().forEach((t) => t.stop()) }`)
  const copied = measure(await record(page, 'copy', 2))
  assert.ok(copied.speechDb > -60, 'a clone goes on when the first is stopped')
  await counted(2)
  await page.evaluate(`copy.getTracks().forEach((t) => t.stop())`)
  await counted(1)
  await page.evaluate(`streams[1].getTracks().forEach((t) => t.stop())`)
  await counted(0)
  await hear(
    () => badgeOf(bench, page),
    ({ text }) => assert.is(text, ''),
  )
  await popup.close()
  await page.close()
})

test('a page that has given up waiting keeps its plain microphone, and is not said to be clean', async (bench) => {
  const page = await bench.browser.newPage()
  await page.goto(`${bench.origin}/plain`)
  await page.evaluate(`{
    document.addEventListener('attenuate:ask', ({ relatedTarget }) => relatedTarget.dispatchEvent(new Event('attenuate:close')))
    navigator.mediaDevices.getUserMedia({ audio: true })
  }`)
  const { id } = await hear(
    () => badgeOf(bench, page),
    ({ text, reason }) => {
      assert.is(text, '!')
      assert.match(reason, /plain microphone: the clean one was not ready in time/)
    },
  )
  const popup = await popupOf(bench, id)
  await popup.waitForFunction(() => !document.getElementById('trouble')!.hidden)
  assert.is(await popup.locator('#microphones article').count(), 0)
  await popup.close()
  await page.close()
})

test('the popup forgets the microphones of a page that is left', async (bench) => {
  const page = await call(bench.browser, `${bench.origin}/plain`)
  const popup = await popupOf(bench, (await badgeOf(bench, page)).id)
  const counted = (wanted: number) =>
    popup.waitForFunction((n) => document.querySelectorAll('#microphones article').length === n, wanted)
  await counted(1)
  await page.goto('about:blank')
  await counted(0)
  await popup.close()
  await page.close()
})

test('the popup shows levels, hop and way, and its controls are the settings', async (bench) => {
  const { browser, origin, background } = bench
  for (const [path, way] of [
    ['plain', 'audio thread'],
    ['strict', 'own frame'],
    ['isolated', 'own frame'],
  ]) {
    const page = await call(browser, `${origin}/${path}`)
    const popup = await popupOf(bench, (await badgeOf(bench, page)).id)
    await popup.waitForFunction(() => /^\d+ \u00b5s$/.test(document.getElementById('median')!.textContent!))
    await popup.waitForFunction(() => document.querySelector('.after-db')?.textContent?.endsWith('dB'))
    await hear(
      () => popup.locator('#microphones').innerText(),
      (shown) => {
        assert.match(shown, way)
        assert.match(shown, /before\s+-\d+ dB\s+after\s+(-\d+ dB|silent)/)
      },
    )
    await popup.close()
    await page.close()
  }
  const popup = await popupOf(bench, 0)
  await popup.locator('#strength').fill('18')
  await popup.locator('#on').uncheck({ force: true })
  await popup.waitForFunction(() => chrome.storage.local.get().then(({ isOn }) => isOn === false))
  const kept = await background.evaluate(() => chrome.storage.local.get())
  assert.equal(kept, { isOn: false, strengthDb: -18 })
  await popup.close()
  await set(bench, { isOn: true, strengthDb: -40 })
})

test('twenty microphones, one after the other: none of their processors stays', async ({ browser, origin }) => {
  const page = await call(browser, `${origin}/plain`)
  const session = await browser.newCDPSession(page)
  await session.send('Performance.enable')
  const count = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'AudioWorkletProcessors')?.value
  }
  assert.is(await count(), 1)
  for (let i = 0; i < 20; i++)
    await page.evaluate(`{ streams.at(-1).getTracks().forEach((track) => track.stop()); open({ audio: true }) }`)
  await page.evaluate(`streams.splice(0).forEach((stream) => stream.getTracks().forEach((track) => track.stop()))`)
  for (let turn = 0; (await count()) !== 0; turn++) {
    assert.ok(turn < 50, `${await count()} processors`)
    await page.waitForTimeout(100)
  }
  await page.close()
})

test('the package: one permission, no code from elsewhere or from text, everything that the manifest names', async ({
  folder,
}) => {
  const zip = join(folder, 'extension.zip')
  await zipExtension(join(folder, 'unpacked'), zip)
  const files = unzipSync(readFileSync(zip))
  const text = (name: string) => strFromU8(files[name])
  const manifest = JSON.parse(text('manifest.json'))
  assert.equal(manifest.permissions, ['storage'])
  for (const key of ['host_permissions', 'optional_permissions', 'externally_connectable', 'update_url'])
    assert.not(key in manifest, key)
  const named = [
    ...Object.values<string>(manifest.icons),
    manifest.action.default_popup,
    manifest.background.service_worker,
    ...manifest.content_scripts.flatMap(({ js }: { js: string[] }) => js),
    ...manifest.web_accessible_resources.flatMap(({ resources }: { resources: string[] }) => resources),
  ]
  assert.equal(
    named.filter((name) => !(name in files)),
    [],
  )
  for (const name of Object.keys(files).filter((name) => /\.(js|html)$/.test(name)))
    assert.not.match(
      text(name),
      /\beval\(|new Function\(|importScripts\(|(src|href)="https?:|(fetch|import)\(["'`]https?:/,
    )
})

test('where no way works: the plain microphone and the reason', async (bench) => {
  const { browser, bare, origin } = bench
  const [hostile, untouched] = await Promise.all([call(browser, `${origin}/hostile`), call(bare, `${origin}/plain`)])
  const { id } = await hear(
    () => badgeOf(bench, hostile),
    ({ text, reason }) => {
      assert.is(text, '!')
      assert.match(reason, /plain microphone: the extension's frame did not/)
    },
  )
  const popup = await popupOf(bench, id)
  await popup.waitForFunction(() => !document.getElementById('trouble')!.hidden)
  await hear(
    async () => (await Promise.all([hostile, untouched].map((page) => record(page)))).map(measure),
    ([found, wanted]) =>
      assert.ok(Math.abs(found.noiseDb - wanted.noiseDb) < 1, `${show(found)}, without the extension ${show(wanted)}`),
  )
  await Promise.all([popup, hostile, untouched].map((page) => page.close()))
})

test.run()
