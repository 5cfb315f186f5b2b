// What runs the hops of many streams: a GPU (backend.webgpu.ts) or threads of WASM (backend.wasm.ts). In: batches. Out: a hop
// of results per row. Both keep a state block per slot in the layout of FORMAT.md, so that streams can move between them.

/** `webgpu`: a GPU; `wasm`: threads of WASM in Node, the caller's own thread elsewhere. */
export type BackendName = 'webgpu' | 'wasm'

export interface BatchResult {
  /** (rows, outputHop) */
  readonly outputs: Float32Array
  /** Of the slots that were to be copied, as they are after the hop. */
  readonly states: Uint8Array | undefined
}

export interface Backend {
  readonly name: BackendName
  /** For people: adapter and precision, or threads. */
  readonly description: string
  /** Streams it can hold at most. */
  readonly maxSlots: number
  /** Compute dispatches of one batch; 0 without a GPU. */
  readonly dispatchesPerBatch: number
  /** Resolves with the reason when the device is gone; never for WASM. */
  readonly lost: Promise<string>
  /**
   * One hop of each row. `commands`: (rows, 2) slot and flags (commands.ts), no slot twice; `inputs`: (rows, inputHop), both
   * left alone until the result is there. Batches are done in the order of the calls. `copied`: first slot, and how many.
   */
  run(
    commands: Uint32Array<ArrayBuffer>,
    inputs: Float32Array<ArrayBuffer>,
    copied?: readonly [number, number],
  ): Promise<BatchResult>
  /** As it is after all batches so far. */
  readState(slot: number): Promise<Uint8Array>
  /** Before all batches to come. */
  writeState(slot: number, bytes: Uint8Array): void
  dispose(): void
}

/** No batch was run: the device is gone. */
export class DeviceLost extends Error {}
