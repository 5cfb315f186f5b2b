// For the demos: dependencies and the built package, made where they are missing. After changes in the sources run
// `npm run build` yourself.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { install, root, run } from './installed.mjs'

const BUILT = ['build/core.simd.wasm', 'models/base.ssm', 'dist/models/nano.bin', 'dist/sdk/worklet/processor.js']

export function ensureBuilt() {
  install()
  if (BUILT.every((path) => existsSync(join(root, path)))) return
  console.error('building the package (npm run build)')
  run('npm', ['run', '--silent', 'build'])
}
