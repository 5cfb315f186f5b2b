// Clips without speech, to measure how deep a denoiser digs: the steady recordings of the noise folder plus generated
// white, pink and hum noise, each at -36 dBFS -> NoiseClip[]. Attenuation is read after a settling time.
import { dbToGain, levelSpreadDb, rmsDb } from './level.ts'
import { cutClip } from './mixes.ts'
import { type Random, seededRandom } from './random.ts'
import { SAMPLE_RATE, type Sources } from './sources.ts'

export interface NoiseClip {
  name: string
  noise: Float32Array
}

const SECONDS = 30 // states that forget slowly go where no training item of a few seconds went
const SHORTEST_S = 8 // recordings are repeated
const SETTLE_S = 2 // a denoiser may need this long to know the noise
const LEVEL_DB = -36 // dBFS: what a 10 dB SNR leaves in the pauses of -26 dBFS speech
const STEADY_DB = 4 // level spread of 100 ms frames; rain 3, engine 1, babble 8, speech over 10

const setLevel = (x: Float32Array): Float32Array => {
  const gain = dbToGain(LEVEL_DB - rmsDb(x))
  return x.map((v) => v * gain)
}

const white = (length: number, random: Random): Float32Array =>
  Float32Array.from({ length }, () => random() + random() + random() - 1.5) // near Gaussian

/** Pink (-3 dB per octave): one-pole low-passes an octave pair apart, equal in power per octave. */
const pink = (length: number, random: Random): Float32Array => {
  const sum = new Float32Array(length)
  for (let cutHz = 20; cutHz < SAMPLE_RATE / 2; cutHz *= 4) {
    const pole = Math.exp((-2 * Math.PI * cutHz) / SAMPLE_RATE)
    const gain = Math.sqrt(1 - pole * pole)
    let state = 0
    for (const [i, v] of white(length, random).entries()) {
      state = pole * state + gain * v
      sum[i] += state
    }
  }
  return sum
}

/** Mains hum: 50 Hz and its harmonics to 1 kHz, falling, over a little hiss. */
const hum = (length: number, random: Random): Float32Array => {
  const x = white(length, random).map((v) => 0.05 * v)
  for (let harmonic = 1; harmonic <= 20; harmonic++) {
    const phase = 2 * Math.PI * random()
    for (let i = 0; i < length; i++)
      x[i] += Math.sin((2 * Math.PI * 50 * harmonic * i) / SAMPLE_RATE + phase) / harmonic
  }
  return x
}

export const makeNoiseClips = ({ noise }: Pick<Sources, 'noise'>, seed: number): NoiseClip[] => {
  const random = seededRandom(seed)
  const length = SECONDS * SAMPLE_RATE
  const recorded = noise
    .filter((r) => r.samples.length >= SHORTEST_S * SAMPLE_RATE && levelSpreadDb(r.samples) < STEADY_DB)
    .map((r) => ({ name: r.name, noise: setLevel(cutClip(r, length, 0)) }))
  const generated = Object.entries({ white, pink, hum }).map(([name, make]) => ({
    name: `generated ${name}`,
    noise: setLevel(make(length, random)),
  }))
  return [...recorded, ...generated]
}

/** Level in - level out in dB, after SETTLE_S. Capped where the output is digital silence. */
export const measureAttenuation = (noise: Float32Array, enhanced: Float32Array): number => {
  const settled = SETTLE_S * SAMPLE_RATE
  return rmsDb(noise.subarray(settled)) - rmsDb(enhanced.subarray(settled))
}
