// A model run hop by hop straight through the core's ABI (assembly/index.ts), nothing of the SDK between. In: the built
// core, a model file, samples at the input rate. Out: samples at the output rate, aligned, as CHECKPOINT.md defines them
// offline: padded, flushed, lag dropped, trimmed.

import { existsSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { decodeModel } from '../../quantize/modelfile.ts'
import { measureSnrDb } from '../../quantize/snr.ts'

interface CoreExports {
  heapBase(): number
  reset(program: number, state: number): void
  hop(program: number, state: number, scratch: number): void
  end(state: number): void
}

const STATE_LOST_BYTES = 16

/** The core of a target, from build/ or the folder CORE_FOLDER; undefined where it is not built or cannot run here. */
export function openBuild(target: string): WebAssembly.Module | undefined {
  const folder = process.env.CORE_FOLDER
    ? pathToFileURL(`${process.env.CORE_FOLDER}/`)
    : new URL('../../build/', import.meta.url)
  const url = new URL(`core.${target}.wasm`, folder)
  if (!existsSync(url)) return undefined
  const bytes = readFileSync(url)
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined
}

/** Without the mean of what is expected: a constant must not make errors look small. */
export function measureSwingSnrDb(found: Float32Array, expected: ArrayLike<number>): number {
  const mean = Array.from(expected).reduce((sum, x) => sum + x, 0) / expected.length
  const swing = (x: number) => x - mean
  return measureSnrDb(Float64Array.from(found, swing), Float64Array.from(expected, swing))
}

export function playWhole(
  module: WebAssembly.Module,
  file: Uint8Array,
  samples: Float32Array,
  lost: ReadonlySet<number>,
): Float32Array {
  const model = decodeModel(file)
  const { inputHop, outputHop } = model
  const memory = new WebAssembly.Memory({ initial: 16 })
  const core = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as CoreExports
  const align = (bytes: number) => Math.ceil(bytes / 64) * 64
  const program = align(core.heapBase())
  const scratch = program + align(file.length)
  const state = scratch + align(model.scratchBytes)
  const end = state + model.stateBytes
  if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / 65536))
  // what earlier streams may have left: nothing may be read before it was written
  new Uint8Array(memory.buffer).fill(0x4d, program)
  new Uint8Array(memory.buffer).set(file, program)
  const input = new Float32Array(memory.buffer, scratch + model.inputOffset, inputHop)
  const output = new Float32Array(memory.buffer, scratch + model.outputOffset, outputHop)
  const flag = new Float32Array(memory.buffer, state + STATE_LOST_BYTES, 1)

  core.reset(program, state)
  const fedHops = Math.ceil(samples.length / inputHop) + Math.ceil(model.overlapLag / outputHop)
  const timeline = new Float32Array((fedHops + model.lookaheadHops) * outputHop)
  for (let hop = 0; hop < fedHops + model.lookaheadHops; hop++) {
    if (hop === fedHops) core.end(state)
    input.fill(0)
    input.set(samples.subarray(hop * inputHop, (hop + 1) * inputHop))
    flag[0] = lost.has(hop) ? 1 : 0
    core.hop(program, state, scratch)
    timeline.set(output, hop * outputHop)
  }
  const results = Math.ceil((samples.length * outputHop) / inputHop)
  return timeline.subarray(model.lagSamples, model.lagSamples + results)
}
