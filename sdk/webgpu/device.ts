// A GPU device, opened with all it offers. In: an implementation of WebGPU (browser, Dawn), the battery. Out: the device,
// what it is called, and how to let go of it.

import { AttenuateError } from '../errors.ts'

/** What differs between hosts. */
export interface GpuHost {
  /** The implementation; fails with ENVIRONMENT_UNSUPPORTED where there is none. */
  find(): Promise<GPU>
  /** Whether this is a device that runs on a battery. */
  hasBattery(): Promise<boolean>
}

export interface OpenDevice {
  readonly device: GPUDevice
  readonly description: string
  /** Whether shaders may have dot products of packed bytes. */
  readonly hasDots: boolean
  /** Adapters that are programs, such as SwiftShader. */
  readonly isSoftware: boolean
  close(): void
}

/** Implementations in use: Dawn's dies, and its devices with it, when nothing refers to it any more. */
const inUse = new Set<{ gpu: GPU }>()

/** Fails with ENVIRONMENT_UNSUPPORTED where there is no adapter. `wanted`: features beyond what a hop needs, if there are. */
export async function openDevice(host: GpuHost, wanted: readonly GPUFeatureName[] = []): Promise<OpenDevice> {
  const gpu = await host.find()
  const adapter = await findAdapter(gpu, await host.hasBattery())
  if (adapter === null)
    throw new AttenuateError(
      'ENVIRONMENT_UNSUPPORTED',
      'WebGPU adapter',
      'none',
      "install a Vulkan, Metal or Direct3D 12 driver, or use backend 'wasm'",
    )
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  })
  const { vendor, architecture, description } = adapter.info
  const use = { gpu }
  inUse.add(use)
  return {
    device,
    description: [vendor, architecture, description].filter((part) => part !== '').join(' ') || 'unnamed adapter',
    hasDots: gpu.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ?? false,
    isSoftware: isSoftware(adapter),
    close: () => {
      device.destroy()
      inUse.delete(use)
    },
  }
}

const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
] as const

/** On a battery the frugal adapter first; elsewhere the fast one; then any. */
async function findAdapter(gpu: GPU, hasBattery: boolean): Promise<GPUAdapter | null> {
  const powerPreference = hasBattery ? 'low-power' : 'high-performance'
  return (await gpu.requestAdapter({ powerPreference })) ?? (await gpu.requestAdapter())
}

function isSoftware({ info }: GPUAdapter): boolean {
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${info.architecture} ${info.description}`)
}
