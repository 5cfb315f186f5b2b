// The bodies that this isolate is denoising. In: each of them, as it begins, moves and ends. Out: room for another one, or a
// 429. When a client goes away the platform drops its request in mid-air, `finally` included, and the memory of the core is
// ours to free: what has not moved for long is ended by the next one that comes.

import type { Limits } from './limits.ts'
import { Problem } from './problem.ts'

/** Idle times of an upload after which nobody can be reading any more. */
const DEAD_AFTER = 3

export class Transfer {
  movedMs = Date.now()
  readonly #free: () => void
  #isOver = false

  constructor(free: () => void) {
    this.#free = free
  }

  get isOver(): boolean {
    return this.#isOver
  }

  moved(): void {
    this.movedMs = Date.now()
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#free()
  }
}

export class Transfers {
  readonly #open = new Set<Transfer>()

  /** Throws a Problem where there is no room. */
  expectRoom({ MAX_UPLOADS, UPLOAD_IDLE_MS }: Limits): void {
    const since = Date.now() - DEAD_AFTER * UPLOAD_IDLE_MS
    for (const transfer of this.#open) {
      if (transfer.movedMs < since) transfer.end()
      if (transfer.isOver) this.#open.delete(transfer)
    }
    if (this.#open.size >= MAX_UPLOADS)
      throw new Problem(429, `${this.#open.size} uploads at once; try again`, { 'retry-after': '5' })
  }

  /** `free` is called once. */
  begin(free: () => void): Transfer {
    const transfer = new Transfer(() => {
      this.#open.delete(transfer)
      free()
    })
    this.#open.add(transfer)
    return transfer
  }
}
