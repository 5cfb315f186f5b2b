// The scores of one clip and their means: (clean, enhanced) -> { pesq, stoi, siSdr, lsdLow, lsdHigh }.
// PESQ comes in batches (one interpreter for all clips); the rest is computed clip by clip.
import { HIGH_BAND, LOW_BAND, measureLsd } from './metrics/lsd.ts'
import { measureSiSdr } from './metrics/sisdr.ts'
import { measureStoi } from './metrics/stoi.ts'
import { measurePesq, type Pair } from './pesq.ts'

export interface Scores {
  pesq: number // wide-band, NaN without a local build
  stoi: number // 0..1
  siSdr: number // dB
  lsdLow: number // dB, 0-2 kHz
  lsdHigh: number // dB, 2-8 kHz
}

export const METRICS: readonly { key: keyof Scores; title: string; digits: number }[] = [
  { key: 'pesq', title: 'PESQ-WB', digits: 3 },
  { key: 'stoi', title: 'STOI', digits: 4 },
  { key: 'siSdr', title: 'SI-SDR', digits: 2 },
  { key: 'lsdLow', title: 'LSD 0-2k', digits: 2 },
  { key: 'lsdHigh', title: 'LSD 2-8k', digits: 2 },
]

export const scoreClips = (pairs: readonly Pair[]): Scores[] => {
  const pesq = measurePesq(pairs)
  return pairs.map(({ clean, enhanced }, i) => {
    const [lsdLow, lsdHigh] = measureLsd(clean, enhanced, [LOW_BAND, HIGH_BAND])
    return { pesq: pesq[i], stoi: measureStoi(clean, enhanced), siSdr: measureSiSdr(clean, enhanced), lsdLow, lsdHigh }
  })
}

/** Mean over the clips that have the score; NaN when none has. */
export const meanOf = (values: readonly number[]): number => {
  const known = values.filter((v) => !Number.isNaN(v))
  return known.length === 0 ? Number.NaN : known.reduce((a, b) => a + b, 0) / known.length
}

export const meanScores = (scores: readonly Scores[]): Scores => ({
  pesq: meanOf(scores.map((s) => s.pesq)),
  stoi: meanOf(scores.map((s) => s.stoi)),
  siSdr: meanOf(scores.map((s) => s.siSdr)),
  lsdLow: meanOf(scores.map((s) => s.lsdLow)),
  lsdHigh: meanOf(scores.map((s) => s.lsdHigh)),
})
