// What a pool needs to go on elsewhere when a device is lost: for every stream a state of some hops ago, and every batch
// since. In: batches as they are submitted, states as they come back. Out: what has to be written and run again. A part of
// the slots comes back with each batch, so that all have after INTERVAL of them, at a cost spread evenly.

import type { BatchResult } from './backend.ts'

/** Batches from one state of a stream to the next. */
export const INTERVAL = 32

export interface Entry {
  readonly number: number
  readonly commands: Uint32Array<ArrayBuffer>
  readonly inputs: Float32Array<ArrayBuffer>
  /** Slots whose states come back: first and how many. */
  readonly copied: readonly [number, number] | undefined
}

interface Account {
  /** The state is that after this batch. */
  number: number
  /** Undefined: new, the first batch after it says so. */
  state: Uint8Array | undefined
  /** The first batch whose copies are of this stream; before, the slot was another's. */
  from: number
  /** The last batch it was in. */
  last: number
}

export class Ledger {
  #entries: Entry[] = []
  #accounts = new Map<number, Account>()
  #number = 0

  /** A stream begins in a slot with the next batch, new or with a state. */
  begin(slot: number, state?: Uint8Array): void {
    const number = this.#number
    const from = state === undefined ? Number.POSITIVE_INFINITY : number
    this.#accounts.set(slot, { number, state, from, last: number })
  }

  end(slot: number): void {
    this.#accounts.delete(slot)
  }

  /** Nothing will have to be run again. */
  clear(): void {
    this.#entries = []
    for (const account of this.#accounts.values()) account.state = undefined
  }

  /** A batch about to be submitted. `slots`: highest in use, and one. */
  enter(commands: Uint32Array<ArrayBuffer>, inputs: Float32Array<ArrayBuffer>, slots: number): Entry {
    const number = ++this.#number
    for (let i = 0; i < commands.length; i += 2) {
      const account = this.#accounts.get(commands[i])!
      account.last = number
      account.from = Math.min(account.from, number)
    }
    const size = Math.ceil(slots / INTERVAL)
    const first = (number % INTERVAL) * size
    const count = Math.min(size, slots - first)
    const entry: Entry = { number, commands, inputs, copied: count > 0 ? [first, count] : undefined }
    this.#entries.push(entry)
    return entry
  }

  /** The states that came back with a batch. */
  settle({ number, copied }: Entry, { states }: BatchResult): void {
    if (copied === undefined || states === undefined) return
    const bytes = states.length / copied[1]
    for (let i = 0; i < copied[1]; i++) {
      const account = this.#accounts.get(copied[0] + i)
      if (account === undefined || account.from > number || account.number >= number) continue
      account.number = number
      account.state = states.slice(i * bytes, (i + 1) * bytes)
    }
    if (number % INTERVAL === 0) this.#forget()
  }

  /** Batches that every stream's state comes after. */
  #forget(): void {
    let oldest = Number.POSITIVE_INFINITY
    for (const { number, last } of this.#accounts.values()) if (last > number) oldest = Math.min(oldest, number)
    const kept = this.#entries.findIndex(({ number }) => number > oldest)
    // those under way are younger than any state: they have not been settled
    this.#entries =
      oldest === Number.POSITIVE_INFINITY ? this.#entries.slice(-INTERVAL) : this.#entries.slice(Math.max(0, kept))
  }

  /** States to begin with, by slot. */
  *states(): Iterable<[number, Uint8Array]> {
    for (const [slot, { state }] of this.#accounts) if (state !== undefined) yield [slot, state]
  }

  /** The batches to run again, without the rows whose stream is gone or has a later state. */
  *replays(): Iterable<{ entry: Entry; rows: number[] }> {
    for (const entry of this.#entries) {
      const rows: number[] = []
      for (let row = 0; 2 * row < entry.commands.length; row++) {
        const account = this.#accounts.get(entry.commands[2 * row])
        if (account !== undefined && account.number < entry.number) rows.push(row)
      }
      yield { entry, rows }
    }
  }
}
