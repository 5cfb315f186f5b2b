// A denoiser in a worker of the extension's frame. In: pieces of a microphone by the audio port. Out: the same, clean, as many
// samples as are ready.

import { Denoiser } from 'attenuate-edge'
import type { Control, Opening, Piece, Reply } from './frame.protocol.ts'

addEventListener('message', async ({ data, ports: [audio, control] }: MessageEvent<Opening>) => {
  try {
    serve(await Denoiser.create({ ...data, model: 'base.ssm', wasm: 'core.simd.wasm' }), audio, control)
  } catch (error) {
    control.postMessage({ error: (error as Error).message } satisfies Reply)
  }
})

function serve(denoiser: Denoiser, audio: MessagePort, control: MessagePort): void {
  audio.onmessage = ({ data: spent }: MessageEvent<Float32Array<ArrayBuffer>>) => {
    const samples = denoiser.process(spent) as Float32Array<ArrayBuffer>
    audio.postMessage({ samples, spent } satisfies Piece, [samples.buffer, spent.buffer])
  }
  control.onmessage = ({ data }: MessageEvent<Control>) => {
    if (data === 'close') close()
    else denoiser.strengthDb = data.strengthDb
  }
  control.postMessage({ latencySamples: denoiser.latencySamples } satisfies Reply)
}
