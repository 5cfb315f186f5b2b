// For tests: WebGPU in Node on Chromium's SwiftShader, which any machine with Chromium has, and what streams must give.

import { existsSync, readFileSync } from 'node:fs'
import { type CompileOptions, compile } from '../../quantize/compile.ts'
import { Denoiser } from '../index.ts'
import { joined } from '../pieces.ts'
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
  const { create } = (await import('webgpu')) as unknown as { create(flags: string[]): GPU }
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

/** What a stream must give: its samples through a denoiser of their own, to the end of the stream or as far as they go. */
export async function denoisedAlone(model: Uint8Array, samples: Float32Array, isEnded = true): Promise<Float32Array> {
  const denoiser = await Denoiser.create({ model })
  const parts = [denoiser.process(samples), ...(isEnded ? [denoiser.flush()] : [])]
  denoiser.dispose()
  return joined(parts)
}
