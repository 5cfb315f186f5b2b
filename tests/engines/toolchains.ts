// C compilers for the processors that tests/engines emulates, and wasm2c. Out: how to build examples/wasm-host for each and how to
// run what comes out. By apt, as root, where they are missing.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackages, hasProgram } from '../../scripts/debian.mjs'
import { type Architecture, ensureCounted } from './engines.ts'

const source = fileURLToPath(new URL('../../examples/wasm-host', import.meta.url))
const COMPILERS: Readonly<Record<Architecture, string>> = {
  x64: 'gcc',
  arm64: 'aarch64-linux-gnu-gcc',
  armv7: 'arm-linux-gnueabihf-gcc',
}
const PACKAGES = [
  'gcc',
  'make',
  'wabt',
  'gcc-aarch64-linux-gnu',
  'libc6-dev-arm64-cross',
  'gcc-arm-linux-gnueabihf',
  'libc6-dev-armhf-cross',
]

export interface BuiltHost {
  /** QEMU and its arguments. */
  readonly emulator: readonly string[]
  readonly program: string
  /** The first line of `--version`. */
  readonly compiler: string
  /** Machine code and constants of the core alone. */
  readonly coreBytes: number
}

/** examples/wasm-host, built from scratch into a folder of `folder`, as one static program. */
export function buildHost(architecture: Architecture, folder: string, cflags = '-O2'): BuiltHost {
  ensurePackages(PACKAGES, () => [...Object.values(COMPILERS), 'make', 'wasm2c'].every(hasProgram))
  const compiler = COMPILERS[architecture]
  const out = join(folder, architecture)
  const make = ['-s', '-C', source, `OUT=${out}`, `CC=${compiler}`, `CFLAGS=${cflags}`, 'LDFLAGS=-static']
  execFileSync('make', make, { stdio: ['ignore', 'ignore', 'inherit'] })
  return {
    emulator: ensureCounted()[architecture].emulator,
    program: join(out, 'denoise'),
    compiler: execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0],
    coreBytes: textBytes(join(out, 'core.o')),
  }
}

/** As `size` says, which reads objects of any architecture. */
function textBytes(object: string): number {
  const [, figures] = execFileSync('size', [object], { encoding: 'utf8' }).split('\n')
  return Number(figures.trim().split(/\s+/)[0])
}
