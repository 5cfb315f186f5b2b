// GTCRN (Rong et al., ICASSP 2024) through onnxruntime-node: the authors' streaming model gtcrn_simple.onnx (trained on DNS3),
// one 16 ms frame per run with its caches fed back, between a sqrt-Hann 512/256 STFT with reflected edges, as in their infer.py.
import { existsSync } from 'node:fs'
import { analyse, type Spectrum, synthesise } from '../stft.ts'
import { requirePeer } from './packages.ts'
import type { Opening } from './system.ts'

const SIZE = 512
const HOP = 256
const BINS = SIZE / 2 + 1
// Shapes of the recurrent inputs, from the export in the authors' stream folder.
const CACHES = { conv_cache: [2, 1, 16, 16, 33], tra_cache: [2, 3, 1, 1, 16], inter_cache: [2, 1, 33, 16] }

interface Tensor {
  data: Float32Array
}
type Tensors = Record<string, Tensor>
interface Session {
  run(inputs: Tensors): Promise<Tensors>
}
interface Runtime {
  Tensor: new (type: 'float32', data: Float32Array, shape: number[]) => Tensor
  InferenceSession: { create(path: string, options: object): Promise<Session> }
}

const zeroCaches = ({ Tensor }: Runtime): Tensors =>
  Object.fromEntries(
    Object.entries(CACHES).map(([name, shape]) => [
      name,
      new Tensor('float32', new Float32Array(shape.reduce((a, b) => a * b)), shape),
    ]),
  )

const interleave = ({ re, im }: Spectrum): Float32Array =>
  Float32Array.from({ length: 2 * BINS }, (_, i) => (i % 2 === 0 ? re[i >> 1] : im[i >> 1]))

const separate = (data: Float32Array): Spectrum => ({
  re: Float64Array.from({ length: BINS }, (_, k) => data[2 * k]),
  im: Float64Array.from({ length: BINS }, (_, k) => data[2 * k + 1]),
})

const enhanceWith = async (runtime: Runtime, session: Session, x: Float32Array): Promise<Float32Array> => {
  let caches = zeroCaches(runtime)
  const enhanced: Spectrum[] = []
  for (const frame of analyse(x, SIZE, HOP)) {
    const mix = new runtime.Tensor('float32', interleave(frame), [1, BINS, 1, 2])
    const out = await session.run({ mix, ...caches })
    caches = Object.fromEntries(Object.keys(CACHES).map((name) => [name, out[`${name}_out`]]))
    enhanced.push(separate(out.enh.data))
  }
  return synthesise(enhanced, SIZE, HOP, x.length)
}

export const openGtcrn = async (): Promise<Opening> => {
  const model = process.env.GTCRN_ONNX
  if (!model || !existsSync(model))
    return { absent: 'GTCRN: set GTCRN_ONNX to stream/onnx_models/gtcrn_simple.onnx of Xiaobin-Rong/gtcrn' }
  const runtime = requirePeer<Runtime>('onnxruntime-node')
  if (!runtime) return { absent: 'GTCRN: install onnxruntime-node and point PEERS_MODULES at its node_modules' }
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' }
  const session = await runtime.InferenceSession.create(model, options)
  return { system: { name: 'GTCRN', enhance: (x) => enhanceWith(runtime, session, x) } }
}
