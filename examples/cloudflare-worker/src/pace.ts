// How fast somebody may go: a bucket that fills with time and that every act empties a little. In: acts, as they happen. Out:
// whether there was enough. The clock of Workers stands still while code runs and moves on with every event: fine enough.

export class Pace {
  readonly #perMs: number
  readonly #most: number
  #left: number
  #filledMs: number

  /** `perSecond` in the long run, `burst` at once. */
  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000
    this.#most = burst
    this.#left = burst
    this.#filledMs = Date.now()
  }

  allows(acts: number): boolean {
    const now = Date.now()
    this.#left = Math.min(this.#most, this.#left + (now - this.#filledMs) * this.#perMs)
    this.#filledMs = now
    if (this.#left < acts) return false
    this.#left -= acts
    return true
  }
}
