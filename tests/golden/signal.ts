// The input of the golden vectors: noise with pauses and voiced bursts, by the formula of README.md. Out: float32
// samples, bit for bit those of training/golden_signal.py: only multiplications and additions of doubles, same order.

const SEED = 20240903
const NOISE = 0.2
/** K and s[1] of s[t+1] = K s[t] - s[t-1], then the amplitude. */
const TONES = [
  [1.997, 0.0547, 0.35],
  [1.925, 0.2713, 0.25],
  [1.24, 0.7846, 0.15],
] as const
const SYLLABLE = [1.9999995543, 0.0006676] as const

export function drawSamples(count: number, offset: number, level: number): Float32Array {
  const out = new Float32Array(count)
  const signal = drawSignal(count + offset)
  for (let i = 0; i < count; i++) out[i] = signal[i + offset] * level
  return out
}

let longest = new Float64Array(0)

/** Shared by all cases; grows to the longest asked for. */
function drawSignal(count: number): Float64Array {
  if (longest.length >= count) return longest
  const out = new Float64Array(count)
  let random = SEED
  const now = [0, 0, 0, 0]
  const next: number[] = [...TONES.map(([, first]) => first), SYLLABLE[1]]
  const factors: number[] = [...TONES.map(([factor]) => factor), SYLLABLE[0]]
  const [[, , loudA], [, , loudB], [, , loudC]] = TONES
  for (let t = 0; t < count; t++) {
    random = (Math.imul(1664525, random) + 1013904223) >>> 0
    const noise = (random >>> 8) / 8388608 - 1
    const voice = loudA * now[0] + loudB * now[1] + loudC * now[2]
    out[t] = (now[3] > 0 ? voice * now[3] : 0) + NOISE * noise
    for (let k = 0; k < 4; k++) {
      const after = factors[k] * next[k] - now[k]
      now[k] = next[k]
      next[k] = after
    }
  }
  longest = out
  return out
}
