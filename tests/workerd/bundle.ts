// What `wrangler deploy` would upload, made by Wrangler itself without an account. In: an entry or a configuration. Out: a
// folder with the Worker's modules, and what Wrangler said. Real workerd runs the same files (miniflare).

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Behaviour of the runtime that the tests ask for; the example's wrangler.jsonc states its own. */
export const COMPATIBILITY_DATE = '2026-04-01'
const TYPES: Readonly<Record<string, ModuleType>> = {
  '.js': 'ESModule',
  '.wasm': 'CompiledWasm',
  '.bin': 'Data',
  '.html': 'Text',
}

type ModuleType = 'ESModule' | 'CompiledWasm' | 'Data' | 'Text'

export interface Bundle {
  /** Wrangler's own words. */
  readonly report: string
  /** The entry first, as miniflare wants them. */
  readonly modules: { readonly type: ModuleType; readonly path: string; readonly contents: Uint8Array<ArrayBuffer> }[]
  /** Of all modules, together and compressed. */
  readonly bytes: number
  readonly gzipBytes: number
}

/** `args`: of `wrangler deploy`, relative to the checkout. */
export async function bundleWorker(entry: string, args: readonly string[] = []): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'worker-'))
  const command = ['deploy', entry, ...args, '--dry-run', '--outdir', folder]
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', NO_COLOR: '1' }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [wrangler, ...command], { cwd: root, env })
  const main = `${basename(entry, extname(entry))}.js`
  const names = readdirSync(folder).filter((name) => extname(name) in TYPES && name !== main)
  const modules = [main, ...names].map((path) => ({
    type: TYPES[extname(path)],
    path,
    contents: new Uint8Array(readFileSync(join(folder, path))),
  }))
  const bytes = modules.reduce((sum, { contents }) => sum + contents.length, 0)
  return {
    report: stdout + stderr,
    modules,
    bytes,
    gzipBytes: gzipSync(Buffer.concat(modules.map((m) => m.contents))).length,
  }
}
