// The bench as one folder for a bare linux-x64 machine with a GPU: Node, Dawn, the Vulkan loader, cores, models, run.sh. In:
// what npm and the build have brought here, one package from the registry. Out: the folder, small enough to be carried.
//   npm run bundle:webgpu

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Command } from 'commander'
import { build } from 'esbuild'
import { ensureNode20 } from '../../tests/engines/engines.ts'

const LIMIT_BYTES = 56e6
const MODELS = ['base', 'lite', 'hq']
/** GLVND, which NVIDIA's driver opens even where nothing is drawn; after the machine's own on the path. */
const DISPATCH = ['libGLdispatch.so.0', 'libEGL.so.1', 'libGLX.so.0', 'libGL.so.1']
/** Where Linux distributions keep libraries. */
const LIBRARIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib']

const root = fileURLToPath(new URL('../..', import.meta.url))
const here = fileURLToPath(new URL('.', import.meta.url))
const FOLDER = join(root, 'build/bench-webgpu')

/** Writes the bundle where nothing else is kept: `folder` is removed first. Returns its bytes. */
export async function writeBundle(folder: string): Promise<number> {
  rmSync(folder, { recursive: true, force: true })
  await build({
    entryPoints: { bench: join(here, 'index.ts'), worker: join(root, 'sdk/webgpu/worker.ts') },
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    // packages that are CommonJS ask for Node's modules that way
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  copy(join(here, 'run.sh'), folder)
  compress(ensureNode20().program, folder)
  compress(join(root, 'node_modules/webgpu/dist/linux-x64/dawn.node'), folder)
  copy(library('libvulkan.so.1'), join(folder, 'lib'))
  for (const name of DISPATCH) copy(library(name), join(folder, 'lib/gl'))
  for (const name of ['libstdc++.so.6', 'libgcc_s.so.1']) copy(library(name), join(folder, 'lib/c++'))
  copy(join(root, 'build/core.simd.wasm'), join(folder, 'build'))
  for (const name of MODELS)
    for (const file of [`${name}.ssm`, `${name}.safetensors`]) copy(join(root, 'models', file), join(folder, 'models'))
  const bytes = sizeOf(folder)
  if (bytes > LIMIT_BYTES) throw new Error(`${folder}: ${bytes} bytes, ${LIMIT_BYTES} at most`)
  return bytes
}

function copy(file: string, folder: string): void {
  if (!existsSync(file)) throw new Error(`${file} is missing: npm install, npm run build`)
  mkdirSync(folder, { recursive: true })
  copyFileSync(file, join(folder, basename(file)))
}

function compress(file: string, folder: string): void {
  writeFileSync(join(folder, `${basename(file)}.gz`), gzipSync(readFileSync(file), { level: 9 }))
}

function library(name: string): string {
  const found = LIBRARIES.map((folder) => join(folder, name)).find((path) => existsSync(path))
  if (found === undefined)
    throw new Error(`${name} is in none of ${LIBRARIES.join(', ')}: apt install libvulkan1 libegl1 libgl1 libstdc++6`)
  return found
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  new Command('npm run bundle:webgpu').description('makes the folder build/bench-webgpu anew').parse()
  console.log(`${FOLDER}: ${((await writeBundle(FOLDER)) / 1e6).toFixed(1)} MB; there: bash run.sh figures.json`)
}
