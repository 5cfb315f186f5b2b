// One thread's share of the streams in WASM: their networks, by slot. In: rows of a tray whose slots are this hand's. Out:
// the tray's outputs. Runs in the caller's thread or in a worker (hand.node.ts).

import type { Core, Program } from '../core.ts'
import type { ParsedModel } from '../model.ts'
import { Network } from '../network.ts'
import { COMMANDS } from './commands.ts'

/** A batch in memory that all threads see. */
export interface Tray {
  /** (rows, 2) */
  readonly commands: Uint32Array
  /** (rows, inputHop) */
  readonly inputs: Float32Array
  /** (rows, outputHop) */
  readonly outputs: Float32Array
}

/** Slots are dealt out in turn: hand `index` of `hands` has those whose remainder is `index`. */
export interface Deal {
  readonly index: number
  readonly hands: number
}

export interface Hand {
  run(tray: Tray, rows: number): Promise<void>
  readState(slot: number): Promise<Uint8Array>
  writeState(slot: number, bytes: Uint8Array): void
  dispose(): void
}

export class LocalHand implements Hand {
  readonly #core: Core
  readonly #program: Program
  readonly #deal: Deal
  readonly #networks = new Map<number, Network>()

  constructor(core: Core, parsed: ParsedModel, deal: Deal = { index: 0, hands: 1 }) {
    this.#core = core
    this.#program = core.acquireProgram(parsed)
    this.#deal = deal
  }

  async run({ commands, inputs, outputs }: Tray, rows: number): Promise<void> {
    const { index, hands } = this.#deal
    const { inputHop, outputHop } = this.#program.model
    for (let row = 0; row < rows; row++) {
      const slot = commands[2 * row]
      if (slot % hands !== index) continue
      const flags = commands[2 * row + 1]
      const network = this.#networkOf(slot)
      if (flags & COMMANDS.reset) network.reset()
      if (flags & COMMANDS.end) network.end()
      network.input().set(inputs.subarray(row * inputHop, (row + 1) * inputHop))
      network.run((flags & COMMANDS.lost) !== 0)
      outputs.set(network.output(), row * outputHop)
    }
  }

  async readState(slot: number): Promise<Uint8Array> {
    return this.#networkOf(slot).stateBytes().slice()
  }

  writeState(slot: number, bytes: Uint8Array): void {
    this.#networkOf(slot).stateBytes().set(bytes)
  }

  dispose(): void {
    for (const network of this.#networks.values()) network.dispose()
    this.#networks.clear()
    this.#core.releaseProgram(this.#program)
  }

  #networkOf(slot: number): Network {
    const known = this.#networks.get(slot)
    if (known !== undefined) return known
    const network = new Network(this.#core, this.#program)
    this.#networks.set(slot, network)
    return network
  }
}
