// Browsers: the core and the shipped models are files beside this module. The addresses are written out, one literal for each
// file, because that is what bundlers look for (`new URL('...', import.meta.url)`): they copy the files and rewrite them.
// They are those of the built package: dist/sdk/ -> dist/models/, build/.

import { compile } from './cores.ts'
import { absoluteUrl, download } from './download.ts'
import type { Host, Progress } from './host.ts'
import { isModelName, type ModelName } from './models.ts'

const FILES: Readonly<Record<ModelName, () => URL>> = {
  base: () => new URL('../models/base.bin', import.meta.url),
  lite: () => new URL('../models/lite.bin', import.meta.url),
  hq: () => new URL('../models/hq.bin', import.meta.url),
  nano: () => new URL('../models/nano.bin', import.meta.url),
}

const MEMORY_KEY = 'attenuate-edge device'

export const browserHost: Host = {
  async loadCore() {
    return compile(await download(new URL('../../build/core.simd.wasm', import.meta.url)))
  },

  readModel(source: string | URL, progress: Progress) {
    if (typeof source === 'string' && isModelName(source)) return download(FILES[source](), progress)
    return download(absoluteUrl(source), progress)
  },

  readWasm(source: string | URL) {
    return download(absoluteUrl(source))
  },

  now: () => performance.now(),

  memory: {
    async read() {
      try {
        return globalThis.localStorage?.getItem(MEMORY_KEY) ?? undefined
      } catch {
        return undefined // pages may be denied storage
      }
    },
    async write(text) {
      try {
        globalThis.localStorage?.setItem(MEMORY_KEY, text)
      } catch {}
    },
  },
}
