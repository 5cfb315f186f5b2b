// What a node takes of a core: an OfflineAudioContext renders as fast as it can, with the node and with a plain gain in its
// place, and the difference is the node's. In: models. Out: time per time of sound; of several rounds the fastest of each.

import type { Page } from 'playwright-core'

export interface Share {
  readonly model: string
  readonly rate: number
  readonly channels: number
  /** 0.01 is 1 % of a core. */
  readonly cpuShare: number
}

const SECONDS = 20
const ROUNDS = 5

export async function measureShares(page: Page, models: readonly string[]): Promise<Share[]> {
  const shares: Share[] = []
  for (const model of models)
    for (const rate of [44100, 48000])
      for (const channels of [1, 2]) {
        const setting = { model, rate, channels, seconds: SECONDS, rounds: ROUNDS }
        shares.push({ model, rate, channels, cpuShare: await page.evaluate(measureShare, setting) })
      }
  return shares
}

interface Setting {
  readonly model: string
  readonly rate: number
  readonly channels: number
  readonly seconds: number
  readonly rounds: number
}

/** In the page. */
async function measureShare({ model, rate, channels, seconds, rounds }: Setting): Promise<number> {
  const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
  const renderMs = async (isDenoised: boolean): Promise<number> => {
    const context = new OfflineAudioContext(channels, seconds * rate, rate)
    const buffer = context.createBuffer(channels, rate, rate)
    for (let c = 0; c < channels; c++) {
      const plane = buffer.getChannelData(c)
      for (let i = 0; i < rate; i++) plane[i] = 0.2 * Math.random() - 0.1
    }
    const source = new AudioBufferSourceNode(context, { buffer, loop: true })
    const node = isDenoised
      ? await createDenoiserNode(context, { model, channels })
      : new GainNode(context, { gain: 0.5 })
    source.connect(node).connect(context.destination)
    source.start()
    const started = performance.now()
    await context.startRendering()
    return performance.now() - started
  }
  let [plain, denoised] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < rounds; round++) {
    plain = Math.min(plain, await renderMs(false))
    denoised = Math.min(denoised, await renderMs(true))
  }
  return (denoised - plain) / (1000 * seconds)
}
