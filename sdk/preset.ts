// How much to take away, by purpose. In: the options of a denoiser. Out: strength and comfort noise, the preset's where
// nothing else was said.

import { fail } from './errors.ts'
import type { MixtureOptions } from './mixture.ts'

/**
 * Mixtures by purpose. `full`: all that the model does, for people who listen. `gentle`: at most 18 dB away, for speech
 * recognition. `natural`: at most 30 dB away and a little comfort noise, for long calls.
 */
export const PRESETS: Readonly<Record<'full' | 'gentle' | 'natural', MixtureOptions>> = {
  /** All that the model does: for people who listen. */
  full: { strengthDb: Number.NEGATIVE_INFINITY, comfortNoiseDb: Number.NEGATIVE_INFINITY },
  /**
   * For speech recognition: at most 18 dB away, an eighth of the input's amplitude stays. Recognisers are trained with noise
   * and stumble over what a denoiser takes from soft consonants.
   */
  gentle: { strengthDb: -18, comfortNoiseDb: Number.NEGATIVE_INFINITY },
  /** For long calls: no dead line in the pauses. */
  natural: { strengthDb: -30, comfortNoiseDb: -66 },
}

/** A name of `PRESETS`. */
export type Preset = keyof typeof PRESETS

export interface MixtureChoice {
  readonly preset?: Preset
  readonly strengthDb?: number
  readonly comfortNoiseDb?: number
}

export function mixtureOf(choice: MixtureChoice): MixtureOptions {
  const { preset = 'full', ...given } = choice
  if (!Object.hasOwn(PRESETS, preset))
    fail('OPTION_INVALID', 'preset', preset, `use one of ${Object.keys(PRESETS).join(', ')}`)
  const { strengthDb = PRESETS[preset].strengthDb, comfortNoiseDb = PRESETS[preset].comfortNoiseDb } = given
  return { strengthDb, comfortNoiseDb }
}
