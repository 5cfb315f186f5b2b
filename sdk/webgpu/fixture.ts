// For tests: WebGPU in Node on Chromium's SwiftShader, which any machine with Chromium has, and distances of signals.

import { existsSync, readFileSync } from 'node:fs'
import { compile } from '../../quantize/compile.ts'

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

/** One of the networks of tests/golden, as an f32 model file. */
export function readGolden(name: string): Uint8Array {
  return compile(readFileSync(new URL(`../../tests/golden/${name}.safetensors`, import.meta.url)))
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
