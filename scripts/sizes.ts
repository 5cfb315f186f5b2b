// `npm run sizes`: what the built package weighs, part by part, written to bench/results/sizes.json: the budgets that
// tests/budget.test.ts holds the package to, and a table of README.md. In: dist/, build/ and models/ as `npm run build`
// leaves them. Out: bytes; of code as esbuild bundles and minifies it, with everything exported kept.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Command } from 'commander'
import { type BuildOptions, build } from 'esbuild'

export interface Size {
  readonly part: string
  /** Where code runs; nothing for files that run everywhere. */
  readonly runtime?: Runtime
  readonly bytes: number
  readonly gzip: number
}

type Runtime = 'Node' | 'browser' | 'Worker'

const root = fileURLToPath(new URL('../', import.meta.url))
export const sizesFile = join(root, 'bench/results/sizes.json')

const TARGETS: { readonly [runtime in Runtime]: BuildOptions } = {
  Node: { platform: 'node', conditions: ['node'] },
  browser: { platform: 'browser', conditions: ['browser'] },
  Worker: { platform: 'neutral', conditions: ['workerd'], mainFields: ['module'] },
}
/** Loaded as files of their own, or installed by whoever wants them. */
const EXTERNAL = ['*.wasm', '*.bin', 'webgpu']
const ENTRIES: readonly (readonly [string, ...Runtime[]])[] = [
  ['attenuate-edge', 'Node', 'browser', 'Worker'],
  ['attenuate-edge/worklet', 'browser'],
  ['attenuate-edge/worklet/processor.js', 'browser'],
  ['attenuate-edge/webgpu', 'Node', 'browser'],
  ['attenuate-edge/wav', 'Node'],
  ['attenuate-edge/esbuild', 'Node'],
]

export async function measureSizes(): Promise<Size[]> {
  const bundles = ENTRIES.flatMap(([entry, ...runtimes]) => runtimes.map((runtime) => measureBundle(entry, runtime)))
  return [...(await Promise.all(bundles)), ...measureFiles('build', '.wasm'), ...measureFiles('models', '.ssm'), pack()]
}

async function measureBundle(part: string, runtime: Runtime): Promise<Size> {
  const { outputFiles } = await build({
    ...TARGETS[runtime],
    stdin: { contents: part.endsWith('.js') ? `import '${part}'` : `export * from '${part}'`, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: EXTERNAL,
    logLevel: 'error',
  })
  const [{ contents }] = outputFiles
  return { part, runtime, ...weigh(contents) }
}

function measureFiles(folder: string, suffix: string): Size[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(suffix) && !name.includes('.debug.'))
    .sort()
    .map((part) => ({ part, ...weigh(readFileSync(join(root, folder, part))) }))
}

function weigh(bytes: Uint8Array): { bytes: number; gzip: number } {
  return { bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}

/** As it is installed, and as it is downloaded. */
function pack(): Size {
  const args = ['pack', '--json', '--dry-run', '--ignore-scripts']
  const said = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [{ size, unpackedSize }] = JSON.parse(said)
  return { part: 'the package, installed (tarball)', bytes: unpackedSize, gzip: size }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  new Command('npm run sizes').description('weighs the built package, and writes bench/results/sizes.json anew').parse()
  const sizes = await measureSizes()
  writeFileSync(sizesFile, `${JSON.stringify(sizes, null, 2)}\n`)
  for (const { part, runtime, bytes, gzip } of sizes)
    console.log([part, runtime ?? '', `${bytes} bytes`, `${gzip} gzip`].join('\t'))
}
