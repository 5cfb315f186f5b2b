// What a browser or a page may forbid: WebAssembly, the worklet's file, sound before a gesture. Each ends in a way that works or
// an error that names the remedy.

import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { drawSamples } from '../golden/signal.ts'
import { type Microphone, makeMicrophone } from './microphone.ts'
import { type Server, serveFolder } from './server.ts'
import { openBrowser, openPage } from './site.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const WORKLET = '/dist/sdk/worklet/index.js'
const IMPORT_MAP = JSON.stringify({ imports: { '@noble/hashes/': '/node_modules/@noble/hashes/' } })

const test = suite<{ microphone: Microphone; browser: Browser }>('policy')

test.before(async (context) => {
  context.microphone = makeMicrophone(drawSamples(16_000, 1, 0.1), 16_000)
  context.browser = await openBrowser([
    ...context.microphone.args,
    '--autoplay-policy=document-user-activation-required',
  ])
})
test.after(async ({ browser, microphone }) => {
  await browser.close()
  microphone.remove()
})

/** A page under this Content-Security-Policy, or none. */
async function visit(browser: Browser, use: (page: Page, server: Server) => Promise<void>, policy = '', script = '') {
  const page = `<!doctype html><meta charset="utf-8"><script type="importmap">${IMPORT_MAP}</script>
    <script type="module">${script}</script>`
  const headers = policy === '' ? {} : { 'content-security-policy': policy }
  const server = await serveFolder(root, page, headers)
  const opened = await openPage(browser, server.origin)
  try {
    await use(opened, server)
  } finally {
    await opened.close()
    server.close()
  }
}

/** What comes of a clean track in the page. */
function tryTrack(page: Page, options: object): Promise<string> {
  return page.evaluate(
    async ({ worklet, options }) => {
      const { denoiseTrack } = await import(worklet)
      const [microphone] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()
      try {
        const clean = await denoiseTrack(microphone, options)
        const { route } = clean.denoiser
        clean.stop()
        return route
      } catch (error) {
        return `${(error as Error).name} ${(error as Error).message}`
      } finally {
        microphone.stop()
      }
    },
    { worklet: WORKLET, options },
  )
}

test('no WebAssembly: the error says what to allow', async ({ browser }) => {
  const policy = "script-src 'self' 'unsafe-inline'"
  await visit(
    browser,
    async (page) => {
      for (const options of [{}, { route: 'worklet' }, { route: 'stream' }])
        assert.match(
          await tryTrack(page, options),
          /^AttenuateError ENVIRONMENT_UNSUPPORTED: .*'wasm-unsafe-eval'/,
          JSON.stringify(options),
        )
    },
    policy,
  )
})

test("no file for the worklet: the track's own streams, unless the worklet is asked for", async ({ browser }) => {
  await visit(browser, async (page) => {
    assert.is(await tryTrack(page, { processorUrl: '/absent.js' }), 'stream')
    const refused = await tryTrack(page, { processorUrl: '/absent.js', route: 'worklet' })
    assert.match(refused, /^AttenuateError LOAD_FAILED: the processor's file cannot be added .*absent\.js/)
    assert.match(await tryTrack(page, { model: '/absent.ssm' }), /^AttenuateError LOAD_FAILED: .*absent\.ssm/)
  })
})

const MICROPHONE = '(await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0]'
const SYNTHETIC = "new MediaStreamTrackGenerator({ kind: 'audio' })"

for (const [name, track, expected] of [
  ['a page that captures: at once', MICROPHONE, /(runs|rests) flows/],
  ['one that does not: with the first gesture', SYNTHETIC, /rests flows/],
] as const)
  test(`sound in ${name}`, async ({ browser }) => {
    const script = `
      import { denoiseTrack } from '${WORKLET}'
      const clean = await denoiseTrack(${track}, { model: 'lite' })
      const quanta = async () => (await clean.denoiser.stats()).quanta
      const wait = (ms) => new Promise((done) => setTimeout(done, ms))
      await wait(300)
      console.log((await quanta()) === 0 ? 'rests' : 'runs')
      for (let before = await quanta(); (await quanta()) < before + 50; ) await wait(20)
      console.log('flows')`
    await visit(
      browser,
      async (page, { origin }) => {
        const heard: string[] = []
        page.on('console', (message) => /^[a-z]+$/.test(message.text()) && heard.push(message.text()))
        await page.goto(origin)
        while (heard.length === 0) await page.waitForTimeout(20)
        if (track === SYNTHETIC) await page.mouse.click(5, 5)
        while (!heard.includes('flows')) await page.waitForTimeout(20)
        assert.match(heard.join(' '), expected)
      },
      '',
      script,
    )
  })

test.run()
