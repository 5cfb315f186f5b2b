// Node: the core and the shipped models are files of this package, other models may be files or URLs. The fixed-order SIMD
// build is taken, so that the same input gives the same bits on every machine.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { download } from './download.ts'
import { fail } from './errors.ts'
import type { Host, Progress } from './host.ts'
import { isModelName, MODELS, type ModelName } from './models.ts'

/** The package's folder, from the source in sdk/ as well as from dist/sdk/. */
const here = dirname(fileURLToPath(import.meta.url))
const isBuilt = here.endsWith(join('dist', 'sdk'))
/** A bundle finds no files of the package: it is another file, somewhere else. */
const MISSING =
  'in a checkout run `npm run build`; in a bundle leave attenuate-edge external, or give `wasm` and `model`'
const root = isBuilt ? join(here, '..', '..') : join(here, '..')

export const nodeHost: Host = {
  async loadCore() {
    const path = join(root, 'build', 'core.simd.wasm')
    return WebAssembly.compile(await readBytes(path, 'WASM core', MISSING))
  },

  readModel(source: string | URL, progress: Progress) {
    if (source instanceof URL && source.protocol === 'file:')
      return readBytes(fileURLToPath(source), 'model', 'check the path')
    if (source instanceof URL || /^https?:/.test(source)) return download(source, progress)
    if (isModelName(source)) return readBytes(shippedModel(source), 'model', MISSING)
    const names = Object.keys(MODELS).join(', ')
    return readBytes(source, 'model', `give a file, a URL or one of: ${names}`)
  },

  readWasm(source: string | URL) {
    if (source instanceof URL && source.protocol === 'file:')
      return readBytes(fileURLToPath(source), 'WASM core', 'check the path')
    if (source instanceof URL || /^https?:/.test(source)) return download(source)
    return readBytes(source, 'WASM core', 'check the path')
  },

  now: () => performance.now(),

  memory: {
    read: () => readFile(memoryPath(), 'utf8').catch(() => undefined),
    async write(text) {
      const path = memoryPath()
      // a home that cannot be written to is no reason to fail
      await mkdir(dirname(path), { recursive: true })
        .then(() => writeFile(path, text))
        .catch(() => {})
    },
  },
}

/** The package holds each model once, under the name that Workers can import (scripts/models.ts). */
function shippedModel(name: ModelName): string {
  return isBuilt ? join(root, 'dist', 'models', `${name}.bin`) : join(root, 'models', MODELS[name].file)
}

/** One file for each kind of processor and engine: homes are shared between machines. */
function memoryPath(): string {
  const device = `${cpus()[0]?.model ?? ''} ${process.arch} ${process.version}`.replace(/[^\w.-]+/g, '-')
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'attenuate-edge', `${device}.json`)
}

async function readBytes(path: string, what: string, remedy: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return fail('LOAD_FAILED', `${what} cannot be read (${code})`, path, remedy)
  }
}
