// Denoisers that nobody disposed of: what they took of the core's memory is given back after they were collected, and once.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { shareCore } from './cores.ts'

import { freeWith } from './dropped.ts'
import { nodeHost } from './host.node.ts'
import { Denoiser, type DenoiserOptions } from './index.ts'

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void
const core = await shareCore(nodeHost)

/** Most collections until what was dropped is finalised: the host says when. */
const PATIENCE = 500

async function collectUntil(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < PATIENCE && !isDone(); i++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function use(options: DenoiserOptions): Promise<void> {
  const denoiser = await Denoiser.create(options)
  denoiser.process(new Float32Array(4000 * denoiser.channels))
}

const KINDS: Readonly<Record<string, DenoiserOptions>> = {
  'at its own rate': { model: 'lite' },
  'at another rate, with a high band': { model: 'lite', sampleRate: 48000, highBand: 'follow' },
  'with a governor': { model: 'base', governor: {} },
  'with a recorder and a listener': { model: 'lite', recordSeconds: 1, onVoice: () => undefined },
}

for (const [name, options] of Object.entries(KINDS))
  test(`dropped: ${name}`, async () => {
    const before = core.usedBytes
    for (let i = 0; i < 20; i++) await use(options)
    await collectUntil(() => core.usedBytes === before)
    assert.is(core.usedBytes, before)
  })

test('disposed of and dropped: freed once', async () => {
  const before = core.usedBytes
  const kept = await Denoiser.create({ model: 'lite' })
  const one = core.usedBytes
  for (let i = 0; i < 20; i++) {
    const denoiser = await Denoiser.create({ model: 'lite', sampleRate: 48000 })
    denoiser.dispose()
  }
  // something else is dropped after them: once it is freed, their turn has come too
  let isFreed = false
  freeWith({}, () => (isFreed = true))
  await collectUntil(() => isFreed)
  assert.ok(isFreed)
  assert.is(core.usedBytes, one)
  kept.dispose()
  assert.is(core.usedBytes, before)
})

test.run()
