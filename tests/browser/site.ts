// A page in real Chromium, served from this checkout. In: nothing but an installed Chromium. Out: a page whose scripts may
// import the package by name, as users do with an import map.

import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAMS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.html': 'text/html',
  '.css': 'text/css',
}
const IMPORTS = {
  'attenuate-edge': '/dist/sdk/index.browser.js',
  'attenuate-edge/worklet': '/dist/sdk/worklet/index.js',
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
  const executablePath = findChromium()
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    if (path === '/') return response.setHeader('content-type', 'text/html').end(EMPTY_PAGE)
    const file = join(root, path)
    if (!existsSync(file)) return response.writeHead(404).end()
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream').end(readFileSync(file))
  })
  await listen(server)
  const browser = await start(executablePath, args)
  const page = await browser.newPage()
  await page.addInitScript('globalThis.__name = (f) => f') // what tsx puts into functions that are sent to the page
  page.on('pageerror', (error) => console.error(`page: ${error.message}`))
  const origin = `http://localhost:${(server.address() as { port: number }).port}`
  await page.goto(origin)
  return {
    page,
    origin,
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

export function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}

function start(executablePath: string, args: readonly string[]): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-background-networking', ...args],
  })
}
