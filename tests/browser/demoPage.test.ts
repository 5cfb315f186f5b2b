// The demo page in real Chromium: plays, cleans, compares without a click, simulates, measures; with the keyboard alone; a file,
// a microphone and what is no sound.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeWav16 } from '../../bench/quality/wav.ts'
import { buildPage } from '../../examples/browser-page/build.mjs'
import { servePage } from '../../examples/browser-page/serve.mjs'
import { findChromium } from './site.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLIP = fileURLToPath(new URL('../../examples/clip/noisy.wav', import.meta.url))

interface Bench {
  readonly folder: string
  readonly site: { address: string; close(): Promise<void> }
  readonly browser: Browser
}

const test = suite<Bench>('demo page')

test.before(async (bench) => {
  const folder = mkdtempSync(join(tmpdir(), 'page-'))
  const site = await servePage(await buildPage(folder))
  writeFileSync(join(folder, 'gatherer.js'), GATHERER)
  const browser = await start('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader')
  Object.assign(bench, { folder, site, browser })
})

test.after(async ({ browser, site, folder }) => {
  await browser.close()
  await site.close()
  rmSync(folder, { recursive: true })
})

function start(...args: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${CLIP}`,
      ...args,
    ],
  })
}

/** Whatever the page complains of is kept. */
async function open({ browser, site }: Bench): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(site.address)
  return { page, complaints }
}

/** Mean of red, green and blue of a band of a spectrogram, from and to shares of its height. */
function brightness(page: Page, id: string, from: number, to: number): Promise<number> {
  return page.evaluate(
    ({ id, from, to }) => {
      const canvas = document.getElementById(id) as HTMLCanvasElement
      const [top, bottom] = [from, to].map((share) => Math.round(canvas.height * share))
      // the newest half second
      const { data } = canvas.getContext('2d')!.getImageData(canvas.width - 45, top, 45, bottom - top)
      return data.reduce((sum, x, i) => (i % 4 === 3 ? sum : sum + x), 0) / (0.75 * data.length)
    },
    { id, from, to },
  )
}

/** The quietest that both levels got, dB, in so many seconds. */
async function quietest(page: Page, seconds: number): Promise<{ before: number; after: number }> {
  const least = { before: 0, after: 0 }
  for (let i = 0; i < 8 * seconds; i++) {
    await page.waitForTimeout(125)
    for (const of of ['before', 'after'] as const) {
      const text = await page.innerText(`#${of}-level`)
      least[of] = Math.min(least[of], text === 'silent' ? -100 : Number.parseFloat(text))
    }
  }
  return least
}

test('the clip: noise goes, hops are measured, nothing is complained of; all by keyboard', async (bench) => {
  const { page, complaints } = await open(bench)
  assert.is(await page.title(), 'attenuate-edge: hear it, see it')
  await page.focus('input[name="source"]')
  await page.keyboard.press('Tab')
  assert.is(await page.evaluate(() => document.activeElement?.id), 'play')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.getElementById('play')!.textContent === 'Stop')
  await page.waitForFunction(() => document.getElementById('after-level')!.textContent!.endsWith('dB'))
  await page.waitForTimeout(1000)
  const levels = await quietest(page, 8)
  assert.ok(levels.after < levels.before - 10, JSON.stringify(levels))
  assert.match(await page.innerText('#speed'), /^0\.\d{4} \(\d+ x\)$/)
  assert.match(await page.innerText('#median'), /^\d+ \u00b5s$/)
  assert.match(await page.innerText('#latency'), /^\d\d\.\d ms$/)
  const drawn = await page.evaluate(() => {
    const canvas = document.getElementById('hops') as HTMLCanvasElement
    return canvas
      .getContext('2d')!
      .getImageData(0, 0, canvas.width, canvas.height)
      .data.some((x) => x > 0)
  })
  assert.ok(drawn, 'histogram')
  await page.keyboard.press('b')
  assert.ok(await page.isChecked('input[name="heard"][value="before"]'))
  await page.focus('input[name="channel"]')
  await page.keyboard.press('ArrowDown')
  assert.ok(await page.isChecked('input[value="phone"]'))
  await page.focus('#play')
  await page.keyboard.press('Enter')
  assert.is(await page.innerText('#play'), 'Play')
  assert.equal(complaints, [])
  await page.close()
})

test('the sensor: 2 kHz before, the whole band after, by nano', async (bench) => {
  const { page, complaints } = await open(bench)
  await page.check('input[value="sensor"]', { force: true })
  assert.is(await page.inputValue('#model'), 'nano')
  assert.ok(await page.isDisabled('#strength'))
  await page.click('#play')
  let [low, high, made] = [0, 0, 0]
  for (let i = 0; i < 32; i++) {
    await page.waitForTimeout(250)
    low = Math.max(low, await brightness(page, 'before', 0.8, 1))
    high = Math.max(high, await brightness(page, 'before', 0.2, 0.7))
    made = Math.max(made, await brightness(page, 'after', 0.2, 0.7))
  }
  const black = (5 + 7 + 13) / 3
  assert.ok(low > 60, `below 2 kHz ${low}`)
  assert.ok(high < black + 3, `above 2 kHz ${high}`)
  assert.ok(made > black + 6, `above 2 kHz, made by the model ${made}`)
  await page.check('input[value="phone"]', { force: true })
  await page.waitForFunction(() => (document.getElementById('model') as HTMLSelectElement).value === 'base')
  assert.equal(complaints, [])
  await page.close()
})

test('before and after of a tone, at no strength: the same moment, no click', async (bench) => {
  const { page, complaints } = await open(bench)
  const samples = Float32Array.from({ length: 44100 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 441 * i) / 44100))
  await page.evaluate(tapSpeakers)
  await page.fill('#strength', '0')
  await page.setInputFiles('#file', {
    name: 'tone.wav',
    mimeType: 'audio/wav',
    buffer: Buffer.from(writeWav16({ samples, sampleRate: 44100 })),
  })
  await page.waitForFunction(() => document.getElementById('play')!.textContent === 'Stop')
  const piecesNow = () => page.evaluate(() => (globalThis as unknown as Tapped).pieces.length)
  while ((await piecesNow()) < 20) await page.waitForTimeout(50) // the tone is there, both ways have settled
  const first = await piecesNow()
  for (let i = 0; i < 10; i++) {
    await page.keyboard.press('b')
    await page.waitForTimeout(137)
  }
  while ((await piecesNow()) < first + 12) await page.waitForTimeout(50)
  const { rate, pieces } = await page.evaluate((first) => {
    const tapped = globalThis as unknown as Tapped
    return { rate: tapped.rate, pieces: tapped.pieces.slice(first).map((piece) => [...piece]) }
  }, first)
  for (const [i, piece] of pieces.entries()) {
    const { amplitude, rest } = fitTone(piece, 441 / rate)
    assert.ok(Math.abs(amplitude - 0.3) < 0.01, `piece ${i}: amplitude ${amplitude}`)
    assert.ok(rest < 0.003, `piece ${i}: ${rest} is not the tone`)
  }
  assert.equal(complaints, [])
  await page.close()
})

interface Tapped {
  rate: number
  pieces: Float32Array[]
}

/** On the audio thread: its input in pieces. A module of the site, for a page that is isolated loads no other. */
const GATHERER = `registerProcessor('gatherer', class extends AudioWorkletProcessor {
  piece = new Float32Array(4096)
  filled = 0
  process([[input]]) {
    this.piece.set(input ?? new Float32Array(128), this.filled)
    this.filled = (this.filled + 128) % 4096
    if (this.filled === 0) this.port.postMessage(this.piece)
    return true
  }
})`

/** Keeps what goes to the speakers, in pieces that are each whole: the audio thread gathers them, however late the page is. */
function tapSpeakers(): void {
  const tapped = globalThis as unknown as Tapped
  tapped.pieces = []
  const { connect } = AudioNode.prototype as { connect: (to: AudioNode) => AudioNode }
  Object.defineProperty(AudioNode.prototype, 'connect', {
    value(this: AudioNode, to: AudioNode) {
      if (!(to instanceof AudioDestinationNode)) return connect.call(this, to)
      const context = this.context as AudioContext
      tapped.rate = context.sampleRate
      void context.audioWorklet.addModule('gatherer.js').then(() => {
        const tap = new AudioWorkletNode(context, 'gatherer')
        tap.port.onmessage = ({ data }) => tapped.pieces.push(data)
        connect.call(this, tap)
        connect.call(tap, to)
      })
      return connect.call(this, to)
    },
  })
}

/** The nearest tone of `frequency` cycles per sample, by least squares, and the largest distance from it. */
function fitTone(samples: readonly number[], frequency: number): { amplitude: number; rest: number } {
  const angle = (i: number) => 2 * Math.PI * frequency * i
  const dot = (f: (i: number) => number, g: (i: number) => number) =>
    samples.reduce((sum, _, i) => sum + f(i) * g(i), 0)
  const [cosine, sine] = [(i: number) => Math.cos(angle(i)), (i: number) => Math.sin(angle(i))]
  const [cc, cs, ss] = [dot(cosine, cosine), dot(cosine, sine), dot(sine, sine)]
  const [cx, sx] = [dot(cosine, (i) => samples[i]), dot(sine, (i) => samples[i])]
  const a = (cx * ss - sx * cs) / (cc * ss - cs * cs)
  const b = (sx * cc - cx * cs) / (cc * ss - cs * cs)
  const rest = Math.max(...samples.map((x, i) => Math.abs(x - a * cosine(i) - b * sine(i))))
  return { amplitude: Math.hypot(a, b), rest }
}

test('hops on WebGPU are timed; where there is none, the reason, and WASM', async (bench) => {
  const measured = () => /\d/.test(document.getElementById('median')!.textContent!)
  const { page } = await open(bench)
  await page.check('input[value="webgpu"]', { force: true })
  await page.click('#play')
  await page.waitForFunction(measured, undefined, { timeout: 90_000 }) // software takes its time for the shaders
  assert.ok(await page.isHidden('#trouble'), await page.innerText('#trouble'))
  assert.ok(await page.isChecked('input[value="webgpu"]'))
  await page.close()
  const browser = await start('--disable-blink-features=WebGPU')
  const { page: without } = await open({ ...bench, browser })
  await without.click('#play')
  await without.waitForFunction(measured)
  await without.check('input[value="webgpu"]', { force: true })
  await without.waitForSelector('#trouble:not([hidden])')
  assert.match(await without.innerText('#trouble'), /WebGPU cannot be timed: ENVIRONMENT_UNSUPPORTED/)
  assert.ok(await without.isChecked('input[name="backend"][value="wasm"]'))
  await browser.close()
})

test('a file is dropped: it plays', async (bench) => {
  const { page, complaints } = await open(bench)
  const bytes = [...writeWav16({ samples: new Float32Array(16000).fill(0.1), sampleRate: 16000 })]
  await page.evaluate((values) => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([new Uint8Array(values)], 'dropped.wav', { type: 'audio/wav' }))
    for (const type of ['dragover', 'drop'])
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
  }, bytes)
  await page.waitForFunction(() => document.getElementById('play')!.textContent === 'Stop')
  assert.is(await page.innerText('#source-hint'), 'dropped.wav')
  assert.match(await page.innerText('.after .axis'), /^16 kHz\s+12\s+8\s+4\s+0$/)
  assert.ok(await page.isHidden('#drop'))
  assert.equal(complaints, [])
  await page.close()
})

test('while a model loads: a dropped file begins no second sound, and what was chosen last is heard', async (bench) => {
  const { page, complaints } = await open(bench)
  await page.evaluate(() => {
    const counted = Object.assign(globalThis, { contexts: 0 })
    counted.AudioContext = class extends AudioContext {
      constructor(options?: AudioContextOptions) {
        super(options)
        counted.contexts++
      }
    }
  })
  for (const [name, ms] of [
    ['base', 800],
    ['hq', 1500],
  ] as const)
    await page.route(`**/models/${name}.ssm`, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      await route.continue()
    })
  const isLatency = (from: number, to: number) =>
    page.waitForFunction(
      ([from, to]) => {
        const ms = Number.parseFloat(document.getElementById('latency')!.textContent!)
        return ms > from && ms < to
      },
      [from, to],
      { timeout: 10_000 },
    )
  await page.click('#play')
  await page.setInputFiles('#file', CLIP)
  await page.selectOption('#model', 'nano')
  await isLatency(28, 45)
  assert.is(await page.evaluate(() => (globalThis as unknown as { contexts: number }).contexts), 1)
  await page.selectOption('#model', 'hq') // there later than lite
  await page.selectOption('#model', 'lite')
  await isLatency(15, 25)
  await page.waitForTimeout(2000)
  await isLatency(15, 25)
  assert.equal(complaints, [])
  await page.close()
})

test('a microphone plays and is let go; a file that is no sound is named', async (bench) => {
  const { page, complaints } = await open(bench)
  await page.check('input[value="microphone"]', { force: true })
  assert.not(await page.isChecked('#audible'), 'a microphone that is played aloud howls')
  await page.click('#play')
  await page.waitForFunction(() => document.getElementById('before-level')!.textContent!.endsWith('dB'))
  await page.click('#play')
  await page.setInputFiles('#file', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no sound') })
  await page.waitForSelector('#trouble:not([hidden])')
  assert.match(await page.innerText('#trouble'), /notes\.txt cannot be decoded/)
  assert.is(await page.innerText('#play'), 'Play')
  assert.equal(complaints, [])
  await page.close()
})

test('every control has a name; nothing is wider than a phone', async (bench) => {
  const page = await bench.browser.newPage({ viewport: { width: 360, height: 740 } })
  await page.goto(bench.site.address)
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll('input, select, button')]
      .filter((control) => !(control as HTMLInputElement).labels?.length && !control.ariaLabel && !control.textContent)
      .map((control) => control.outerHTML),
  )
  assert.equal(nameless, [])
  assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 360)
  await page.close()
})

test('npm run demo:page: prints the address, serves, ends cleanly; a wrong port is named', async () => {
  const serve = (...args: string[]) =>
    spawn(process.execPath, ['examples/browser-page/serve.mjs', ...args], { cwd: ROOT })
  const child = serve()
  const [output] = await once(child.stdout, 'data')
  const [address] = String(output).match(/http:\S+/)!
  const response = await fetch(address)
  assert.is(response.headers.get('cross-origin-opener-policy'), 'same-origin')
  assert.match(await response.text(), '<title>attenuate-edge')
  assert.is((await fetch(new URL('/../package.json', address))).status, 404)
  child.kill('SIGINT')
  assert.equal(await once(child, 'exit'), [0, null])
  const wrong = serve('--port', 'x')
  const [complaint] = await once(wrong.stderr, 'data')
  assert.match(String(complaint), '--port x: use 0..65535')
})

test.run()
