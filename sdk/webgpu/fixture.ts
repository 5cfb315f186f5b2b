// For tests: WebGPU in Node on Chromium's SwiftShader, which any machine with Chromium has, and distances of signals.

import { existsSync, readFileSync } from 'node:fs'
import { type CompileOptions, compile } from '../../quantize/compile.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import { Core } from '../core.ts'
import type { ParsedModel } from '../model.ts'
import { Network } from '../network.ts'
import type { Backend } from './backend.ts'
import { COMMANDS } from './commands.ts'
import { type OpenDevice, openDevice } from './device.ts'

const DRIVERS = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/opt/google/chrome/vk_swiftshader_icd.json']
const instances: GPU[] = []

/** What the Vulkan loader has to know of SwiftShader. */
export function softwareDriver(): string {
  const driver = DRIVERS.find((path) => existsSync(path))
  if (driver === undefined) throw new Error('no SwiftShader: install Chromium (apt install chromium)')
  return driver
}

/** Dawn on SwiftShader. `toggles`: of Dawn. */
export async function openSoftwareGpu(toggles = ''): Promise<GPU> {
  process.env.VK_ICD_FILENAMES ??= softwareDriver()
  const { create } = (await import('node-webgpu')) as unknown as { create(flags: string[]): GPU }
  const gpu = create(toggles === '' ? [] : [`enable-dawn-features=${toggles}`])
  instances.push(gpu) // Dawn crashes where its instance is collected while a device lives
  return gpu
}

export async function openSoftwareDevice(wanted: readonly GPUFeatureName[] = []): Promise<OpenDevice> {
  const gpu = await openSoftwareGpu()
  return openDevice({ find: async () => gpu, hasBattery: async () => false }, wanted)
}

/** One of the networks of tests/golden, as a model file, f32 where no other format is asked for. */
export function readGolden(name: string, options: CompileOptions = {}): Uint8Array {
  return compile(readFileSync(new URL(`../../tests/golden/${name}.safetensors`, import.meta.url)), options)
}

/** dB of a second of noise through the core over what a backend's stream 0 differs by. */
export async function measureParity(
  backend: Backend,
  parsed: ParsedModel,
  module: WebAssembly.Module,
): Promise<number> {
  const { inputHop, outputHop, inputRate } = parsed.model
  const core = await Core.open(module)
  const network = new Network(core, core.acquireProgram(parsed))
  const hops = Math.ceil(inputRate / inputHop)
  const samples = drawSamples(hops * inputHop, 0, 0.1)
  const [found, expected] = [new Float32Array(hops * outputHop), new Float32Array(hops * outputHop)]
  for (let hop = 0; hop < hops; hop++) {
    const input = samples.slice(hop * inputHop, (hop + 1) * inputHop)
    network.input().set(input)
    network.run()
    expected.set(network.output(), hop * outputHop)
    const { outputs } = await backend.run(Uint32Array.of(0, hop === 0 ? COMMANDS.reset : 0), input)
    found.set(outputs, hop * outputHop)
  }
  return signalToNoise(found, expected)
}

/** dB of `expected` over what `found` differs by. */
export function signalToNoise(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) throw new Error(`${found.length} samples, expected ${expected.length}`)
  let signal = 0
  let noise = 0
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i] ** 2
    noise += (found[i] - expected[i]) ** 2
  }
  return 10 * Math.log10(signal / noise)
}
