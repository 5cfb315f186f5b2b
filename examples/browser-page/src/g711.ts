// G.711 mu-law, one sample at a time (ITU-T G.711, table 2a): 14-bit linear to 8 bits and back. In: -1..1. Out: what is left
// of it after a phone line.

const BIAS = 33
/** The largest of 14 bits that fits with its bias. */
const CLIP = 8158
const FULL = 8192

/** A segment (the highest bit) and four bits below it: 16 equal steps in each octave. */
export function throughMuLaw(sample: number): number {
  const size = Math.min(CLIP, Math.round(Math.abs(sample) * FULL)) + BIAS
  const segment = 31 - Math.clz32(size) - 5
  const step = 2 << segment
  const code = Math.floor(size / step)
  const heard = (code * step + step / 2 - BIAS) / FULL
  return sample < 0 ? -heard : heard
}
