// A hand in a thread of its own (worker_threads). In: trays in shared memory. Out: messages; the thread itself is worker.ts.

import { Worker } from 'node:worker_threads'
import type { ParsedModel } from '../model.ts'
import type { Deal, Hand, Tray } from './hand.ts'

/** To the thread. */
export type Order =
  | { readonly kind: 'tray'; readonly tray: Tray }
  | { readonly kind: 'run'; readonly rows: number }
  | { readonly kind: 'read'; readonly slot: number }
  | { readonly kind: 'write'; readonly slot: number; readonly bytes: Uint8Array }

export interface WorkerStart {
  readonly module: WebAssembly.Module
  readonly model: Uint8Array
  readonly deal: Deal
}

export class ThreadHand implements Hand {
  readonly #worker: Worker
  /** Answers come in the order of the orders that ask for one. */
  readonly #waiting: { resolve(answer: unknown): void; reject(error: unknown): void }[] = []
  #tray: Tray | undefined
  /** What the thread died of. */
  #end: { readonly error: unknown } | undefined

  constructor(module: WebAssembly.Module, parsed: ParsedModel, deal: Deal) {
    const workerData: WorkerStart = { module, model: parsed.toBytes(), deal }
    this.#worker = new Worker(workerFile(), { workerData })
    this.#worker.unref()
    this.#worker.on('message', (answer) => this.#waiting.shift()?.resolve(answer))
    this.#worker.on('error', (error) => {
      this.#end = { error }
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    })
  }

  async run(tray: Tray, rows: number): Promise<void> {
    if (tray !== this.#tray) this.#order({ kind: 'tray', tray })
    this.#tray = tray
    await this.#ask({ kind: 'run', rows })
  }

  async readState(slot: number): Promise<Uint8Array> {
    return (await this.#ask({ kind: 'read', slot })) as Uint8Array
  }

  writeState(slot: number, bytes: Uint8Array): void {
    this.#order({ kind: 'write', slot, bytes })
  }

  dispose(): void {
    void this.#worker.terminate()
  }

  #order(order: Order): void {
    this.#worker.postMessage(order)
  }

  async #ask(order: Order): Promise<unknown> {
    if (this.#end !== undefined) throw this.#end.error
    // a thread that is waited for keeps the process alive, an idle one does not
    this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#order(order)
    }).finally(() => {
      if (this.#waiting.length === 0) this.#worker.unref()
    })
  }
}

/** Beside this module; from the source, what the build has made of it, as threads of Node 20 run no TypeScript. */
function workerFile(): URL {
  const isSource = import.meta.url.endsWith('.ts')
  return new URL(isSource ? '../../dist/sdk/webgpu/worker.js' : './worker.js', import.meta.url)
}
