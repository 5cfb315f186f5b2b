// What is loaded as one file, over the modules that tsc has written. The entry for Node and the command line: sixty modules
// would take 15 ms longer to find and load than one. The worklet's processor: bundlers copy what
// `new URL('./processor.js', import.meta.url)` names and do not follow its imports.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './installed.mjs'

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** Small, and needed before the first hop where the host has no crypto of its own. */
const INCLUDED = '@noble/hashes'
const common = { absWorkingDir: root, bundle: true, format: 'esm', legalComments: 'inline' }

const sdk = join(root, 'dist/sdk')
for (const file of readdirSync(sdk).filter((name) => name.startsWith('chunk-'))) rmSync(join(sdk, file))

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
