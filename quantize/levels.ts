// Calibration audio at several levels, as people speak near and far: rounding must hold for the quiet ones too. In: noisy
// speech. Out: the same, followed by its beginning 20, 40 and 60 dB lower; and the error of an output, each level counting
// alike.

const QUIETER_DB = [-20, -40, -60]
/** Of the audio, for each of the lower levels: they are there for their level, not for what is said. */
const SHARE = 0.25

export interface Levels {
  readonly samples: Float32Array
  /** Where each level ends, as parts of the whole, rising to 1. */
  readonly ends: readonly number[]
}

/** `hop`: parts begin on whole hops. */
export function atLevels(samples: Float32Array, hop: number): Levels {
  const count = Math.ceil((SHARE * samples.length) / hop) * hop
  const first = Math.ceil(samples.length / hop) * hop
  const total = first + QUIETER_DB.length * count
  const all = new Float32Array(total)
  all.set(samples)
  for (const [i, db] of QUIETER_DB.entries())
    all.set(
      samples.subarray(0, count).map((value) => value * 10 ** (db / 20)),
      first + i * count,
    )
  return { samples: all, ends: [first, ...QUIETER_DB.map((_, i) => first + (i + 1) * count)].map((end) => end / total) }
}

/** Power of a - b over that of b, the mean over the levels at which b is not silent. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>, ends: readonly number[]): number {
  const parts = ends.map((end, i) => {
    let [error, power] = [0, 0]
    const [from, to] = [i === 0 ? 0 : ends[i - 1], end].map((at) => Math.round(at * b.length))
    for (let k = from; k < to; k++) {
      error += (a[k] - b[k]) ** 2
      power += b[k] ** 2
    }
    return power > 0 ? error / power : undefined
  })
  const known = parts.filter((part) => part !== undefined)
  return known.reduce((sum, part) => sum + part, 0) / Math.max(1, known.length)
}
