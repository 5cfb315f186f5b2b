// Hops in WASM, the streams dealt out to hands: threads in Node, the caller's own thread elsewhere. In: batches. Out: results
// when every hand is done.

import type { Model } from '../../quantize/modelfile.ts'
import type { Backend, BatchResult } from './backend.ts'
import type { Hand, Tray } from './hand.ts'

/** States that one 32-bit memory holds with room to spare; each hand has a memory of its own. */
const MEMORY_BYTES = 2 ** 31

export class WasmBackend implements Backend {
  readonly name = 'wasm'
  readonly description: string
  readonly dispatchesPerBatch = 0
  readonly lost = new Promise<string>(() => {})
  readonly maxSlots: number
  readonly #model: Model
  readonly #hands: readonly Hand[]
  #tray: Tray
  #last: Promise<unknown> = Promise.resolve()

  constructor(model: Model, hands: readonly Hand[]) {
    this.#model = model
    this.#hands = hands
    this.#tray = trayOf(model, 1)
    this.description = hands.length === 1 ? '1 thread' : `${hands.length} threads`
    this.maxSlots = hands.length * Math.floor(MEMORY_BYTES / model.stateBytes)
  }

  run(
    commands: Uint32Array<ArrayBuffer>,
    inputs: Float32Array<ArrayBuffer>,
    copied?: readonly [number, number],
  ): Promise<BatchResult> {
    return this.#inTurn(async () => {
      const rows = commands.length / 2
      const { outputHop, stateBytes } = this.#model
      if (this.#tray.commands.length < commands.length) this.#tray = trayOf(this.#model, 2 * rows)
      this.#tray.commands.set(commands)
      this.#tray.inputs.set(inputs)
      await Promise.all(this.#hands.map((hand) => hand.run(this.#tray, rows)))
      const outputs = this.#tray.outputs.slice(0, rows * outputHop)
      if (copied === undefined) return { outputs, states: undefined }
      const states = new Uint8Array(copied[1] * stateBytes)
      for (let i = 0; i < copied[1]; i++)
        states.set(await this.#handOf(copied[0] + i).readState(copied[0] + i), i * stateBytes)
      return { outputs, states }
    })
  }

  readState(slot: number): Promise<Uint8Array> {
    return this.#inTurn(() => this.#handOf(slot).readState(slot))
  }

  writeState(slot: number, bytes: Uint8Array): void {
    const copy = bytes.slice()
    void this.#inTurn(async () => this.#handOf(slot).writeState(slot, copy))
  }

  /** After what is under way, which somebody waits for. */
  dispose(): void {
    void this.#inTurn(async () => {
      for (const hand of this.#hands) hand.dispose()
    })
  }

  #handOf(slot: number): Hand {
    return this.#hands[slot % this.#hands.length]
  }

  /** One thing after the other, as all use one tray. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }
}

function trayOf({ inputHop, outputHop }: Model, rows: number): Tray {
  // shared memory is what threads need; pages have it only where they are isolated, and there is one thread then
  const room = (bytes: number) =>
    typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)
  return {
    commands: new Uint32Array(room(8 * rows)),
    inputs: new Float32Array(room(4 * rows * inputHop)),
    outputs: new Float32Array(room(4 * rows * outputHop)),
  }
}
