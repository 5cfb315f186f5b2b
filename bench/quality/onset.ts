// Speech that starts out of silence: does the denoiser swallow the first syllable? clean speech -> clip with a silent lead,
// and (clip, enhanced) -> loss in dB over the first 200 ms of speech (positive: energy was lost).
import { activeLevelDb, framePowers, meanPower, powerToDb } from './level.ts'
import { SAMPLE_RATE } from './sources.ts'

const LEAD_S = 1
const ONSET_S = 0.2
const FRAME = 80 // 5 ms
const AUDIBLE_DB = -15 // re active level: the first frame above this is the onset

export const addSilentLead = (clean: Float32Array): Float32Array => {
  const clip = new Float32Array(LEAD_S * SAMPLE_RATE + clean.length)
  clip.set(clean, LEAD_S * SAMPLE_RATE)
  return clip
}

/** First sample of the first audible 5 ms frame. */
export const findOnset = (clip: Float32Array): number => {
  const threshold = activeLevelDb(clip, SAMPLE_RATE) + AUDIBLE_DB
  const frame = framePowers(clip, FRAME).findIndex((p) => powerToDb(p) >= threshold)
  return Math.max(0, frame) * FRAME
}

export const measureOnsetLoss = (clip: Float32Array, enhanced: Float32Array): number => {
  const start = findOnset(clip)
  const end = start + ONSET_S * SAMPLE_RATE
  return powerToDb(meanPower(clip.subarray(start, end))) - powerToDb(meanPower(enhanced.subarray(start, end)))
}
