// `npm run demo:extension`: the extension, ready to load. In: this folder and the built package. Out: out/extension (unpacked)
// and out/extension.zip, what a store takes. Every byte that runs is in there.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ensureBuilt } from '../../scripts/built.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../..')
/** As they stand. */
const PAGES = ['manifest.json', 'popup.html', 'popup.css', 'icons']
const FROM_PACKAGE = ['build/core.simd.wasm', 'models/base.ssm', 'dist/sdk/worklet/processor.js', 'LICENSE', 'NOTICE']
/** Classic scripts; the others are modules. */
const SCRIPTS = ['page', 'content', 'background', 'frame', 'frame.worker', 'pipe']
const MODULES = ['engine', 'popup']
const USAGE = 'npm run demo:extension    makes out/extension, to be loaded unpacked, and out/extension.zip'

export async function buildExtension(to = join(root, 'out/extension')) {
  ensureBuilt()
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const name of PAGES) cpSync(join(here, name), join(to, name), { recursive: true })
  cpSync(join(here, 'src/frame.html'), join(to, 'frame.html'))
  for (const path of FROM_PACKAGE) cpSync(join(root, path), join(to, path.split('/').at(-1)))
  await bundle(SCRIPTS, 'iife', to)
  await bundle(MODULES, 'esm', to)
  return to
}

async function bundle(names, format, outdir) {
  const { build } = await import('esbuild') // which ensureBuilt may have installed
  return build({
    absWorkingDir: root,
    entryPoints: names.map((name) => join(here, 'src', `${name}.ts`)),
    bundle: true,
    format,
    outdir,
    target: 'chrome116',
    legalComments: 'inline',
    logLevel: 'warning',
    // the SDK's own addresses of its files are never asked for: chrome.runtime.getURL names ours
    logOverride: { 'empty-import-meta': 'silent' },
  })
}

export async function zipExtension(folder, to) {
  const { zipSync } = await import('fflate')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()
  // one date: the same sources give the same bytes
  const content = paths.map((path) => [relative(folder, path), [readFileSync(path), { mtime: '2000-01-01' }]])
  writeFileSync(to, zipSync(Object.fromEntries(content), { level: 9 }))
}

/** What is said of it. */
async function makeExtension() {
  const folder = await buildExtension()
  await zipExtension(folder, `${folder}.zip`)
  return `${folder}\n${folder}.zip\nchrome://extensions, developer mode, "Load unpacked": the folder.`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean' } } })
    console.log(values.help ? USAGE : await makeExtension())
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
