// How far a live stream is behind its source, and what its hops cost. In: the host's clock around each call, or the samples
// that have arrived. Out: milliseconds behind; cost per hop's time.

interface Gauge {
  /** A call begins; the stream then holds `streamMs` of signal in all. Returns how far it is behind, in milliseconds. */
  begin(streamMs: number): number
  /** The call ends, having made hops worth `hopsMs`. Returns their cost per time, NaN if unknown. */
  end(hopsMs: number): number
}

/** A pause of the source, not a delay of ours. */
const PAUSE_MS = 1000
/** How fast a difference between audio clock and host clock is forgotten: more than any crystal's error. */
const DRIFT = 5e-4

/**
 * By a clock: a sample that comes later than the most punctual one so far (less the drift of clocks) has waited somewhere. An
 * offline stream runs ahead of its source and is never behind.
 */
export class ClockGauge implements Gauge {
  readonly #now: () => number
  /** [origin, begin of this call, end of the last one] in ms. */
  readonly #times = new Float64Array(3).fill(Number.NaN)

  constructor(now: () => number) {
    this.#now = now
  }

  begin(streamMs: number): number {
    const times = this.#times
    const now = this.#now()
    const ahead = now - streamMs
    const isNew = !(now - times[2] < PAUSE_MS) // the first call too
    if (isNew || ahead < times[0]) times[0] = ahead
    else times[0] += Math.min(ahead - times[0], DRIFT * Math.max(0, now - times[1]))
    times[1] = now
    return ahead - times[0]
  }

  end(hopsMs: number): number {
    const now = this.#now()
    this.#times[2] = now
    return (now - this.#times[1]) / hopsMs
  }

  reset(): void {
    this.#times.fill(Number.NaN)
  }
}

/** By arrival against consumption: no clock at all. */
export class ArrivalGauge implements Gauge {
  /** Signal that has arrived, consumed or not. */
  arrivedMs = 0

  begin(streamMs: number): number {
    return Math.max(0, this.arrivedMs - streamMs)
  }

  end(): number {
    return Number.NaN
  }

  reset(): void {
    this.arrivedMs = 0
  }
}
