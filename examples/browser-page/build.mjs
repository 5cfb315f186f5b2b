// The page as files that any web server can serve. In: this folder and the built package. Out: out/page.

import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '../../scripts/built.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../..')
const FILES = {
  'examples/browser-page/index.html': 'index.html',
  'examples/browser-page/style.css': 'style.css',
  'examples/browser-page/icon.svg': 'icon.svg',
  'examples/clip/noisy.wav': 'clip.wav',
  'build/core.simd.wasm': 'core.simd.wasm',
  'build/core.scalar.wasm': 'core.scalar.wasm',
  'dist/sdk/worklet/processor.js': 'processor.js',
  ...Object.fromEntries(['base', 'lite', 'hq', 'nano'].map((name) => [`models/${name}.ssm`, `models/${name}.ssm`])),
}
const SCRIPTS = ['page', 'channel.processor', 'stopwatch.worker']

export async function buildPage(to = join(root, 'out/page')) {
  ensureBuilt()
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const [from, name] of Object.entries(FILES)) cpSync(join(root, from), join(to, name))
  const { build } = await import('esbuild') // which ensureBuilt may have installed
  await build({
    absWorkingDir: root,
    entryPoints: SCRIPTS.map((name) => join(here, 'src', `${name}.ts`)),
    bundle: true,
    format: 'esm',
    outdir: to,
    target: 'es2022',
    minify: true,
    legalComments: 'inline',
    logLevel: 'warning',
  })
  return to
}
