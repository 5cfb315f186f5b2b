// Seeded noisy mixes: clean speech + noise at a wanted SNR -> Mix (clean, noise and noisy aligned, 16 kHz).
// SNR = active speech level - RMS of the noise over the clip; speech sits at -26 dBFS active unless that would clip.
// Every noise file and every speaker is dealt before any repeats.
import { activeLevelDb, dbToGain, peak, rmsDb } from './level.ts'
import { classifyNoise } from './noiseClasses.ts'
import { dealFrom, type Random, seededRandom } from './random.ts'
import { type Recording, SAMPLE_RATE, type Sources } from './sources.ts'

export interface Mix {
  name: string // index_noise_snr_speech
  noiseClass: string
  snrDb: number
  clean: Float32Array // (length)
  noise: Float32Array // (length)
  noisy: Float32Array // clean + noise
}

export interface MixPlan {
  count: number
  seed: number
  snrsDb: readonly number[]
  shortestS: number
  longestS: number
  speechLevelDb: number // dBFS, active
}

export const DEFAULT_PLAN: MixPlan = {
  count: 60,
  seed: 1,
  snrsDb: [-5, 0, 5, 10, 15],
  shortestS: 6,
  longestS: 8,
  speechLevelDb: -26,
}

const PEAK_LIMIT = 0.98
const FADE = 80 // samples, 5 ms: a clip cut inside a word must not begin with a click

/** `ls_1688_00` -> `ls_1688`: recordings of one speaker share all but the last field. */
export const speakerOf = (name: string): string => name.replace(/_\d+$/, '')

const applyFades = (x: Float32Array): Float32Array => {
  for (let i = 0; i < Math.min(FADE, x.length); i++) {
    x[i] = (x[i] * i) / FADE
    x[x.length - 1 - i] = (x[x.length - 1 - i] * i) / FADE
  }
  return x
}

const scale = (x: Float32Array, gain: number): Float32Array => x.map((v) => v * gain)

/** A clip of `length` from a recording, repeated when it is too short. */
export const cutClip = ({ samples }: Pick<Recording, 'samples'>, length: number, start: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => samples[(start + i) % samples.length])

/** Cuts where the recording is not (nearly) silent: the best of a few seeded tries once one is within 6 dB of the whole. */
const cutAudibleClip = (recording: Recording, length: number, random: Random): Float32Array => {
  const wanted = rmsDb(recording.samples) - 6
  const room = Math.max(1, recording.samples.length - length)
  let best = cutClip(recording, length, Math.floor(random() * room))
  for (let tries = 0; tries < 8 && rmsDb(best) < wanted; tries++) {
    const clip = cutClip(recording, length, Math.floor(random() * room))
    if (rmsDb(clip) > rmsDb(best)) best = clip
  }
  return best
}

const mixAt = (
  speech: Float32Array,
  noise: Float32Array,
  snrDb: number,
  speechLevelDb: number,
): Pick<Mix, 'clean' | 'noise' | 'noisy'> => {
  const clean = scale(speech, dbToGain(speechLevelDb - activeLevelDb(speech, SAMPLE_RATE)))
  const scaledNoise = scale(noise, dbToGain(speechLevelDb - snrDb - rmsDb(noise)))
  const noisy = clean.map((v, i) => v + scaledNoise[i])
  const gain = Math.min(1, PEAK_LIMIT / peak(noisy)) // impulsive noise at -5 dB would clip: the whole clip goes down
  return gain === 1
    ? { clean, noise: scaledNoise, noisy }
    : { clean: scale(clean, gain), noise: scale(scaledNoise, gain), noisy: scale(noisy, gain) }
}

/** Deals speakers first, then that speaker's recordings, so that a speaker with two files does not count twice. */
const dealSpeech = (clean: Recording[], random: Random): (() => Recording) => {
  const speakers = [...new Set(clean.map((r) => speakerOf(r.name)))]
  const dealSpeaker = dealFrom(speakers, random)
  const perSpeaker = new Map(
    speakers.map((s) => [
      s,
      dealFrom(
        clean.filter((r) => speakerOf(r.name) === s),
        random,
      ),
    ]),
  )
  return () => perSpeaker.get(dealSpeaker())!()
}

export const makeMixes = (sources: Sources, plan: MixPlan = DEFAULT_PLAN): Mix[] => {
  const random = seededRandom(plan.seed)
  const dealNoise = dealFrom(sources.noise, random)
  const nextSpeech = dealSpeech(sources.clean, random)
  const dealSnr = dealFrom(plan.snrsDb, random)
  return Array.from({ length: plan.count }, (_, index) => {
    const [speech, noise, snrDb] = [nextSpeech(), dealNoise(), dealSnr()]
    const length = Math.round((plan.shortestS + random() * (plan.longestS - plan.shortestS)) * SAMPLE_RATE)
    const clean = applyFades(cutAudibleClip(speech, length, random))
    const number = String(index).padStart(3, '0')
    return {
      name: `${number}_${noise.name.replace(/_/g, '-')}_snr${snrDb}_${speech.name.replace(/_/g, '-')}`,
      noiseClass: classifyNoise(noise.name),
      snrDb,
      ...mixAt(clean, cutAudibleClip(noise, length, random), snrDb, plan.speechLevelDb),
    }
  })
}
