// A page in real Chromium, served from this checkout. In: nothing but an installed Chromium. Out: a page whose scripts may
// import the package by name, as users do with an import map.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { serveFolder } from './server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAMS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const IMPORTS = {
  'attenuate-edge': '/dist/sdk/index.browser.js',
  'attenuate-edge/worklet': '/dist/sdk/worklet/index.js',
  'attenuate-edge/webgpu': '/dist/sdk/webgpu/index.browser.js',
  '@noble/hashes/': '/node_modules/@noble/hashes/',
}
const EMPTY_PAGE = `<!doctype html><meta charset="utf-8"><title>test</title>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`

export interface Site {
  readonly page: Page
  readonly origin: string
  close(): Promise<void>
}

export async function openSite(args: readonly string[] = []): Promise<Site> {
  const server = await serveFolder(root, EMPTY_PAGE)
  const browser = await openBrowser(args)
  const page = await openPage(browser, server.origin)
  return {
    page,
    origin: server.origin,
    close: async () => {
      await browser.close()
      server.close()
    },
  }
}

export function findChromium(): string {
  const found = PROGRAMS.find((path) => path !== undefined && existsSync(path))
  if (found === undefined) throw new Error('no Chromium: install it (apt install chromium) or set CHROMIUM')
  return found
}

export function openBrowser(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-background-networking', ...args],
  })
}

/** Its errors are printed. */
export async function openPage(browser: Browser, origin: string): Promise<Page> {
  const page = await browser.newPage()
  await page.addInitScript('globalThis.__name = (f) => f') // what tsx puts into functions that are sent to the page
  page.on('pageerror', (error) => console.error(`page: ${error.message}`))
  await page.goto(origin)
  return page
}
