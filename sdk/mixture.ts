// From the network's hop to what is heard. In: a hop as it went in, the hop as the network made it, lag samples later. Out:
// the second, changed in place: blended with the first (strength), filled up (comfort noise); and how much voice there is.

import type { Model } from '../quantize/modelfile.ts'
import { Activity, AFTER, BEFORE } from './activity.ts'
import { ComfortNoise } from './comfort.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'
import { Strength } from './strength.ts'

/** How much of the input stays, and what fills the gaps. */
export interface MixtureOptions {
  /** dB; -Infinity the network alone, 0 bypass. */
  readonly strengthDb: number
  /** dBFS; -Infinity none. */
  readonly comfortNoiseDb: number
}

export class Mixture {
  readonly #activity: Activity
  readonly #comfort: ComfortNoise
  /** Where input and output have one rate, as only then there is something to blend with. */
  readonly #strength: Strength | undefined
  /** (lag in hops + 1) mean squares of the last inputs, oldest first. */
  readonly #powers: Float64Array
  /** [BEFORE, AFTER]; an array, as V8 allocates for every number a function returns. */
  readonly #measured = new Float64Array(2)

  /** `lagSamples`: from input to result, at least the model's. */
  constructor(model: Model, { strengthDb, comfortNoiseDb }: MixtureOptions, lagSamples = model.lagSamples) {
    const { outputHop, outputRate, inputRate } = model
    this.#activity = new Activity((1000 * outputHop) / outputRate)
    this.#comfort = new ComfortNoise(outputRate, comfortNoiseDb)
    this.#strength = inputRate === outputRate ? new Strength(outputHop, lagSamples, strengthDb) : undefined
    this.#powers = new Float64Array(Math.round(lagSamples / outputHop) + 1)
  }

  /** Fades over the next hop. */
  set strengthDb(value: number) {
    if (this.#strength !== undefined) this.#strength.strengthDb = value
  }

  /** Fades over the next hop. */
  set comfortNoiseDb(value: number) {
    this.#comfort.levelDb = value
  }

  /** Input, oldest first: the first hop is the one that the last result stems from. Only where both have one rate. */
  get dry(): Float32Array {
    return this.#strength!.dry
  }

  /** 0..1, of the last hop. */
  get voiceActivity(): number {
    return this.#activity.value
  }

  /** `wet`: (outputHop) changed in place. `dry`: (inputHop). `isDry`: no network made `wet`. Allocates nothing. */
  take(wet: Float32Array, dry: Float32Array, isDry = false): void {
    const measured = this.#measured
    this.#powers.copyWithin(0, 1)
    measurePower(dry, this.#powers, this.#powers.length - 1)
    measured[BEFORE] = this.#powers[0]
    measurePower(wet, measured, AFTER)
    if (!isDry) this.#activity.take(measured) // what no network has judged leaves the value as it was
    this.#strength?.blend(wet, dry)
    if (this.#comfort.isSilent) return
    measurePower(wet, measured, AFTER) // again, as blended
    this.#comfort.add(wet, measured)
  }

  reset(): void {
    this.#activity.reset()
    this.#comfort.reset()
    this.#strength?.reset()
    this.#powers.fill(0)
  }

  /** `hops` hops of silence went by. */
  skip(hops: number): void {
    const gone = Math.min(hops, this.#powers.length)
    this.#powers.copyWithin(0, gone)
    this.#powers.fill(0, this.#powers.length - gone)
    this.#activity.reset()
    this.#strength?.skip(hops)
  }

  save(to: SnapshotWriter): void {
    this.#activity.save(to)
    this.#comfort.save(to)
    this.#strength?.save(to)
    for (const power of this.#powers) to.f64(power)
  }

  load(from: SnapshotReader): void {
    this.#activity.load(from)
    this.#comfort.load(from)
    this.#strength?.load(from)
    for (let i = 0; i < this.#powers.length; i++) this.#powers[i] = from.power('power of a hop')
  }
}

/** Writes the mean square of a hop to `into[at]`. Two sums, as one alone would wait for itself. */
function measurePower(hop: Float32Array, into: Float64Array, at: number): void {
  let even = 0
  let odd = 0
  let i = 0
  for (; i + 3 < hop.length; i += 4) {
    even += hop[i] * hop[i] + hop[i + 1] * hop[i + 1]
    odd += hop[i + 2] * hop[i + 2] + hop[i + 3] * hop[i + 3]
  }
  for (; i < hop.length; i++) even += hop[i] * hop[i]
  into[at] = (even + odd) / hop.length
}
