// What tests need of the system beside Node: installed where apt and root are at hand, before the tests run. Elsewhere it is said
// what is missing, and the tests that need it fail.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { ensurePackages, hasProgram } from './debian.mjs'

const BROWSERS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const hasBrowser = () => BROWSERS.some((path) => path !== undefined && existsSync(path))
const hasCompiler = () => ['cc', 'gcc', 'clang'].some(hasProgram)
/** The loader, and what bench/webgpu/bundle.ts packs beside it. */
const hasVulkan = () => {
  const known = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? ''
  return ['libvulkan.so.1', 'libEGL.so.1', 'libGL.so.1'].every((name) => known.includes(name))
}

/** By kind (kinds.mjs). SwiftShader comes with Chromium; the encoder in C is held against golden packets. */
const NEEDS = [
  { kinds: ['Chromium', 'SwiftShader', 'engines, QEMU'], packages: ['chromium'], isThere: hasBrowser },
  { kinds: ['SwiftShader'], packages: ['libvulkan1', 'libegl1', 'libgl1'], isThere: hasVulkan },
  { kinds: ['golden'], packages: ['gcc', 'libc6-dev'], isThere: hasCompiler },
]

export function prepareSystem(kinds) {
  if (process.platform !== 'linux') return
  for (const { packages, isThere } of NEEDS.filter((need) => need.kinds.some((kind) => kinds.has(kind)))) {
    try {
      ensurePackages(packages, isThere)
    } catch (error) {
      console.error(error.message)
    }
  }
}
