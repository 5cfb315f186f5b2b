// A marker signal through the node in real time, with the identity model, compared sample by sample where it comes out. The
// marker never repeats: a tone that wanders by two incommensurate rhythms, its value a function of the context's frame.
// In: seconds, rates, how busy the machine is. Out: how far the worst sample is off, for each context.

import type { Page } from 'playwright-core'
import { compileIdentity } from './identity.ts'

export interface MarkerRun {
  readonly seconds: number
  /** Contexts that run at the same time. */
  readonly rates: readonly number[]
  readonly channels: number
  /** Workers that do nothing but keep cores busy. */
  readonly busyWorkers: number
  readonly options?: object
}

export interface MarkerResult {
  readonly rate: number
  readonly latencySamples: number
  /** Frames compared, and those that are off by more than rounding and filters explain. */
  readonly frames: number
  readonly wrong: number
  readonly firstWrong: number
  readonly worst: number
  readonly underruns: number
  /** Time in the processor's denoiser per time of sound. */
  readonly cpuShare: number
  /** Of the audio device, where the browser tells: the machine was too busy to play. */
  readonly deviceUnderruns: number | undefined
}

/** Off by less: the pass bands' ripple at an amplitude of 0.5. One sample lost is off by 0.05 and more. */
const TOLERANCE = 0.004

const PROCESSORS = `
const cycles = (t) => 1800 * t + (600 / (2 * Math.PI * 0.37)) * Math.sin(2 * Math.PI * 0.37 * t)
  + (400 / (2 * Math.PI * 0.0513)) * Math.sin(2 * Math.PI * 0.0513 * t)
const markerAt = (frame, channel) => 0.5 * Math.sin(2 * Math.PI * ((cycles(frame / sampleRate) + channel / 4) % 1))
registerProcessor('marker', class extends AudioWorkletProcessor {
  process(_, [planes]) {
    for (const [c, plane] of planes.entries())
      for (let i = 0; i < plane.length; i++) plane[i] = markerAt(currentFrame + i, c)
    return true
  }
})
registerProcessor('comparison', class extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super()
    this.latency = processorOptions.latencySamples
    this.from = Infinity
    this.result = { frames: 0, wrong: 0, firstWrong: -1, worst: 0 }
    this.port.onmessage = () => this.port.postMessage(this.result)
  }
  process([planes]) {
    if (planes.length === 0) return true
    if (this.from === Infinity) this.from = currentFrame + this.latency + sampleRate / 4
    if (currentFrame < this.from) return true
    const { result } = this
    for (let i = 0; i < planes[0].length; i++) {
      let off = 0
      for (let c = 0; c < planes.length; c++)
        off = Math.max(off, Math.abs(planes[c][i] - markerAt(currentFrame + i - this.latency, c)))
      result.worst = Math.max(result.worst, off)
      if (off > ${TOLERANCE} && result.wrong++ === 0) result.firstWrong = result.frames
      result.frames++
    }
    return true
  }
})`

export function runMarker(page: Page, run: MarkerRun): Promise<MarkerResult[]> {
  const model = [...compileIdentity()]
  return page.evaluate(
    async ({ seconds, rates, channels, busyWorkers, options, model, processors }) => {
      const { createDenoiserNode } = await import('attenuate-edge/worklet' as string)
      const script = (text: string) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
      const module = script(processors)
      const busy = Array.from({ length: busyWorkers }, () => new Worker(script('for (;;);')))
      const listen = async (sampleRate: number) => {
        const context = new AudioContext({ sampleRate })
        await context.audioWorklet.addModule(module)
        const node = await createDenoiserNode(context, { model: Uint8Array.from(model), channels, ...options })
        const processorOptions = { latencySamples: node.latencySamples }
        const marker = new AudioWorkletNode(context, 'marker', { outputChannelCount: [channels] })
        const comparison = new AudioWorkletNode(context, 'comparison', { processorOptions })
        marker.connect(node).connect(comparison).connect(context.destination)
        const end = context.currentTime + seconds
        while (context.currentTime < end) await new Promise((resolve) => setTimeout(resolve, 100))
        const { underruns, cpuShare } = await node.stats()
        const result = await new Promise<object>((resolve) => {
          comparison.port.onmessage = ({ data }) => resolve(data)
          comparison.port.postMessage('result')
        })
        const { playbackStats } = context as unknown as { playbackStats?: { underrunEvents: number } }
        const deviceUnderruns = playbackStats?.underrunEvents
        await node.close()
        await context.close()
        const { latencySamples } = processorOptions
        return { rate: sampleRate, latencySamples, ...result, underruns, cpuShare, deviceUnderruns }
      }
      const results = await Promise.all(rates.map(listen))
      for (const worker of busy) worker.terminate()
      return results as MarkerResult[]
    },
    { ...run, rates: [...run.rates], model, processors: PROCESSORS, options: run.options ?? {} },
  )
}
