// Nodes that were closed are gone: after hundreds of them Chromium counts no processor more than before, and the page's
// process has not grown, though each of them had memory of its own.

import { readFileSync } from 'node:fs'
import type { CDPSession } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openSite, type Site } from './site.ts'

const CYCLES = 200
/** Touched by one node at the least: a model and its state. A hundred nodes that stay are more than is allowed. */
const NODE_BYTES = 250_000

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

/** Nodes in that context; the last message after `close`. */
function cycle({ page }: Site, cycles: number): Promise<string> {
  return page.evaluate(async (cycles) => {
    const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
    const { context } = globalThis as unknown as { context: AudioContext }
    let message = ''
    for (let i = 0; i < cycles; i++) {
      const node = await createDenoiserNode(context, { model: 'base' })
      const source = new ConstantSourceNode(context)
      source.connect(node).connect(context.destination)
      source.start()
      while ((await node.stats()).hops === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      await node.close()
      source.disconnect()
      message = await node.stats().then(String, (error: Error) => error.message)
    }
    return message
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
  await cycle(site, 40)
  const before = await measure(site, session)
  const message = await cycle(site, CYCLES)
  const after = await measure(site, session)
  if (process.env.VERBOSE) console.log(before, after)
  assert.match(message, /DISPOSED: stats after close/)
  assert.is(before.processors, 1, 'the sweeper')
  assert.is(after.processors, 1, 'the sweeper')
  const grown = after.residentBytes - before.residentBytes
  assert.ok(grown < (CYCLES / 2) * NODE_BYTES, `grown by ${grown} bytes`)
})

test.run()
