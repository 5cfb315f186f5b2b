// The 4 kHz / 4-bit codec, one block at a time. In: (64) f32 samples at 4 kHz in -1..1. Out: 33 bytes, a gain g and 64
// nibbles, and back. The definition is training/codec.py, which nano is trained with; with s = 2^(-g/8) and u = x / s:
//   encode  g = floor(-8 log2 peak), 0..127;  q = floor(8 (1 + c(u))), 0..15;  c(u) = sign(u) ln(1 + MU |u|) / ln(1 + MU)
//   decode  c' = (q + 0.5) / 8 - 1 (mid-rise);  x' = s sign(c') ((1 + MU)^|c'| - 1) / MU
// The linear law has c(u) = u.

import { checkKind } from '../kinds.ts'
import { usable } from '../range.ts'

export const SENSOR_RATE = 4000
export const BLOCK_SAMPLES = 64
export const BLOCK_BYTES = 1 + BLOCK_SAMPLES / 2

const MU = 3
const GAIN_STEPS = 8
const LAST_GAIN = 127
/** Below it a block is silence; keeps the logarithm finite. */
const LEAST_PEAK = 1e-9

/** Spacing of the 16 levels. */
export type SensorLaw = 'mulaw' | 'linear'
/** Which half of a byte holds the earlier sample. */
export type NibbleOrder = 'low-first' | 'high-first'

/** How 64 samples become a gain byte and 32 bytes of nibbles. */
export interface BlockFormat {
  /** Default `mulaw`: 21.2 dB on speech against 20.9 (training/codec.py). */
  readonly law?: SensorLaw
  /** Default `low-first`. */
  readonly nibbleOrder?: NibbleOrder
}

/** `samples`: (64) at 4 kHz; beyond -1..1 they are clipped, no number or beyond 65536 is silence. `block`: (33) gain, then nibbles. */
export function encodeBlock(samples: Float32Array, block: Uint8Array, format: BlockFormat = {}): void {
  checkArguments(samples, block, format)
  const { law = 'mulaw', nibbleOrder = 'low-first' } = format
  const [early, late] = nibbleOrder === 'low-first' ? [0, 4] : [4, 0]
  const gain = gainOf(samples)
  const scale = 2 ** (gain / GAIN_STEPS)
  block[0] = gain
  for (let i = 0; i < BLOCK_SAMPLES; i += 2)
    block[1 + i / 2] =
      (nibbleOf(usable(samples[i]) * scale, law) << early) | (nibbleOf(usable(samples[i + 1]) * scale, law) << late)
}

/** `block`: (33). `samples`: (64), what a receiver hears. */
export function decodeBlock(block: Uint8Array, samples: Float32Array, format: BlockFormat = {}): void {
  checkArguments(samples, block, format)
  const { law = 'mulaw', nibbleOrder = 'low-first' } = format
  const [early, late] = nibbleOrder === 'low-first' ? [0, 4] : [4, 0]
  const scale = 2 ** (-block[0] / GAIN_STEPS)
  for (let i = 0; i < BLOCK_SAMPLES; i += 2) {
    const byte = block[1 + i / 2]
    samples[i] = scale * sampleOf((byte >> early) & 15, law)
    samples[i + 1] = scale * sampleOf((byte >> late) & 15, law)
  }
}

function checkArguments(samples: Float32Array, block: Uint8Array, format: BlockFormat): void {
  checkKind('samples', samples, 'samples')
  checkKind('block', block, 'bytes')
  checkKind('format', format, 'object')
}

function gainOf(samples: Float32Array): number {
  let peak = LEAST_PEAK
  for (let i = 0; i < BLOCK_SAMPLES; i++) peak = Math.max(peak, Math.abs(usable(samples[i])))
  return Math.min(LAST_GAIN, Math.max(0, Math.floor(-GAIN_STEPS * Math.log2(peak))))
}

function nibbleOf(u: number, law: SensorLaw): number {
  const size = Math.min(1, Math.abs(u))
  const c = law === 'linear' ? size : Math.log1p(MU * size) / Math.log1p(MU)
  const q = Math.floor(8 * (1 + (u < 0 ? -c : c)))
  return q > 15 ? 15 : q
}

function sampleOf(q: number, law: SensorLaw): number {
  const c = (q + 0.5) / 8 - 1
  const size = law === 'linear' ? Math.abs(c) : Math.expm1(Math.abs(c) * Math.log1p(MU)) / MU
  return c < 0 ? -size : size
}
