// WebGPU in Node: Dawn, from the optional package webgpu.

import { existsSync, readdirSync } from 'node:fs'
import { AttenuateError } from '../errors.ts'
import type { GpuHost } from './device.ts'

const POWER_SUPPLIES = '/sys/class/power_supply'

/** `flags`: of Dawn, such as `enable-dawn-features=...`. */
export function nodeGpu(flags: readonly string[] = []): GpuHost {
  return {
    async find() {
      const name = 'webgpu' // not a literal: whoever does not have it must still be able to compile and bundle
      try {
        const { create } = (await import(name)) as { create(flags: readonly string[]): GPU }
        return create(flags)
      } catch (error) {
        throw new AttenuateError(
          'ENVIRONMENT_UNSUPPORTED',
          'WebGPU in Node needs the optional package webgpu',
          (error as Error).message.split('\n')[0],
          "npm install webgpu, or use backend 'wasm'",
        )
      }
    },

    async hasBattery() {
      if (!existsSync(POWER_SUPPLIES)) return false
      return readdirSync(POWER_SUPPLIES).some((supply) => supply.startsWith('BAT'))
    },
  }
}
