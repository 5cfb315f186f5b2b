// The usual way: the SDK's node on the audio thread of the page, loaded and compiled in the extension's world.

import { createDenoiserNode } from 'attenuate-edge/worklet'
import { type Cleaner, channelsOf } from './cleaner.ts'

export async function openWorklet(
  microphone: MediaStreamTrack,
  context: AudioContext,
  wasm: WebAssembly.Module,
): Promise<Cleaner> {
  const node = await createDenoiserNode(context, {
    wasm,
    model: chrome.runtime.getURL('base.ssm'),
    processorUrl: chrome.runtime.getURL('processor.js'),
    channels: channelsOf(microphone),
  })
  const source = new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([microphone]) })
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: node.channelCount })
  source.connect(node).connect(destination)
  return {
    way: 'worklet',
    track: destination.stream.getAudioTracks()[0],
    latencyMs: node.latencyMs,
    setStrength: (strengthDb) => {
      node.strengthDb.value = Math.max(node.strengthDb.minValue, strengthDb)
    },
    stats: () => node.stats(),
    close: async () => {
      source.disconnect()
      await node.close()
    },
  }
}
