// The state of a network that has listened for a while. In: a program. Out: a state block for the beginning of a stream in
// which only what state-space records remember is set: they have heard WARM_MS of soft noise; every history (frames, taps,
// delays) and the count of hops are those of a new stream, so nothing of that noise is ever heard. Made once per program.

import type { Core, Program } from './core.ts'
import { Network } from './network.ts'

/** Longer than most states remember. */
const WARM_MS = 2000
const LEVEL = 10 ** (-55 / 20)
const SEED = 20241123

const states = new WeakMap<Program, Uint8Array>()

/** (stateBytes), shared: not to be changed. */
export function settledState(core: Core, program: Program): Uint8Array {
  const known = states.get(program)
  if (known !== undefined) return known
  const network = new Network(core, program)
  const state = network.stateBytes().slice()
  listen(network)
  const warm = network.stateBytes()
  for (const { task, state: at } of program.model.records) {
    if (task.kind !== 'ssm') continue
    const bytes = 4 * task.positions * 2 * Math.ceil(task.parameters[0] / 4) * 4
    state.set(warm.subarray(at, at + bytes), at)
  }
  network.dispose()
  states.set(program, state)
  return state
}

function listen(network: Network): void {
  const { inputHop, inputRate } = network.program.model
  let random = SEED
  for (let hop = 0; hop < (WARM_MS * inputRate) / 1000 / inputHop; hop++) {
    const input = network.input()
    for (let i = 0; i < inputHop; i++) {
      random = (Math.imul(random, 1664525) + 1013904223) | 0
      input[i] = LEVEL * (random / 2 ** 31)
    }
    network.run()
  }
}
