// Nodes share a core and its weights, and those that were closed are gone: after hundreds of them Chromium counts no processor
// more than before, the core holds what it held, and the page's process has not grown.

import { readFileSync } from 'node:fs'
import type { CDPSession } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openSite, type Site } from './site.ts'

const CYCLES = 200
/** A leak grows in each of them; what the browser itself takes at some time, on a busy machine more, does not. */
const ROUNDS = 4
/** Of two hundred nodes, rings and processors included; what the browser itself takes meanwhile is a quarter of it. */
const MOST_GROWN_BYTES = 25e6

const test = suite<{ site: Site }>('lifecycle')

test.before(async (context) => {
  context.site = await openSite(['--js-flags=--expose-gc'])
})
test.after(async ({ site }) => {
  await site.close()
})

/** Collects garbage on the audio thread, which DevTools does not. */
const SWEEPER = `registerProcessor('sweeper', class extends AudioWorkletProcessor {
  constructor() { super(); this.port.onmessage = () => { gc(); this.port.postMessage('done') } }
  process() { return true }
})`

/** A context that lives on, with a sweeper. */
async function openContext({ page }: Site): Promise<void> {
  await page.evaluate(async (sweeper) => {
    const context = new AudioContext({ sampleRate: 16000 })
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([sweeper], { type: 'text/javascript' })))
    const node = new AudioWorkletNode(context, 'sweeper')
    node.connect(context.destination)
    const sweep = () =>
      new Promise((resolve) => {
        node.port.onmessage = resolve
        node.port.postMessage('now')
      })
    Object.assign(globalThis, { context, sweep })
  }, SWEEPER)
}

interface Cycled {
  /** Of the last node: what it answers after `close`, and the core's bytes while it was open. */
  readonly message: string
  readonly memoryBytes: number
}

/** Nodes in that context, one after the other. */
function cycle({ page }: Site, cycles: number): Promise<Cycled> {
  return page.evaluate(async (cycles) => {
    const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
    const { context } = globalThis as unknown as { context: AudioContext }
    let message = ''
    let memoryBytes = 0
    for (let i = 0; i < cycles; i++) {
      const node = await createDenoiserNode(context, { model: 'base' })
      const source = new ConstantSourceNode(context)
      source.connect(node).connect(context.destination)
      source.start()
      for (let hops = 0; hops === 0; ) ({ hops, memoryBytes } = await node.stats())
      await node.close()
      source.disconnect()
      message = await node.stats().then(String, (error: Error) => error.message)
    }
    return { message, memoryBytes }
  }, cycles)
}

interface Use {
  readonly processors: number
  readonly residentBytes: number
}

/** Without garbage; a processor goes some turns after its node, and we wait for that. */
async function measure(site: Site, session: CDPSession): Promise<Use> {
  for (let attempt = 0; ; attempt++) {
    await session.send('HeapProfiler.collectGarbage')
    await site.page.evaluate('sweep()')
    const { metrics } = await session.send('Performance.getMetrics')
    const processors = metrics.find(({ name }) => name === 'AudioWorkletProcessors')?.value
    if (processors === undefined) throw new Error('Chromium counts no AudioWorkletProcessors any more')
    if (processors <= 1 || attempt === 50) return { processors, residentBytes: await residentBytes(site) }
    await site.page.waitForTimeout(50)
  }
}

/** Of all the processes that render pages: one page is open. */
async function residentBytes({ page }: Site): Promise<number> {
  const session = await page.context().browser()!.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  return processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1]) * 4096)
    .reduce((sum, bytes) => sum + bytes, 0)
}

test(`${CYCLES} nodes created and closed: none stays, memory is flat`, async ({ site }) => {
  const session = await site.page.context().newCDPSession(site.page)
  await session.send('Performance.enable')
  await openContext(site)
  const first = await cycle(site, 40)
  let before = await measure(site, session)
  assert.is(before.processors, 1, 'the sweeper')
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS && least >= MOST_GROWN_BYTES; round++) {
    const { message, memoryBytes } = await cycle(site, CYCLES)
    const after = await measure(site, session)
    if (process.env.VERBOSE) console.log(before, after)
    assert.match(message, /DISPOSED: stats after close/)
    assert.is(after.processors, 1, 'the sweeper')
    assert.is(memoryBytes, first.memoryBytes)
    least = Math.min(least, after.residentBytes - before.residentBytes)
    before = after
  }
  assert.ok(least < MOST_GROWN_BYTES, `grown by ${least} bytes in each of ${ROUNDS} rounds`)
})

test('three hundred nodes at the same time: one core, weights once', async ({ site: { page } }) => {
  const { alone, together, states } = await page.evaluate(async () => {
    const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
    const context = new AudioContext({ sampleRate: 16000 })
    const first = await createDenoiserNode(context, { model: 'lite' })
    const alone = await first.stats()
    const others = await Promise.all(Array.from({ length: 299 }, () => createDenoiserNode(context, { model: 'lite' })))
    const together = await first.stats()
    for (const node of [first, ...others]) await node.close()
    await context.close()
    return { alone: alone.memoryBytes, together: together.memoryBytes, states: 299 * alone.stateBytes }
  })
  // resamplers there are none; addresses are rounded to 64 bytes
  assert.ok(together - alone >= states && together - alone < states + 300 * 64, `${alone}, then ${together} bytes`)
})

test.run()
