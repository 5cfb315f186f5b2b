// What one isolate has counted and not yet told the census: refused requests must not become requests of another object. In:
// increments as they happen. Out: at most one report in ten seconds.

import { censusOf, type Increments } from './census.ts'
import type { Env } from './limits.ts'

const EVERY_MS = 10_000

export class Tally {
  #counts: Record<string, number> = {}
  #reportedMs = 0

  add(name: string, count = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + count
  }

  /** Now, or if it is time. A report that fails is tried again with the next. */
  async report(env: Env, isUrgent = false): Promise<void> {
    if (Object.keys(this.#counts).length === 0) return
    if (!isUrgent && Date.now() - this.#reportedMs < EVERY_MS) return
    this.#reportedMs = Date.now()
    const counts: Increments = this.#counts
    this.#counts = {}
    try {
      await censusOf(env).add(counts)
    } catch (error) {
      for (const [name, count] of Object.entries(counts)) this.add(name, count)
      console.error(error)
    }
  }
}
