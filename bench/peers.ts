// Other denoisers that run in Node, timed on the same clip in the same process: seconds per second of audio. They are not
// dependencies: see bench/quality/README.md for where they are looked for (PEERS_MODULES, GTCRN_ONNX).

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openGtcrn } from './quality/baselines/gtcrn.ts'

const RNNOISE = '@sapphi-red/web-noise-suppressor/dist/rnnoise_simd.wasm'

export interface Peer {
  readonly name: string
  /** Runs the clip once; null: not installed here, `absent` says how to have it. */
  readonly run: (() => Promise<void>) | null
  readonly absent: string | undefined
  realTimeFactor: number
  realTimeFactorCpu: number
}

/** `samples`: 16 kHz. */
export async function openPeers(samples: Float32Array): Promise<Peer[]> {
  const gtcrn = await openGtcrn()
  return [
    peer(
      'RNNoise (WASM SIMD, 48 kHz)',
      await openRnnoise(samples),
      'npm @sapphi-red/web-noise-suppressor, PEERS_MODULES',
    ),
    'absent' in gtcrn
      ? peer('GTCRN', null, gtcrn.absent)
      : peer('GTCRN (ONNX Runtime, its STFT in JS)', async () => void (await gtcrn.system.enhance(samples))),
  ]
}

/** One timed pass; the fastest so far is kept. */
export async function timePeer(peer: Peer, audioMs: number): Promise<void> {
  if (peer.run === null) return
  const cpu = process.cpuUsage()
  const started = performance.now()
  await peer.run()
  const { user, system } = process.cpuUsage(cpu)
  peer.realTimeFactor = Math.min(peer.realTimeFactor, (performance.now() - started) / audioMs)
  peer.realTimeFactorCpu = Math.min(peer.realTimeFactorCpu, (user + system) / 1000 / audioMs)
}

function peer(name: string, run: Peer['run'], absent?: string): Peer {
  return {
    name,
    run,
    absent: run === null ? absent : undefined,
    realTimeFactor: Number.POSITIVE_INFINITY,
    realTimeFactorCpu: Number.POSITIVE_INFINITY,
  }
}

/** What the WASM of @sapphi-red/web-noise-suppressor exports: RNNoise's C interface. */
interface RnnoiseExports {
  readonly memory: WebAssembly.Memory
  emscripten_stack_init(): void
  __wasm_call_ctors(): void
  rnnoise_create(model: number): number
  malloc(bytes: number): number
  rnnoise_process_frame(state: number, out: number, frame: number): number
}

const FRAME = 480

/** At its own rate, without any resampling: three samples for one of ours, so that the seconds agree. */
async function openRnnoise(samples: Float32Array): Promise<Peer['run']> {
  const file = process.env.PEERS_MODULES && join(process.env.PEERS_MODULES, RNNOISE)
  if (!file || !existsSync(file)) return null
  const { instance } = await WebAssembly.instantiate(readFileSync(file), { env: environmentOf(() => rnnoise.memory) })
  const rnnoise = instance.exports as unknown as RnnoiseExports
  rnnoise.emscripten_stack_init()
  rnnoise.__wasm_call_ctors()
  const [state, frame, out] = [rnnoise.rnnoise_create(0), rnnoise.malloc(4 * FRAME), rnnoise.malloc(4 * FRAME)]
  return async () => {
    const frames = Math.floor((3 * samples.length) / FRAME)
    for (let f = 0; f < frames; f++) {
      const heap = new Float32Array(rnnoise.memory.buffer, frame, FRAME)
      for (let i = 0; i < FRAME; i++) heap[i] = 32768 * samples[Math.floor((f * FRAME + i) / 3)]
      rnnoise.rnnoise_process_frame(state, out, frame)
    }
  }
}

/** What Emscripten's code asks of its host. */
function environmentOf(memory: () => WebAssembly.Memory): WebAssembly.ModuleImports {
  return {
    emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
      new Uint8Array(memory().buffer).copyWithin(to, from, from + bytes)
    },
    emscripten_resize_heap: (bytes: number) => {
      memory().grow(Math.max(0, Math.ceil((bytes - memory().buffer.byteLength) / 65536)))
      return 1
    },
    __assert_fail: () => {
      throw new Error('RNNoise: assertion')
    },
  }
}
