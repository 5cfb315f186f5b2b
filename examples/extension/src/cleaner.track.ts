// The usual way: the SDK's `denoiseTrack`, on the audio thread of the page, loaded and compiled in the extension's world.

import { denoiseTrack } from 'attenuate-edge/worklet'
import { type Cleaner, channelsOf } from './cleaner.ts'

export async function openTrack(
  microphone: MediaStreamTrack,
  context: AudioContext,
  wasm: WebAssembly.Module,
): Promise<Cleaner> {
  const track = await denoiseTrack(microphone, {
    context,
    wasm,
    model: chrome.runtime.getURL('base.ssm'),
    processorUrl: chrome.runtime.getURL('processor.js'),
    channels: channelsOf(microphone),
  })
  const { denoiser } = track
  return {
    way: denoiser.route,
    track,
    latencyMs: denoiser.latencyMs,
    setStrength: (strengthDb) => {
      denoiser.strengthDb = strengthDb
    },
    gaps: async () => (await denoiser.stats()).underruns,
    close: () => denoiser.close(),
  }
}
