// Instructions that one hop costs, counted by QEMU. In: nothing but the built SDK and examples/wasm-host. Out: a row for every
// shipped model, architecture and host: Node with the SIMD core (a whole call of the SDK), and the C host with the scalar core.
// Counts do not depend on the machine that counts, only on models, core, engine and compiler.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeModel } from '../../quantize/modelfile.ts'
import { encodeSamples } from '../../sdk/pcm.ts'
import { encodeWavHeader } from '../../sdk/wav.ts'
import { type Architecture, ensureCounted } from '../../tests/engines/engines.ts'
import { type BuiltHost, buildHost } from '../../tests/engines/toolchains.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import type { HostKind, InstructionCount, InstructionTable } from '../instructions.ts'

const ARCHITECTURES: readonly Architecture[] = ['x64', 'arm64', 'armv7']
/** Numbers of the system calls that mark a place: in Node by intention, in the C host its end. */
const UMASK: Readonly<Record<Architecture, number>> = { x64: 95, arm64: 166, armv7: 60 }
const EXIT_GROUP: Readonly<Record<Architecture, number>> = { x64: 231, arm64: 94, armv7: 248 }
/** Every function by the optimising compiler and at once, nothing on other threads: the same count each time. */
const NODE_FLAGS = [
  '--predictable',
  '--single-threaded',
  '--no-liftoff',
  '--no-wasm-tier-up',
  '--no-wasm-lazy-compilation',
]
const NODE_HOPS = 100
/** Lengths of two runs of the C host: their difference holds neither start nor end. */
const HOST_HOPS = [6, 10]

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const modelFile = (name: string) => here(`../../models/${name}.ssm`)

interface Mark {
  readonly instructions: number
  readonly wide: number
}

export function countInstructions(models: readonly string[]): InstructionTable {
  const folder = mkdtempSync(join(tmpdir(), 'counting-'))
  try {
    const plugin = join(folder, 'counter.so')
    const flags = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC']
    execFileSync('gcc', [...flags, '-o', plugin, here('counter.c')])
    const hosts = Object.fromEntries(ARCHITECTURES.map((each) => [each, buildHost(each, folder)]))
    return {
      counts: ARCHITECTURES.flatMap((architecture) => [
        ...countNode(architecture, models, plugin, folder),
        ...countHost(architecture, models, hosts[architecture], plugin, folder),
      ]),
      coreBytes: Object.fromEntries(ARCHITECTURES.map((each) => [each, hosts[each].coreBytes])),
      compilers: Object.fromEntries(ARCHITECTURES.map((each) => [each, hosts[each].compiler])),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function countNode(architecture: Architecture, models: readonly string[], plugin: string, folder: string) {
  const { emulator, program } = ensureCounted()[architecture]
  const counter = `${plugin},syscall=${UMASK[architecture]},set=${architecture}`
  const marks = runCounted(emulator, counter, folder, [program, ...NODE_FLAGS, here('hops.mjs'), ...models])
  if (marks.length !== 2 * models.length) throw new Error(`${marks.length} marks of ${models.length} models`)
  return models.map((model, i) => rowOf(model, 'node', architecture, NODE_HOPS, marks[2 * i], marks[2 * i + 1]))
}

function countHost(
  architecture: Architecture,
  models: readonly string[],
  { emulator, program }: BuiltHost,
  plugin: string,
  folder: string,
) {
  const counter = `${plugin},syscall=${EXIT_GROUP[architecture]},set=${architecture}`
  return models.map((model) => {
    const [short, long] = HOST_HOPS.map((hops) => {
      const noisy = writeNoise(model, hops, folder)
      return runCounted(emulator, counter, folder, [program, modelFile(model), noisy, join(folder, 'clean.wav')])[0]
    })
    return rowOf(model, 'c', architecture, HOST_HOPS[1] - HOST_HOPS[0], short, long)
  })
}

function runCounted(emulator: readonly string[], counter: string, folder: string, command: readonly string[]): Mark[] {
  const log = join(folder, 'marks')
  const [qemu, ...args] = [...emulator, '-plugin', counter, '-d', 'plugin', '-D', log, ...command]
  const { status, stderr } = spawnSync(qemu, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command.join(' ')}: exit code ${status} under ${qemu}\n${stderr}`)
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [instructions, wide] = line.split(' ').map(Number)
    return { instructions, wide }
  })
}

function rowOf(
  model: string,
  host: HostKind,
  architecture: Architecture,
  hops: number,
  from: Mark,
  to: Mark,
): InstructionCount {
  const perHop = (a: number, b: number) => Math.round((b - a) / hops)
  return {
    model,
    host,
    architecture,
    instructionsPerHop: perHop(from.instructions, to.instructions),
    wideInstructionsPerHop: perHop(from.wide, to.wide),
  }
}

function writeNoise(model: string, hops: number, folder: string): string {
  const { inputRate, inputHop } = decodeModel(readFileSync(modelFile(model)))
  const samples = drawSamples(hops * inputHop, 0, 0.4)
  const header = encodeWavHeader({ sampleFormat: 's16', sampleRate: inputRate, channels: 1 }, 2 * samples.length)
  const bytes = new Uint8Array(header.length + 2 * samples.length)
  bytes.set(header)
  encodeSamples('s16', samples, samples.length, bytes.subarray(header.length))
  const path = join(folder, 'noisy.wav')
  writeFileSync(path, bytes)
  return path
}
