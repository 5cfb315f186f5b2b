// Which adapter is asked for, by a Dawn on SwiftShader that is listened to.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from './device.ts'
import { openSoftwareGpu } from './fixture.ts'
import { nodeGpu } from './gpu.node.ts'

/** What was asked for until a device was open; the first `refused` requests get no adapter. */
async function ask(hasBattery: boolean, refused: number): Promise<(string | undefined)[]> {
  const gpu = await openSoftwareGpu()
  const asked: (string | undefined)[] = []
  const listening = {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      asked.push(options?.powerPreference)
      return asked.length > refused ? gpu.requestAdapter(options) : null
    },
  } as unknown as GPU
  const opened = await openDevice({ find: async () => listening, hasBattery: async () => hasBattery })
  assert.match(opened.description, /swiftshader/i)
  assert.ok(opened.isSoftware)
  opened.close()
  return asked
}

test('on a battery the frugal adapter first, elsewhere the fast one', async () => {
  assert.equal(await ask(true, 0), ['low-power'])
  assert.equal(await ask(false, 0), ['high-performance'])
})

test('any adapter where there is none of the kind', async () => {
  assert.equal(await ask(true, 1), ['low-power', undefined])
})

test('Node finds the optional package under the name it has on npm', async () => {
  const { peerDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.equal(Object.keys(peerDependencies), ['webgpu'])
  assert.type((await nodeGpu().find())?.requestAdapter, 'function')
})

test.run()
