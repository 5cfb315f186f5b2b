// Levels of a signal in dB re full scale (a sample of 1): RMS, RMS of the active part of speech, and steadiness.
// Active level after the idea of ITU-T P.56 (pauses do not count), by 20 ms frames rather than an envelope.

const FLOOR_DB = -120

export const powerToDb = (power: number): number => Math.max(FLOOR_DB, 10 * Math.log10(power + 1e-30))
export const dbToGain = (db: number): number => 10 ** (db / 20)

export const meanPower = (x: Float32Array): number => {
  let sum = 0
  for (const v of x) sum += v * v
  return x.length === 0 ? 0 : sum / x.length
}

export const rmsDb = (x: Float32Array): number => powerToDb(meanPower(x))

export const peak = (x: Float32Array): number => {
  let most = 0
  for (const v of x) most = Math.max(most, Math.abs(v))
  return most
}

/** Mean power of consecutive frames; a remainder shorter than a frame is left out. */
export const framePowers = (x: Float32Array, frame: number): number[] => {
  const powers: number[] = []
  for (let at = 0; at + frame <= x.length; at += frame) powers.push(meanPower(x.subarray(at, at + frame)))
  return powers
}

export const quantile = (values: readonly number[], share: number): number => {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  const below = sorted[low]
  return below + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - below)
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** RMS level over the 20 ms frames that lie within 30 dB of the loud ones (95 % quantile). */
export const activeLevelDb = (speech: Float32Array, sampleRate = 16000): number => {
  const powers = framePowers(speech, Math.round(0.02 * sampleRate))
  const threshold = quantile(powers, 0.95) * 1e-3
  const active = powers.filter((p) => p > 0 && p >= threshold)
  return powerToDb(active.reduce((a, b) => a + b, 0) / Math.max(1, active.length))
}

/** Spread (90 % to 10 % quantile, dB) of the level of 100 ms frames: below 3 for rain or a fan, above 10 for speech. */
export const levelSpreadDb = (noise: Float32Array, sampleRate = 16000): number => {
  const levels = framePowers(noise, Math.round(0.1 * sampleRate)).map(powerToDb)
  return quantile(levels, 0.9) - quantile(levels, 0.1)
}
