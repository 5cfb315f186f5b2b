// How long a hop takes. In: by its port, the sound that the denoiser on the audio thread hears too, a hop at a time. Out: the
// milliseconds that the same model takes for each, on WASM or WebGPU. In a worker, as audio threads have no clock that is fine
// enough, and no GPU.

import { Denoiser } from 'attenuate-edge'
import { DenoiserPool } from 'attenuate-edge/webgpu'
import { Converter } from './converter.ts'
import type { StopwatchOrder, StopwatchResult } from './stopwatch.ts'

/** Results are sent some times a second. */
const HOPS_AT_ONCE = 8

interface Runner {
  /** Milliseconds that the hop took; undefined if the samples did not complete one. */
  run(samples: Float32Array): Promise<number | undefined>
  dispose(): void
}

let runner: Runner | undefined
let hopMs: number[] = []
let isBusy = false

addEventListener('message', async ({ data: { port, ...order } }: MessageEvent<StopwatchOrder>) => {
  if (port !== undefined) port.onmessage = ({ data }: MessageEvent<Float32Array>) => measure(data)
  const former = runner
  runner = undefined
  former?.dispose()
  hopMs = []
  try {
    runner = await (order.backend === 'webgpu' ? openPool(order) : openDenoiser(order))
  } catch (error) {
    postMessage({ error: (error as Error).message } satisfies StopwatchResult)
  }
})

async function openDenoiser({ model, wasm, sampleRate }: StopwatchOrder): Promise<Runner> {
  const denoiser = await Denoiser.create({ model, wasm, sampleRate, outputRate: sampleRate })
  return {
    async run(samples) {
      const started = performance.now()
      const { length } = denoiser.process(samples)
      return length === 0 ? undefined : performance.now() - started
    },
    dispose: () => denoiser.dispose(),
  }
}

/** A pool of one: what many streams would share is all this one's. */
async function openPool({ model, wasm, sampleRate }: StopwatchOrder): Promise<Runner> {
  const pool = await DenoiserPool.create({ model, wasm, backend: 'webgpu', streams: 1 })
  const stream = pool.add()
  const { inputRate, inputHop } = pool.model
  const converter = new Converter(sampleRate, inputRate)
  const hop = new Float32Array(inputHop)
  let filled = 0
  return {
    async run(samples) {
      for (const sample of samples)
        converter.push(sample, (x) => {
          hop[filled++] = x
          if (filled < inputHop) return
          stream.write(hop)
          filled = 0
        })
      const started = performance.now()
      const hops = await pool.hop()
      stream.read()
      return hops === 0 ? undefined : performance.now() - started
    },
    dispose: () => pool.dispose(),
  }
}

/** Hops that come while one is under way are left out. */
async function measure(samples: Float32Array): Promise<void> {
  if (runner === undefined || isBusy) return
  const measured = runner
  isBusy = true
  try {
    const milliseconds = await measured.run(samples)
    if (measured !== runner || milliseconds === undefined) return
    hopMs.push(milliseconds)
  } catch (error) {
    // an order in between has disposed of it
    if (measured === runner) postMessage({ error: (error as Error).message } satisfies StopwatchResult)
  } finally {
    isBusy = false
  }
  if (hopMs.length < HOPS_AT_ONCE) return
  postMessage(hopMs satisfies StopwatchResult)
  hopMs = []
}
