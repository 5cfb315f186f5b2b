// For tests and the bench: how far a backend is from the core. In: results of both, or a backend to be run. Out: decibels.

import { measureSnrDb } from '../../quantize/snr.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import { Core } from '../core.ts'
import type { ParsedModel } from '../model.ts'
import { Network } from '../network.ts'
import type { Backend } from './backend.ts'
import { COMMANDS } from './commands.ts'

/** dB of a second of noise through the core over what a backend's stream 0 differs by. */
export async function measureParity(
  backend: Backend,
  parsed: ParsedModel,
  module: WebAssembly.Module,
): Promise<number> {
  const { inputHop, outputHop, inputRate } = parsed.model
  const core = await Core.open(module)
  const network = new Network(core, core.acquireProgram(parsed))
  const hops = Math.ceil(inputRate / inputHop)
  const samples = drawSamples(hops * inputHop, 0, 0.1)
  const [found, expected] = [new Float32Array(hops * outputHop), new Float32Array(hops * outputHop)]
  for (let hop = 0; hop < hops; hop++) {
    const input = samples.slice(hop * inputHop, (hop + 1) * inputHop)
    network.input().set(input)
    network.run()
    expected.set(network.output(), hop * outputHop)
    const { outputs } = await backend.run(Uint32Array.of(0, hop === 0 ? COMMANDS.reset : 0), input)
    found.set(outputs, hop * outputHop)
  }
  return measureSnrDb(found, expected)
}
