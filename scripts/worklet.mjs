// The worklet's processor as one file without imports: dist/sdk/worklet/processor.js. Bundlers copy what
// `new URL('./processor.js', import.meta.url)` names and do not follow its imports.

import { build } from 'esbuild'
import { root } from './installed.mjs'

await build({
  absWorkingDir: root,
  entryPoints: ['sdk/worklet/processor.ts'],
  outfile: 'dist/sdk/worklet/processor.js',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'inline',
})
