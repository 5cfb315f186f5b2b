// A Worker as users write it: the package by name, no configuration. What the SDK makes of samples in this runtime, and what
// it says when it refuses; one path per question of sdk.test.ts.

import { Denoiser, loadModel } from 'attenuate-edge'
import scalar from '../../build/core.scalar.wasm'
import simd from '../../build/core.simd.wasm'
import { fingerprint } from '../engines/fingerprint.js'

const QUESTIONS = {
  /** Body: f32 samples. */
  '/fingerprint': async (request) =>
    fingerprint({ Denoiser, MODELS: { base: 0, lite: 0, hq: 0, nano: 0 } }, await samplesOf(request), { simd, scalar }, hash),

  /** The model that each of the platform's stores gives, by its SHA-256; `url`: where it is served. */
  '/stores': async (_, env, url) => {
    const address = url.searchParams.get('url')
    await caches.default.put(address, await fetch(address))
    const sources = {
      bucket: await env.BUCKET.get('lite'),
      values: await env.VALUES.get('lite', 'arrayBuffer'),
      cache: await caches.default.match(address),
      response: await fetch(address),
      url: address,
    }
    const hashes = {}
    for (const [name, source] of Object.entries(sources)) hashes[name] = (await loadModel(source)).model.sha256
    return hashes
  },

  /** Body: a snapshot of `lite`. Its next second of silence. */
  '/restore': async (request) => {
    using denoiser = await Denoiser.create({ model: 'lite' })
    denoiser.restore(new Uint8Array(await request.arrayBuffer()))
    return { hash: await hash(new Uint8Array(denoiser.process(new Float32Array(16000)).buffer)) }
  },

  /** Body: a core's bytes. */
  '/compile': async (request) => Denoiser.create({ wasm: await request.arrayBuffer() }),
  '/default': async () => {
    using denoiser = await Denoiser.create()
    return { name: denoiser.model.card.name, latencyMs: denoiser.latencyMs }
  },
  '/unknown': () => Denoiser.create({ model: 'no-such-model' }),
  '/absent': async (_, env) => Denoiser.create({ model: await env.BUCKET.get('absent') }),
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    try {
      return Response.json(await QUESTIONS[url.pathname](request, env, url))
    } catch (error) {
      return Response.json({ message: error.message }, { status: 400 })
    }
  },
}

async function samplesOf(request) {
  return new Float32Array(await request.arrayBuffer())
}

async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
