// How long a hop takes. In: by its port, the sound that the denoiser on the audio thread hears too, a hop at a time. Out: the
// milliseconds that the same model takes for each. In a worker, as audio threads have no clock that is fine enough.

import { Denoiser } from 'attenuate-edge'
import type { StopwatchOrder, StopwatchResult } from './stopwatch.ts'

/** Results are sent some times a second. */
const HOPS_AT_ONCE = 8

let denoiser: Denoiser | undefined
let hopMs: number[] = []

addEventListener('message', async ({ data: { port, ...options } }: MessageEvent<StopwatchOrder>) => {
  if (port !== undefined) port.onmessage = ({ data }: MessageEvent<Float32Array>) => measure(data)
  const next = await Denoiser.create(options)
  denoiser?.dispose()
  denoiser = next
  hopMs = []
})

function measure(samples: Float32Array): void {
  if (denoiser === undefined) return
  const started = performance.now()
  denoiser.process(samples)
  hopMs.push(performance.now() - started)
  if (hopMs.length < HOPS_AT_ONCE) return
  postMessage(hopMs satisfies StopwatchResult)
  hopMs = []
}
