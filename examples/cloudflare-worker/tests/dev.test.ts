// `wrangler dev`, whose proxy and whose reading of what nobody has read lie between a caller and the Worker: uploads that are
// refused in their middle leave those after them alone, and raw PCM comes out whole.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { unstable_startWorker as startWorker } from 'wrangler'
import { encodeWavHeader } from '../../../sdk/wav.ts'
import { CONFIG } from './edge.ts'

/** More than any buffer on the way holds. */
const BODY_BYTES = 1_800_000

const test = suite<{ worker: Awaited<ReturnType<typeof startWorker>>; url: URL; folder: string }>('wrangler dev')

test.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'dev-'))
  context.worker = await startWorker({
    config: CONFIG,
    dev: { logLevel: 'none', persist: context.folder, server: { hostname: '127.0.0.1', port: 0 }, inspector: false },
  })
  context.url = await context.worker.url
})

test.after(async ({ worker, folder }) => {
  await worker.dispose()
  rmSync(folder, { recursive: true })
})

function wav(channels: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + BODY_BYTES)
  bytes.set(encodeWavHeader({ sampleFormat: 's16', sampleRate: 16000, channels }, BODY_BYTES))
  return bytes
}

/** Status and length of the answer. */
async function post(url: URL, query: string, type: string, body: Uint8Array<ArrayBuffer>): Promise<[number, number]> {
  const response = await fetch(new URL(`/denoise?model=lite${query}`, url), {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })
  return [response.status, (await response.arrayBuffer()).byteLength]
}

test('raw PCM comes out whole', async ({ url }) => {
  assert.equal(await post(url, '', 'audio/pcm', new Uint8Array(BODY_BYTES)), [200, BODY_BYTES])
})

for (const [status, what, query, channels] of [
  [400, 'an unknown preset', '&preset=loud', 1],
  [422, 'nine channels', '', 9],
] as const)
  test(`${what}: refused, and the next upload is not`, async ({ url }) => {
    for (let i = 0; i < 2; i++) {
      assert.is((await post(url, query, 'audio/wav', wav(channels)))[0], status)
      assert.equal(await post(url, '', 'audio/wav', wav(1)), [200, 44 + BODY_BYTES])
    }
  })

test.run()
