// The pictures of the READMEs: the demo page and the extension in Chromium, light, dark and as on a phone. In: the built package
// and the bundled clip. Out: docs/images/*.png. Usage: npm run pictures

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { buildPage } from '../examples/browser-page/build.mjs'
import { servePage } from '../examples/browser-page/serve.mjs'
import { buildExtension } from '../examples/extension/build.mjs'
import { serveCallers } from '../tests/browser/callers.ts'
import { findChromium } from '../tests/browser/site.ts'

const to = fileURLToPath(new URL('../docs/images/', import.meta.url))
const clip = fileURLToPath(new URL('../examples/clip/noisy.wav', import.meta.url))
/** Fills the spectrograms. */
const PLAY_MS = 9000

interface View {
  readonly scheme: 'light' | 'dark'
  readonly width: number
  readonly height: number
  readonly channel?: string
}

const VIEWS: Readonly<Record<string, View>> = {
  'page-light': { scheme: 'light', width: 1040, height: 990 },
  'page-dark': { scheme: 'dark', width: 1040, height: 990, channel: 'sensor' },
  'page-phone': { scheme: 'light', width: 375, height: 780 },
}

new Command('npm run pictures').description('takes the pictures of the READMEs anew: docs/images').parse()
mkdirSync(to, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'pictures-'))
const unpacked = await buildExtension(join(folder, 'extension'))
const browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
  executablePath: findChromium(),
  headless: false, // the old headless mode has no extensions
  ignoreDefaultArgs: ['--disable-extensions'],
  args: [
    '--headless=new',
    '--no-sandbox',
    '--hide-scrollbars',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${clip}`,
    `--load-extension=${unpacked}`,
    `--disable-extensions-except=${unpacked}`,
  ],
})
await takePage(browser)
await takePopup(browser)
await browser.close()
rmSync(folder, { recursive: true })

async function takePage(browser: BrowserContext): Promise<void> {
  const site = await servePage(await buildPage(join(folder, 'page')))
  for (const [name, { scheme, width, height, channel }] of Object.entries(VIEWS)) {
    const page = await open(browser, site.address, scheme, width, height)
    if (channel !== undefined) await page.check(`input[value="${channel}"]`, { force: true })
    await page.click('#play')
    await page.waitForTimeout(PLAY_MS)
    await page.screenshot({ path: join(to, `${name}.png`) })
    await page.close()
  }
  await site.close()
}

async function takePopup(browser: BrowserContext): Promise<void> {
  const { origin, server } = await serveCallers()
  const background = browser.serviceWorkers()[0] ?? (await browser.waitForEvent('serviceworker'))
  for (const scheme of ['light', 'dark'] as const) {
    const call = await open(browser, `${origin}/${scheme === 'light' ? 'plain' : 'strict'}`, scheme, 600, 400)
    await call.evaluate('open({ audio: { noiseSuppression: false, autoGainControl: false, echoCancellation: false } })')
    const tab = await background.evaluate(async () => (await chrome.tabs.query({ active: true }))[0].id)
    const popup = await open(browser, new URL(`popup.html?tab=${tab}`, background.url()).href, scheme, 320, 400)
    await popup.waitForTimeout(PLAY_MS)
    await popup.waitForFunction(isTelling)
    await popup.locator('body').screenshot({ path: join(to, `popup-${scheme}.png`) })
    await popup.close()
    await call.close()
  }
  server.close()
}

/** A moment at which the meters show what they are for. */
function isTelling(): boolean {
  const [before, after] = ['.before-db', '.after-db'].map((name) =>
    Number.parseFloat(document.querySelector(name)?.textContent ?? ''),
  )
  return before > -40 && after < before - 12
}

async function open(
  browser: BrowserContext,
  address: string,
  colorScheme: 'light' | 'dark',
  width: number,
  height: number,
): Promise<Page> {
  const page = await browser.newPage()
  await page.setViewportSize({ width, height })
  await page.emulateMedia({ colorScheme })
  await page.goto(address)
  await page.bringToFront()
  return page
}
