// Latency-bounded inference for one denoiser: a gauge, a governor and the names of its rungs. In: the beginning and end of
// each call. Out: the rung to use, and what to report. Allocates nothing but what the clock does.

import type { Model } from '../quantize/modelfile.ts'
import { ArrivalGauge, ClockGauge } from './gauge.ts'
import { Governor, type GovernorOptions, readGovernor } from './governor.ts'
import { reportUncaught } from './uncaught.ts'

/** What the governor sees and has done. */
export interface SupervisionStats {
  /** 0 is the model itself; the last rung is the delayed input. */
  readonly rung: number
  /** Names of the rungs' models, and `dry`. */
  readonly rungs: readonly string[]
  /** Cost of a hop per hop's time, averaged; NaN without a clock. */
  readonly load: number
  /** How far the stream was behind its source when the last call began. */
  readonly behindMs: number
  /** Hops (per channel) that came out more than a hop late. */
  readonly lateHops: number
  /** Hops (per channel) passed on undenoised because the queue was full. */
  readonly droppedHops: number
  /** Changes of rung. */
  readonly switches: number
}

export class Supervision {
  readonly #governor: Governor
  readonly #gauge: ClockGauge | ArrivalGauge
  readonly #rungs: readonly string[]
  readonly #onRung: ((name: string, rung: number) => void) | undefined
  readonly #hopMs: number
  readonly #msPerSample: number
  /** Of the stream per channel, lost ones included; a snapshot taken up moves the state, not the source. */
  #samples = 0
  #behindMs = 0
  #told = 0

  /** `models`: of the networks, the best first; `sampleRate` of the stream. */
  constructor(
    models: readonly Model[],
    sampleRate: number,
    options: GovernorOptions & { readonly onRung?: ((name: string, rung: number) => void) | undefined },
    now: () => number,
  ) {
    const [first] = models
    this.#hopMs = (1000 * first.inputHop) / first.inputRate
    this.#msPerSample = 1000 / sampleRate
    this.#rungs = [...models.map(({ card }, i) => (typeof card.name === 'string' ? card.name : `model ${i}`)), 'dry']
    const perMs = (model: Model) => (model.macsPerHop * model.inputRate) / model.inputHop
    const weights = [...models.map((model) => perMs(model) / perMs(first)), 0]
    this.#governor = new Governor(readGovernor(options, this.#hopMs, this.#rungs.length), weights)
    this.#gauge = options.by === 'arrival' ? new ArrivalGauge() : new ClockGauge(now)
    this.#onRung = options.onRung
  }

  /** Before a call that is given `samples` per channel. Returns the rung to use. */
  begin(samples: number): number {
    this.#samples += samples
    this.#behindMs = this.#gauge.begin(this.#samples * this.#msPerSample)
    return this.#governor.prepare(this.#behindMs / this.#hopMs)
  }

  /** After a call that made so many hops per channel. */
  end(hops: number): void {
    const load = this.#gauge.end(hops * this.#hopMs)
    this.#governor.observe(hops, load, this.#behindMs / this.#hopMs)
    const { rung } = this.#governor
    if (rung === this.#told) return
    this.#told = rung
    try {
      this.#onRung?.(this.#rungs[rung], rung)
    } catch (error) {
      reportUncaught(error)
    }
  }

  /** So many more samples per channel wait to be given. */
  arrived(samples: number): void {
    if (this.#gauge instanceof ArrivalGauge) this.#gauge.arrivedMs += samples * this.#msPerSample
  }

  /** So many samples per channel never came and will not be given: their time has passed all the same. */
  lost(samples: number): void {
    this.#samples += samples
    this.arrived(samples)
  }

  reset(): void {
    this.#governor.reset()
    this.#gauge.reset()
    this.#samples = 0
    this.#behindMs = 0
    this.#told = 0
  }

  stats(): SupervisionStats {
    const { rung, load, lateHops, droppedHops, switches } = this.#governor
    return {
      rung,
      rungs: this.#rungs,
      load: this.#gauge instanceof ArrivalGauge ? Number.NaN : load,
      behindMs: this.#behindMs,
      lateHops,
      droppedHops,
      switches,
    }
  }
}
