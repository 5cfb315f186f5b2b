// The package as it is published, built by vite, webpack, esbuild and nothing at all, loaded in Chromium under a strict
// Content-Security-Policy: worklet, WASM and models are found, and the sound is Node's to the bit.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser } from '../../sdk/index.ts'
import { serveFolder } from '../browser/server.ts'
import { openBrowser, openPage } from '../browser/site.ts'
import { drawSamples } from '../golden/signal.ts'

const app = fileURLToPath(new URL('.', import.meta.url))
const root = join(app, '..', '..')
const IMPORTS = {
  'attenuate-edge': '/modules/attenuate-edge/dist/sdk/index.browser.js',
  'attenuate-edge/worklet': '/modules/attenuate-edge/dist/sdk/worklet/index.js',
  '@noble/hashes/': '/modules/@noble/hashes/',
}
const IMPORT_MAP = JSON.stringify({ imports: IMPORTS })

/** builds.mjs: bundlers have no types here, as they are installed by this test. */
interface Builds {
  readonly vite: Build
  readonly webpackBuild: Build
  readonly esbuild: Build
  readonly none: Build
  readonly viteServer: (app: string) => Promise<{ readonly origin: string; close(): Promise<void> }>
}
type Build = (app: string, out: string) => Promise<void>

interface Context {
  browser: Browser
  folder: string
  builds: Builds
}

const test = suite<Context>('bundlers')

test.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'bundlers-'))
  install(context.folder)
  context.builds = await import(String(new URL('builds.mjs', import.meta.url)))
  context.browser = await openBrowser()
})
test.after(async ({ browser, folder }) => {
  await browser.close()
  rmSync(folder, { recursive: true })
})

/** The bundlers of package-lock.json, and the package as `npm pack` makes it. */
function install(folder: string): void {
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
  const [{ filename }] = JSON.parse(npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder))
  rmSync(join(app, 'node_modules/attenuate-edge'), { recursive: true, force: true })
  npm(app, 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', join(folder, filename))
}

const samples = drawSamples(12_000, 7, 0.1)

async function check({ browser }: Context, origin: string): Promise<void> {
  const page = await openPage(browser, origin)
  try {
    await page.waitForFunction('globalThis.throughPage !== undefined')
    const { byWorklet, byPage } = await page.evaluate(
      async (given) => {
        const { throughWorklet, throughPage } = globalThis as unknown as Record<string, (x: number[]) => number[]>
        return { byWorklet: await throughWorklet(given), byPage: await throughPage(given) }
      },
      [...samples],
    )
    for (const [found, model] of [
      [byWorklet, 'base'],
      [byPage, 'lite'],
    ] as const) {
      using denoiser = await Denoiser.create({ model })
      const expected = denoiser.process(samples)
      const length = Math.min(found.length, expected.length)
      assert.ok(length > 10_000)
      assert.equal(Float32Array.from(found.slice(0, length)), expected.subarray(0, length), model)
    }
  } finally {
    await page.close()
  }
}

function policyFor(...scripts: string[]): Record<string, string> {
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return { 'content-security-policy': `default-src 'self'; script-src 'self' 'wasm-unsafe-eval' ${hashes.join(' ')}` }
}

const PAGE = '<!doctype html><meta charset="utf-8"><script type="module" src="/app.js"></script>'

for (const name of ['vite', 'webpackBuild', 'esbuild'] as const) {
  test(name, async (context) => {
    const out = join(context.folder, name)
    await context.builds[name](app, out)
    const server = await serveFolder(out, PAGE, policyFor())
    try {
      await check(context, server.origin)
    } finally {
      server.close()
    }
  })
}

test('an import map, no bundler', async (context) => {
  const out = join(context.folder, 'none')
  await context.builds.none(app, out)
  const page = PAGE.replace('<script', `<script type="importmap">${IMPORT_MAP}</script><script`)
  const server = await serveFolder(out, page, policyFor(IMPORT_MAP))
  try {
    await check(context, server.origin)
  } finally {
    server.close()
  }
})

test("vite's server for development", async (context) => {
  const server = await context.builds.viteServer(app)
  try {
    await check(context, server.origin)
  } finally {
    await server.close()
  }
})

test('esbuild without modules is told what to do', async () => {
  const { build } = await import('esbuild')
  const { attenuateFiles } = await import('../../sdk/esbuild.ts')
  const message = await build({ plugins: [attenuateFiles()], format: 'iife', logLevel: 'silent' }).then(
    () => 'no error',
    (error: Error) => error.message,
  )
  assert.match(message, /OPTION_INVALID: format of the esbuild bundle, iife; use format: 'esm'/)
})

test.run()
