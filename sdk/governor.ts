// Which rung of the ladder a device can afford. In: after each call, how many hops it made, what they cost and how far the
// stream is behind, all in hops. Out: a rung. It steps down when the rung costs more than there is time for or the stream
// falls behind, to the last rung at once when the queue is full; it climbs after a calm time, which doubles each time a
// climb fails. Knows no clock and no audio, so that it can be tested with numbers.

import { fail } from './errors.ts'

/** When the governor steps down and up again. */
export interface GovernorOptions {
  /** How far the stream may fall behind, in milliseconds: 20..2000, default 100. */
  readonly queueMs?: number
  /** Calm before a climb, in milliseconds: 50..60000, default 2000. */
  readonly holdMs?: number
  /**
   * How overload is seen. `clock` (default): by `now`, call by call. `arrival`: by samples that have arrived (`arrived`)
   * against those consumed, for hosts whose clock is missing, coarse or frozen.
   */
  readonly by?: 'clock' | 'arrival'
}

export interface GovernorSettings {
  /** 0..rungs - 1, the last costs nothing. */
  readonly rungs: number
  readonly queueHops: number
  readonly holdHops: number
}

/** Cost per hop's time above which a rung is too dear, and below which the next better one may be tried. */
const TOO_DEAR = 0.85
const AFFORDABLE = 0.6
/** Hops over which cost is averaged, and the first ones, which compile and fill caches. */
const MEMORY_HOPS = 12
const GRACE_HOPS = 25
/** Hops in time before a stream that only stalled goes back to where it was. */
const RECOVERY_HOPS = 10
const MAX_BACKOFF = 16

export class Governor {
  /** What the coming hops are made by. */
  rung = 0
  lateHops = 0
  droppedHops = 0
  switches = 0
  readonly #settings: GovernorSettings
  /** (rungs) averaged cost per hop's time; 0 while unknown. */
  readonly #loads: Float64Array
  /** (rungs) cost of a rung relative to the first. */
  readonly #weights: readonly number[]
  #hops = 0
  #calmHops = 0
  #backoff = 1
  #climbedAt = Number.NEGATIVE_INFINITY
  #changedAt = 0
  /** The rung before a full queue. */
  #refuge: number | undefined

  /** `weights`: (rungs) what a hop of each rung costs relative to the first; the last is 0. */
  constructor(settings: GovernorSettings, weights: readonly number[]) {
    this.#settings = settings
    this.#weights = weights
    this.#loads = new Float64Array(settings.rungs)
  }

  get #last(): number {
    return this.#settings.rungs - 1
  }

  /** Averaged cost of the present rung per hop's time; 0 where no clock measures it. */
  get load(): number {
    return this.#loads[this.rung]
  }

  /** Before hops are made: a full queue is emptied at once. `behindHops` counts those waiting beyond the present ones. */
  prepare(behindHops: number): number {
    if (behindHops > this.#settings.queueHops && this.rung !== this.#last) {
      // a stall is forgiven once; who stalls again and again is overloaded
      if (this.#hops - this.#climbedAt > this.#hold) this.#refuge = this.rung
      else this.#fail()
      this.#moveTo(this.#last)
    }
    return this.rung
  }

  /** After `hops` hops: `load` is their cost per hop's time, NaN where there is no clock. */
  observe(hops: number, load: number, behindHops: number): void {
    if (hops === 0) return
    this.#hops += hops
    if (behindHops > 1) this.lateHops += hops
    if (behindHops > this.#settings.queueHops) this.droppedHops += hops
    this.#average(hops, load)
    if (this.#isStrained(behindHops)) {
      this.#calmHops = 0
      if (this.rung < this.#last) this.#stepDown()
      return
    }
    this.#calmHops = behindHops <= 1 ? this.#calmHops + hops : 0
    this.#climb()
    // a climb that lasted: what was too dear is no longer
    if (this.#changedAt === this.#climbedAt && this.#hops - this.#changedAt > 8 * this.#hold) this.#backoff = 1
  }

  reset(): void {
    this.rung = 0
    this.lateHops = 0
    this.droppedHops = 0
    this.switches = 0
    this.#loads.fill(0)
    this.#hops = 0
    this.#calmHops = 0
    this.#backoff = 1
    this.#climbedAt = Number.NEGATIVE_INFINITY
    this.#changedAt = 0
    this.#refuge = undefined
  }

  get #hold(): number {
    return this.#settings.holdHops
  }

  #average(hops: number, load: number): void {
    if (!(load >= 0) || this.#hops < GRACE_HOPS) return
    const share = 1 - (1 - 1 / MEMORY_HOPS) ** hops
    // one stall must not look like a dear rung
    const bounded = Math.min(load, 4)
    this.#loads[this.rung] += share * (bounded - this.#loads[this.rung])
  }

  #isStrained(behindHops: number): boolean {
    return this.#loads[this.rung] > TOO_DEAR || behindHops > this.#settings.queueHops / 2
  }

  #stepDown(): void {
    if (this.#hops - this.#climbedAt < this.#hold) this.#fail()
    this.#refuge = undefined
    this.#moveTo(this.rung + 1)
  }

  #climb(): void {
    if (this.rung === 0) return
    if (this.#refuge !== undefined) {
      if (this.#calmHops < RECOVERY_HOPS) return
      this.#climbTo(this.#refuge)
      return
    }
    if (this.#calmHops < this.#hold * this.#backoff) return
    // what a rung once cost may no longer be true: after four times the calm it is tried all the same
    if (this.#foreseen(this.rung - 1) > AFFORDABLE && this.#calmHops < 4 * this.#hold * this.#backoff) return
    this.#climbTo(this.rung - 1)
  }

  #climbTo(rung: number): void {
    this.#climbedAt = this.#hops
    this.#refuge = undefined
    this.#loads[rung] = 0
    this.#moveTo(rung)
  }

  /** Cost of a rung from that of the present one, or from what it was. */
  #foreseen(rung: number): number {
    const here = this.#weights[this.rung]
    if (here === 0) return this.#loads[rung]
    return (this.#loads[this.rung] * this.#weights[rung]) / here
  }

  #fail(): void {
    this.#backoff = Math.min(MAX_BACKOFF, 2 * this.#backoff)
  }

  #moveTo(rung: number): void {
    this.rung = rung
    this.#calmHops = 0
    this.#changedAt = this.#hops
    this.switches++
  }
}

/** Throws OPTION_INVALID. */
export function readGovernor(options: GovernorOptions, hopMs: number, rungs: number): GovernorSettings {
  const { queueMs = 100, holdMs = 2000, by = 'clock' } = options
  if (!(queueMs >= 20 && queueMs <= 2000)) fail('OPTION_INVALID', 'governor.queueMs', queueMs, 'use 20..2000')
  if (!(holdMs >= 50 && holdMs <= 60000)) fail('OPTION_INVALID', 'governor.holdMs', holdMs, 'use 50..60000')
  if (by !== 'clock' && by !== 'arrival') fail('OPTION_INVALID', 'governor.by', by, 'use clock or arrival')
  return { rungs, queueHops: Math.max(2, queueMs / hopMs), holdHops: holdMs / hopMs }
}
