// RNNoise (Valin 2018; the npm build carries the larger 2024 model): 48 kHz, frames of 480, samples in int16 range.
// Our 16 kHz clips are resampled there and back without phase, and the delay of RNNoise itself is taken off.
import { resample } from '../resample.ts'
import { importPeer } from './packages.ts'
import type { Opening } from './system.ts'

const PACKAGE_FILE = '@shiguredo/rnnoise-wasm/dist/rnnoise.js'
const RATE = 48000
const DELAY = 960 // samples at 48 kHz, 20 ms: overlap-add plus one frame of look-ahead; the cross-correlation peak agrees
const INT16 = 32768

interface DenoiseState {
  processFrame(frame: Float32Array): number
  destroy(): void
}
interface Module {
  Rnnoise: { load(): Promise<{ frameSize: number; createDenoiseState(): DenoiseState }> }
}

/** In-place frames over x followed by enough zeros to push the last sample out. */
const denoise48k = (x: Float32Array, state: DenoiseState, frame: number): Float32Array => {
  const padded = new Float32Array(Math.ceil((x.length + DELAY) / frame) * frame)
  padded.set(x)
  for (let at = 0; at < padded.length; at += frame) {
    const io = padded.subarray(at, at + frame).map((v) => v * INT16)
    state.processFrame(io)
    padded.set(
      io.map((v) => v / INT16),
      at,
    )
  }
  return padded.subarray(DELAY, DELAY + x.length)
}

export const openRnnoise = async (): Promise<Opening> => {
  // The build looks for a browser; a bare `window` is all it asks for.
  const global = globalThis as { window?: unknown }
  global.window ??= globalThis
  const module = await importPeer<Module>(PACKAGE_FILE)
  if (!module) return { absent: 'RNNoise: install @shiguredo/rnnoise-wasm and point PEERS_MODULES at its node_modules' }
  const rnnoise = await module.Rnnoise.load()
  const enhance = async (x: Float32Array): Promise<Float32Array> => {
    const state = rnnoise.createDenoiseState()
    const y = resample(denoise48k(resample(x, 16000, RATE), state, rnnoise.frameSize), RATE, 16000)
    state.destroy()
    return y.subarray(0, x.length)
  }
  return { system: { name: 'RNNoise', enhance } }
}
