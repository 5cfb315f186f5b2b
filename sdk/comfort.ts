// Comfort noise: what the network mutes altogether sounds like a dead line. In: a hop as it will be heard, and how much
// power went in and is left. Out: the same hop with so much soft noise that its level does not fall below
// `comfortNoiseDb`, and never more than was taken away: silence in stays silence. Seeded, so that streams repeat to the bit.

import { AFTER, BEFORE } from './activity.ts'
import { fail } from './errors.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

export const MAX_COMFORT_DB = -30
const SEED = 0x9e3779b9
/** First-order low-pass: like a quiet room rather than a hiss. */
const CORNER_HZ = 800

export class ComfortNoise {
  readonly #pole: number
  readonly #drive: number
  /** [mean square to fill up to, amplitude at the end of the hop before, last noise]; an array, see activity.ts. */
  readonly #state = new Float64Array(3)
  /** [32 bits] */
  readonly #random = Int32Array.of(SEED)

  constructor(sampleRate: number, levelDb: number) {
    this.#pole = Math.exp((-2 * Math.PI * CORNER_HZ) / sampleRate)
    // uniform noise in -1..1 has a mean square of 1/3: so scaled the filtered one has 1
    this.#drive = Math.sqrt(3 * (1 - this.#pole ** 2))
    this.levelDb = levelDb
  }

  set levelDb(value: number) {
    checkComfort(value)
    this.#state[0] = 10 ** (value / 10)
  }

  /** Would `add` leave any hop as it is? */
  get isSilent(): boolean {
    return this.#state[0] === 0 && this.#state[1] === 0
  }

  reset(): void {
    this.#state.fill(0, 1)
    this.#random[0] = SEED
  }

  /** `hop`: changed in place. `measured`: mean squares of the input it stems from, at BEFORE, and its own, at AFTER. */
  add(hop: Float32Array, measured: Float64Array): void {
    const before = measured[BEFORE]
    const after = measured[AFTER]
    const floor = this.#state[0]
    const gain = this.#state[1]
    const target = Math.sqrt(Math.max(0, Math.min(floor, before) - after))
    if (target === 0 && gain === 0) return
    const step = (target - gain) / hop.length
    let last = this.#state[2]
    for (let i = 0; i < hop.length; i++) {
      last = this.#pole * last + this.#drive * drawUniform(this.#random)
      hop[i] += (gain + step * (i + 1)) * last
    }
    this.#state[1] = target
    this.#state[2] = last
  }

  save(to: SnapshotWriter): void {
    to.u32(this.#random[0] >>> 0)
    to.f64(this.#state[1])
    to.f64(this.#state[2])
  }

  load(from: SnapshotReader): void {
    this.#random[0] = from.u32() || SEED
    this.#state[1] = from.share('comfort noise')
    this.#state[2] = from.bounded('comfort noise', 100)
  }
}

/** -1..1, by xorshift (Marsaglia 2003). */
function drawUniform(random: Int32Array): number {
  let x = random[0]
  x ^= x << 13
  x ^= x >>> 17
  x ^= x << 5
  random[0] = x
  return x / 2 ** 31
}

/** dBFS; -Infinity is none. */
export function checkComfort(levelDb: number): void {
  if (!(typeof levelDb === 'number' && levelDb <= MAX_COMFORT_DB))
    fail('OPTION_INVALID', 'comfortNoiseDb', levelDb, `use ${MAX_COMFORT_DB} (loud) or less, -70 is quiet`)
}
