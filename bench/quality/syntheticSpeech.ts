// Speech-like test signal: seeded syllables (harmonics of a gliding pitch under two formants, 4 per second, with pauses)
// -> (seconds * 16000) samples. Lets the metrics be tested without shipping recordings.
import { seededRandom } from './random.ts'

const RATE = 16000
const SYLLABLE_S = 0.25

export const synthesiseSpeech = (seconds: number, seed: number): Float32Array => {
  const random = seededRandom(seed)
  const x = new Float32Array(seconds * RATE)
  const syllable = SYLLABLE_S * RATE
  for (let start = 0; start + syllable <= x.length; start += syllable) {
    if (random() < 0.2) continue // a pause
    const pitchHz = 100 + 120 * random()
    const formantsHz = [300 + 500 * random(), 900 + 1500 * random()]
    for (let harmonic = 1; harmonic * pitchHz < 4000; harmonic++) {
      const hz = harmonic * pitchHz
      const gain = formantsHz.reduce((a, f) => a + 0.05 / (1 + ((hz - f) / 120) ** 2), 0.001)
      for (let i = 0; i < syllable; i++) {
        const envelope = Math.sin((Math.PI * i) / syllable) ** 2
        x[start + i] += gain * envelope * Math.sin((2 * Math.PI * hz * i) / RATE)
      }
    }
  }
  return x
}

export const synthesiseNoise = (length: number, rms: number, seed: number): Float32Array => {
  const random = seededRandom(seed)
  return Float32Array.from({ length }, () => 2 * rms * (random() + random() + random() - 1.5)) // variance of the sum: 1/4
}
