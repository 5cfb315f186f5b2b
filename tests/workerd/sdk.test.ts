// The package in real workerd, bundled by Wrangler with its default rules: the same bits as in Node, models from everywhere
// that the platform keeps bytes, errors that say what to do.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Miniflare } from 'miniflare'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser, MODELS } from '../../sdk/index.ts'
import { fingerprint } from '../engines/fingerprint.js'
import { drawSamples } from '../golden/signal.ts'
import { bundleWorker, COMPATIBILITY_DATE } from './bundle.ts'

const read = (path: string) => new Uint8Array(readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url))))
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const samples = drawSamples(24_000, 1000, 0.3)
const lite = read('models/lite.ssm')

const test = suite<{ workerd: Miniflare; server: Server }>('workerd')

test.before(async (context) => {
  const { modules } = await bundleWorker('tests/workerd/probe.js', [
    '--name=probe',
    `--compatibility-date=${COMPATIBILITY_DATE}`,
  ])
  context.server = createServer((_, response) => response.setHeader('cache-control', 'max-age=60').end(lite))
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve))
  context.workerd = new Miniflare({
    modules,
    compatibilityDate: COMPATIBILITY_DATE,
    r2Buckets: ['BUCKET'],
    kvNamespaces: ['VALUES'],
  })
  await (await context.workerd.getR2Bucket('BUCKET')).put('lite', lite)
  await (await context.workerd.getKVNamespace('VALUES')).put('lite', lite.buffer)
})

test.after(async ({ workerd, server }) => {
  await workerd.dispose()
  server.close()
})

async function ask(workerd: Miniflare, path: string, body?: Uint8Array<ArrayBuffer>): Promise<Record<string, unknown>> {
  const sent = body === undefined ? {} : { method: 'POST', body }
  const response = await workerd.dispatchFetch(`http://probe.test${path}`, sent)
  return (await response.json()) as Record<string, unknown>
}

test('the same bits as in Node: every model, both cores, three rates', async ({ workerd }) => {
  const cores = {
    simd: new WebAssembly.Module(read('build/core.simd.wasm')),
    scalar: new WebAssembly.Module(read('build/core.scalar.wasm')),
  }
  const expected = await fingerprint({ Denoiser, MODELS }, samples, cores, hash)
  assert.is(Object.keys(expected).length, 14)
  assert.equal(await ask(workerd, '/fingerprint', new Uint8Array(samples.slice().buffer)), expected)
})

test('models from R2, KV, the Cache, a response, a URL', async ({ workerd, server }) => {
  const { port } = server.address() as AddressInfo
  const found = await ask(workerd, `/stores?url=http://127.0.0.1:${port}/lite.ssm`)
  using denoiser = await Denoiser.create({ model: lite })
  const { sha256 } = denoiser.model
  assert.equal(found, { bucket: sha256, values: sha256, cache: sha256, response: sha256, url: sha256 })
})

test('a stream begun in Node goes on in workerd', async ({ workerd }) => {
  using denoiser = await Denoiser.create({ model: 'lite' })
  denoiser.process(samples)
  const moved = await ask(workerd, '/restore', new Uint8Array(denoiser.snapshot()))
  assert.is(moved.hash, hash(new Uint8Array(denoiser.process(new Float32Array(16000)).buffer)))
})

test('nothing said: base', async ({ workerd }) => {
  assert.equal(await ask(workerd, '/default'), { name: 'base', latencyMs: 16 })
})

test('refusals say what to do', async ({ workerd }) => {
  const { message: bytes } = await ask(workerd, '/compile', read('build/core.simd.wasm'))
  assert.match(String(bytes), /^ENVIRONMENT_UNSUPPORTED: WASM core cannot be compiled, .*; .*pass a compiled Module$/)
  const { message: unknown } = await ask(workerd, '/unknown')
  assert.is(unknown, 'LOAD_FAILED: no URL, no-such-model; give a URL or one of: base, lite, hq, nano')
  const { message: absent } = await ask(workerd, '/absent')
  assert.match(String(absent), /^OPTION_INVALID: model, null; /)
})

test.run()
