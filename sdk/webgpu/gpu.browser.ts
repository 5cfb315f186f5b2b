// WebGPU in browsers: navigator.gpu, of pages and workers.

import { fail } from '../errors.ts'
import type { GpuHost } from './device.ts'

/** Not in the standard library's types: the first is Chromium's, the second was dropped by some. */
interface Hints {
  readonly userAgentData?: { readonly mobile: boolean }
  getBattery?(): Promise<{ readonly charging: boolean; readonly level: number }>
}

export const browserGpu: GpuHost = {
  async find() {
    const { gpu } = navigator as Navigator & { gpu?: GPU }
    if (gpu === undefined)
      fail(
        'ENVIRONMENT_UNSUPPORTED',
        'navigator.gpu',
        globalThis.isSecureContext ? 'missing' : 'missing: the page is not served over https',
        "use a browser with WebGPU, or backend 'wasm'",
      )
    return gpu
  },

  async hasBattery() {
    const hints = navigator as Navigator & Hints
    if (hints.userAgentData?.mobile) return true
    try {
      // a desktop computer reports a full battery that charges
      const battery = await hints.getBattery?.()
      return battery !== undefined && !(battery.charging && battery.level === 1)
    } catch {
      return false
    }
  },
}
