// Builds the core: asc for each target of asconfig.json, then wasm-opt. Out: build/core.{simd,relaxed,scalar,debug}.wasm,
// build/core.simd.wat (the same code as text, with the source's lines: loops.mjs reads it) and, on standard output, their
// bytes. Usage: node assembly/build.mjs [target..]

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { scalarise } from './scalar.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tool = (name) => join(root, 'node_modules', '.bin', name)
const run = (name, ...args) => execFileSync(tool(name), args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })

/** What asc may emit; nothing else passes wasm-opt's validation. */
const FEATURES = [
  '--mvp-features',
  '--enable-bulk-memory',
  '--enable-mutable-globals',
  '--enable-nontrapping-float-to-int',
  '--enable-sign-ext',
]
const SIMD = ['--enable-simd']
const RELAXED = [...SIMD, '--enable-relaxed-simd']

/**
 * Kernels keep v128 in registers: whatever takes or returns one is small and is inlined. Memory that the host gives is new: no
 * zeros are written into it.
 */
const OPTIMISE = [
  '-O3',
  '--flexible-inline-max-function-size=400',
  '--always-inline-max-function-size=30',
  '--zero-filled-memory',
]
const STRIP = ['--strip-debug', '--strip-producers', '--strip-target-features']

const TARGETS = {
  simd: () => compile('simd', SIMD),
  relaxed: () => compile('relaxed', RELAXED),
  scalar: compileScalar,
  debug: () => run('asc', '--config', 'asconfig.json', '--target', 'debug', '--outFile', 'build/core.debug.wasm'),
}

function compile(target, features) {
  const raw = `build/raw.${target}.wasm`
  const placed = `build/placed.${target}.wasm`
  const out = `build/core.${target}.wasm`
  run('asc', '--config', 'asconfig.json', '--target', target, '--sourceMap', '--outFile', raw)
  const all = [...FEATURES, ...features]
  run('wasm-opt', raw, '-ism', `${raw}.map`, ...all, ...OPTIMISE, '-o', placed, '-osm', `${placed}.map`)
  run('wasm-opt', placed, ...all, ...STRIP, '-o', out)
  if (target === 'simd')
    run('wasm-opt', placed, '-ism', `${placed}.map`, ...all, '-q', '-S', '-o', 'build/core.simd.wat')
  for (const path of [raw, placed, `${raw}.map`, `${placed}.map`]) rmSync(join(root, path))
}

/** From the SIMD core, flattened, without its vectors. */
function compileScalar() {
  const flat = 'build/raw.scalar.wat'
  const lanes = 'build/raw.lanes.wat'
  if (!wanted.includes('simd')) TARGETS.simd()
  run('wasm-opt', 'build/core.simd.wasm', ...FEATURES, ...SIMD, '--flatten', '-S', '-o', flat)
  writeFileSync(join(root, lanes), scalarise(readFileSync(join(root, flat), 'utf8')))
  run('wasm-opt', lanes, ...FEATURES, ...OPTIMISE, ...STRIP, '-o', 'build/core.scalar.wasm')
  for (const path of [flat, lanes]) rmSync(join(root, path))
}

function report(target) {
  const bytes = readFileSync(join(root, `build/core.${target}.wasm`))
  if (!WebAssembly.validate(bytes))
    console.log(
      `core.${target}.wasm: this Node does not run it (needs relaxed SIMD); built all the same, and nothing loads it unasked`,
    )
  console.log(`core.${target}.wasm ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzip`)
}

mkdirSync(join(root, 'build'), { recursive: true })
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TARGETS)
for (const target of wanted) {
  if (!(target in TARGETS)) throw new Error(`unknown target ${target}: use ${Object.keys(TARGETS).join(', ')}`)
  TARGETS[target]()
  report(target)
}
