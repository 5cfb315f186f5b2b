// Cloudflare Workers: the core and the shipped models are modules of the Worker. A static import of `.wasm` gives a compiled
// Module (bytes are never compiled there), one of `.bin` an ArrayBuffer; Wrangler's default rules know both endings, so
// that no configuration is needed. The addresses are those of the built package: dist/sdk/ -> dist/models/, build/.

import core from '../../build/core.simd.wasm'
import base from '../models/base.bin'
import hq from '../models/hq.bin'
import lite from '../models/lite.bin'
import nano from '../models/nano.bin'
import { absoluteUrl, download } from './download.ts'
import type { Host, Progress } from './host.ts'
import { isModelName, type ModelName } from './models.ts'

const FILES: Readonly<Record<ModelName, ArrayBuffer>> = { base, lite, hq, nano }

export const workerdHost: Host = {
  async loadCore() {
    return core
  },

  async readModel(source: string | URL, progress: Progress) {
    if (typeof source === 'string' && isModelName(source)) return new Uint8Array(FILES[source])
    return download(absoluteUrl(source), progress)
  },

  readWasm(source: string | URL) {
    return download(absoluteUrl(source))
  },

  /** Stands still while code runs (a defence against timing attacks): `stats().busyMs` is 0 in production. */
  now: () => performance.now(),
}
