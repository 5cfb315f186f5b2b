// What a user writes, the same for every bundler. In: samples at 16 kHz. Out: what the worklet makes of them, and what a
// denoiser on the page makes.

import { Denoiser } from 'attenuate-edge'
import { createDenoiserNode } from 'attenuate-edge/worklet'

globalThis.throughWorklet = async (samples) => {
  const context = new OfflineAudioContext(1, samples.length, 16000)
  const buffer = context.createBuffer(1, samples.length, 16000)
  buffer.copyToChannel(Float32Array.from(samples), 0)
  const node = await createDenoiserNode(context)
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(node).connect(context.destination)
  source.start()
  const rendered = await context.startRendering()
  return [...rendered.getChannelData(0).subarray(node.latencySamples)]
}

globalThis.throughPage = async (samples) => {
  const denoiser = await Denoiser.create({ model: 'lite' })
  return [...denoiser.process(Float32Array.from(samples))]
}
