// What lies above the band that the network hears. In: hop by hop, at the model's rate, what is heard of the network (wet) and
// the input it stems from (dry). Out: wet less its share of dry, in place, and that share g as a ramp over time; whoever
// resamples then adds g times the input as it came:
//
//   out = up(wet - g dry) + g x,   dry = down(x)
//
// The high band is thus x - up(down(x)), exactly what resampling takes away: no gap, no overlap, and with wet = dry and g = 1
// the input itself to the bit. Nothing is filtered twice. `pass`: g = 1. `follow`: g is what the network leaves of the upper
// part of its own band, never more than 1.

import { fail } from './errors.ts'
import type { SnapshotReader, SnapshotWriter, Stateful } from './snapshot.ts'

/** What becomes of the band above the model's: attenuated as the upper part of its own, left out, or left alone. */
export const HIGH_BANDS = ['follow', 'drop', 'pass'] as const
/** One of `HIGH_BANDS`. */
export type HighBandMode = (typeof HIGH_BANDS)[number]

export interface HighBandShape {
  readonly mode: 'follow' | 'pass'
  readonly channels: number
  /** Of the model, in samples and milliseconds. */
  readonly hop: number
  readonly hopMs: number
  /** Results before the input's beginning. */
  readonly lagSamples: number
  /** Results of the past that may still be asked about. */
  readonly reachSamples: number
}

/** How fast the levels of the upper band are forgotten. */
const MEMORY_MS = 20
/** tan(pi 5 / 16): levels are measured from 5/16 of the rate on, 5 of 16 kHz. */
const CORNER = 1.496605762665489
/** Of the two sections of a Butterworth filter of order 4. */
const QUALITIES = [0.541196100146197, 1.306562964876377]
const SECTIONS = QUALITIES.map((quality) => {
  const norm = 1 / (1 + CORNER / quality + CORNER * CORNER)
  return { norm, a1: 2 * (CORNER * CORNER - 1) * norm, a2: (1 - CORNER / quality + CORNER * CORNER) * norm }
})
const STATE = 2 * SECTIONS.length
const WET = 0
const DRY = 1
/** Below, a filter's state is silence: it would fade through numbers that are slow. */
const SILENCE = 1e-30

export class HighBand implements Stateful {
  /** Hops taken since the beginning of the stream; those passed over do not count. */
  hops = 0
  readonly #shape: HighBandShape
  /** Until something was heard. */
  #first: number
  readonly #forget: number
  /** (channels)(wet, dry)(STATE) of the filters that measure. */
  readonly #filters: Float64Array
  /** [wet, dry] energies of the upper band, over all channels: they share a gain. */
  readonly #energies = new Float64Array(2)
  /** Ring: the gain at the beginning of hop k, for the last ones. */
  readonly #gains: Float64Array
  /** [from, step]; an array, as V8 allocates for every number a function is given. */
  readonly #ramp = new Float64Array(2)

  /** `first`: the gain until something was heard. */
  constructor(shape: HighBandShape, first: number) {
    this.#shape = shape
    this.#first = first
    this.#forget = Math.exp(-shape.hopMs / MEMORY_MS)
    this.#filters = new Float64Array(shape.channels * 2 * STATE)
    this.#gains = new Float64Array(Math.ceil((shape.lagSamples + shape.reachSamples) / shape.hop) + 3)
    this.reset()
  }

  /** The gain that the next stream begins with. */
  set first(share: number) {
    this.#first = share
  }

  reset(): void {
    this.hops = 0
    this.#filters.fill(0)
    this.#energies.fill(0)
    this.#gains.fill(this.#shape.mode === 'pass' ? 1 : this.#first)
  }

  /** `wets`: (channels)(hop), changed in place. `drys`: of each channel, the first `hop` samples. Allocates nothing. */
  take(wets: readonly Float32Array[], drys: readonly Float32Array[]): void {
    const { hop, mode } = this.#shape
    const gains = this.#gains
    const from = gains[this.hops % gains.length]
    this.hops++
    if (mode === 'follow') this.#measure(wets, drys)
    const wet = this.#energies[WET]
    const dry = this.#energies[DRY]
    const to = mode === 'follow' && dry > 0 ? Math.sqrt(Math.min(1, wet / dry)) : from
    gains[this.hops % gains.length] = to
    this.#ramp[0] = from
    this.#ramp[1] = (to - from) / hop
    for (let c = 0; c < wets.length; c++) subtract(wets[c], drys[c], this.#ramp)
  }

  /** At a sample at the model's rate, counted from the beginning of the stream; between samples too. */
  gainAt(sample: number): number {
    const { hop, lagSamples } = this.#shape
    const gains = this.#gains
    const place = (sample + lagSamples) / hop
    const whole = Math.floor(place)
    const from = gains[whole % gains.length]
    return from + (place - whole) * (gains[(whole + 1) % gains.length] - from)
  }

  save(to: SnapshotWriter): void {
    to.f64(this.hops)
    to.f64(this.#first)
    for (const value of this.#filters) to.f64(value)
    for (const value of this.#energies) to.f64(value)
    for (const value of this.#gains) to.f64(value)
  }

  load(from: SnapshotReader): void {
    this.hops = from.total('hops of the high band')
    this.#first = from.share('first gain of the high band')
    for (let i = 0; i < this.#filters.length; i++) this.#filters[i] = from.bounded('filter of the high band', 1e12)
    for (let i = 0; i < this.#energies.length; i++) this.#energies[i] = from.power('energy of the high band')
    for (let i = 0; i < this.#gains.length; i++) this.#gains[i] = from.share('gain of the high band')
  }

  #measure(wets: readonly Float32Array[], drys: readonly Float32Array[]): void {
    this.#energies[WET] *= this.#forget
    this.#energies[DRY] *= this.#forget
    const { hop } = this.#shape
    for (let c = 0; c < wets.length; c++) {
      addEnergy(wets[c], hop, this.#filters, 2 * STATE * c, this.#energies, WET)
      addEnergy(drys[c], hop, this.#filters, 2 * STATE * c + STATE, this.#energies, DRY)
    }
  }
}

/** Energy of the first `count` samples above the corner, added to `energies[at]`; the filter's state is `state[from]` on. */
function addEnergy(
  samples: Float32Array,
  count: number,
  state: Float64Array,
  from: number,
  energies: Float64Array,
  at: number,
): void {
  const [first, second] = SECTIONS
  let p = state[from]
  let q = state[from + 1]
  let r = state[from + 2]
  let s = state[from + 3]
  let sum = 0
  for (let i = 0; i < count; i++) {
    // direct form II, transposed, numerator 1 - 2/z + 1/z^2 (Oppenheim and Schafer, 6.3)
    const x = samples[i] * first.norm
    const y = x + p
    p = q - 2 * x - first.a1 * y
    q = x - first.a2 * y
    const u = y * second.norm
    const v = u + r
    r = s - 2 * u - second.a1 * v
    s = u - second.a2 * v
    sum += v * v
  }
  energies[at] += sum
  state[from] = settled(p)
  state[from + 1] = settled(q)
  state[from + 2] = settled(r)
  state[from + 3] = settled(s)
}

function settled(value: number): number {
  return value > SILENCE || value < -SILENCE ? value : 0
}

/** wet -= g dry. `ramp`: g at the beginning, and its steps. */
function subtract(wet: Float32Array, dry: Float32Array, ramp: Float64Array): void {
  const from = ramp[0]
  const step = ramp[1]
  for (let i = 0; i < wet.length; i++) wet[i] -= (from + i * step) * dry[i]
}

/** Throws OPTION_INVALID. */
export function checkHighBand(mode: HighBandMode): void {
  if (!HIGH_BANDS.includes(mode)) fail('OPTION_INVALID', 'highBand', mode, `use one of ${HIGH_BANDS.join(', ')}`)
}
