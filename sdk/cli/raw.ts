// Samples without a header. In: what `--raw` was given, `s16le,16000` or `f32le,48000,2`: format, rate, channels. Out: what a WAV
// header would have said.

import { fail } from '../errors.ts'
import type { SampleFormat } from '../pcm.ts'
import { MAX_CHANNELS, MAX_RATE, MIN_RATE } from '../preparation.ts'
import type { WavFormat } from '../wav.ts'

/** As `arecord`, `ffmpeg` and `sox` name them, little-endian. */
export const RAW_FORMATS: Readonly<Record<string, SampleFormat>> = {
  u8: 'u8',
  s16le: 's16',
  s24le: 's24',
  s32le: 's32',
  f32le: 'f32',
  f64le: 'f64',
  mulaw: 'mulaw',
  alaw: 'alaw',
}
const REMEDY = 'use FORMAT,RATE or FORMAT,RATE,CHANNELS, such as s16le,16000'

/** Throws OPTION_INVALID, FORMAT_UNSUPPORTED, RATE_UNSUPPORTED or CHANNELS_UNSUPPORTED. */
export function parseRaw(text: string): WavFormat {
  const parts = text.split(',')
  if (parts.length < 2 || parts.length > 3) fail('OPTION_INVALID', '--raw', text, REMEDY)
  const [format, rate, channels = '1'] = parts.map((part) => part.trim().toLowerCase())
  if (!Object.hasOwn(RAW_FORMATS, format))
    fail('FORMAT_UNSUPPORTED', 'format of --raw', format, `use one of ${Object.keys(RAW_FORMATS).join(', ')}`)
  return {
    sampleFormat: RAW_FORMATS[format],
    sampleRate: parseWhole('RATE_UNSUPPORTED', 'rate of --raw', rate, MIN_RATE, MAX_RATE),
    channels: parseWhole('CHANNELS_UNSUPPORTED', 'channels of --raw', channels, 1, MAX_CHANNELS),
  }
}

function parseWhole(
  code: 'RATE_UNSUPPORTED' | 'CHANNELS_UNSUPPORTED',
  what: string,
  text: string,
  least: number,
  most: number,
): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : fail(code, what, text, `use ${least}..${most}`)
}
