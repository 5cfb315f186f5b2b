// Bytes of a sample format as they arrive, in pieces of any length. In: bytes. Out: f32 samples in whole frames (samples of
// all channels), and back; what is left of a frame waits for the next piece.

import { fail } from './errors.ts'
import { checkKind } from './kinds.ts'
import { decodeSamples, encodeSamples, type SampleFormat, sampleBytes } from './pcm.ts'

export class SampleBytes {
  readonly #format: SampleFormat
  readonly #frameBytes: number
  #rest: Uint8Array = new Uint8Array(0)

  constructor(format: SampleFormat, channels: number) {
    this.#format = format
    this.#frameBytes = channels * sampleBytes(format)
  }

  /** Whole frames of what came so far, interleaved; the array is the caller's. */
  decode(bytes: Uint8Array): Float32Array {
    checkKind('chunk', bytes, 'bytes')
    const all = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes)
    const whole = all.length - (all.length % this.#frameBytes)
    this.#rest = new Uint8Array(all.subarray(whole))
    const samples = new Float32Array(whole / sampleBytes(this.#format))
    decodeSamples(this.#format, all, samples)
    return samples
  }

  /** Rounded to the nearest step, clipped at full scale. */
  encode(samples: Float32Array): Uint8Array {
    const bytes = new Uint8Array(samples.length * sampleBytes(this.#format))
    encodeSamples(this.#format, samples, samples.length, bytes)
    return bytes
  }

  /** Throws AUDIO_INVALID if the stream ended inside a frame. */
  end(): void {
    const { length } = this.#rest
    this.#rest = new Uint8Array(0)
    if (length > 0)
      fail('AUDIO_INVALID', 'bytes of a last frame cut short', length, `give a multiple of ${this.#frameBytes}`)
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length)
  bytes.set(a)
  bytes.set(b, a.length)
  return bytes
}
