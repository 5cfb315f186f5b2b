// `npm run build:sdk`: dist/ but for the models, anew, so that no module of yesterday is published. In: tsconfig.build.json names the
// entries of the package; what they import comes with them. Out: its modules and declarations, and over them what is loaded as one
// file. The entry for Node and the command line: sixty modules would take 15 ms longer to find and load than one. The worklet's
// processor: bundlers copy what `new URL('./processor.js', import.meta.url)` names and do not follow its imports.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root, run } from './installed.mjs'

const dist = join(root, 'dist')
mkdirSync(dist, { recursive: true })
for (const name of readdirSync(dist).filter((name) => name !== 'models')) rmSync(join(dist, name), { recursive: true })
run('npx', ['tsc', '-p', 'tsconfig.build.json'])

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** Small, and needed before the first hop where the host has no crypto of its own. */
const INCLUDED = '@noble/hashes'
const common = { absWorkingDir: root, bundle: true, format: 'esm', legalComments: 'inline' }

await build({
  ...common,
  entryPoints: ['sdk/index.ts', 'sdk/cli/index.ts', 'sdk/webgpu/index.ts'],
  outbase: '.',
  outdir: 'dist',
  chunkNames: 'sdk/[name]-[hash]',
  splitting: true, // one AttenuateError for all
  platform: 'node',
  target: 'node20',
  external: Object.keys(dependencies).filter((name) => name !== INCLUDED),
})

await build({
  ...common,
  entryPoints: ['sdk/worklet/processor.ts'],
  outfile: 'dist/sdk/worklet/processor.js',
  target: 'es2022',
  minify: true,
})

await build({
  ...common,
  entryPoints: ['sdk/webgpu/worker.ts'],
  outfile: 'dist/sdk/webgpu/worker.js',
  platform: 'node',
  target: 'node20',
})
