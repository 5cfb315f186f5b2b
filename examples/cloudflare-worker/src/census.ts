// Totals over all streams and isolates, for /metrics: one object that others report to, seldom (once a minute each). In:
// increments by name. Out: sums since the first deployment.

import { DurableObject } from 'cloudflare:workers'
import type { Env } from './limits.ts'

export type Increments = Readonly<Record<string, number>>

/** A stream that has not reported for so long is not live. */
const LIVE_MS = 150_000

export class Census extends DurableObject<Env> {
  #totals: Record<string, number> = {}
  /** By name: when it last reported. Lost with the object's memory, and right again after a minute. */
  readonly #live = new Map<string, number>()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.blockConcurrencyWhile(async () => {
      this.#totals = (await ctx.storage.get<Record<string, number>>('totals')) ?? {}
    })
  }

  /** `stream`: who reports, if it is one. */
  async add(increments: Increments, stream?: { readonly name: string; readonly isLive: boolean }): Promise<void> {
    if (stream?.isLive) this.#live.set(stream.name, Date.now())
    else if (stream !== undefined) this.#live.delete(stream.name)
    for (const [name, count] of Object.entries(increments)) this.#totals[name] = (this.#totals[name] ?? 0) + count
    await this.ctx.storage.put('totals', this.#totals)
  }

  async totals(): Promise<Increments> {
    const since = Date.now() - LIVE_MS
    for (const [name, seen] of this.#live) if (seen < since) this.#live.delete(name)
    return { ...this.#totals, liveStreams: this.#live.size }
  }
}

export function censusOf(env: Env) {
  return env.CENSUS.get(env.CENSUS.idFromName('all'))
}
