// A sensor in software, for tests, simulations and senders that run JavaScript. In: f32 samples at 16 kHz (or 4 kHz), any
// chunks. Out: packets of 64 samples at 4 kHz. What a microcontroller runs instead is examples/sensor/encoder.c.

import { fail } from '../errors.ts'
import { checkKind } from '../kinds.ts'
import { BLOCK_SAMPLES, type BlockFormat, SENSOR_RATE } from './codec.ts'
import { DECIMATION, Decimator } from './decimator.ts'
import { encodePacket, SEQUENCE_NUMBERS } from './packet.ts'

/** What the sensor records, and how its blocks are coded. */
export interface SensorEncoderOptions extends BlockFormat {
  /** 16000 (default; decimated here) or 4000. */
  readonly sampleRate?: number
}

/** The sensor's side: samples in, packets of 4-bit blocks out (33 bytes and a header every 16 ms). */
export class SensorEncoder {
  readonly #format: BlockFormat
  readonly #decimator: Decimator | undefined
  /** (64) the block being filled. */
  readonly #block = new Float32Array(BLOCK_SAMPLES)
  #filled = 0
  #sequence = 0

  constructor(options: SensorEncoderOptions = {}) {
    checkKind('options', options, 'object')
    const { sampleRate = SENSOR_RATE * DECIMATION, ...format } = options
    if (sampleRate !== SENSOR_RATE && sampleRate !== SENSOR_RATE * DECIMATION)
      fail('RATE_UNSUPPORTED', 'sample rate of a sensor', `${sampleRate} Hz`, 'use 16000 or 4000 Hz')
    this.#format = format
    this.#decimator = sampleRate === SENSOR_RATE ? undefined : new Decimator()
  }

  /** The packets that became complete. */
  push(samples: Float32Array): Uint8Array[] {
    checkKind('samples', samples, 'samples')
    const slow = this.#slow(samples)
    const packets: Uint8Array[] = []
    for (let at = 0; at < slow.length; ) {
      const part = slow.subarray(at, at + BLOCK_SAMPLES - this.#filled)
      this.#block.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled === BLOCK_SAMPLES) packets.push(this.#finish())
    }
    return packets
  }

  /** The block begun, filled up with silence; none if nothing is waiting. */
  flush(): Uint8Array[] {
    if (this.#filled === 0) return []
    this.#block.fill(0, this.#filled)
    return [this.#finish()]
  }

  #finish(): Uint8Array {
    const packet = encodePacket(this.#block, this.#sequence, this.#format)
    this.#sequence = (this.#sequence + 1) % SEQUENCE_NUMBERS
    this.#filled = 0
    return packet
  }

  #slow(samples: Float32Array): Float32Array {
    if (this.#decimator === undefined) return samples
    const slow = new Float32Array(Math.ceil(samples.length / DECIMATION))
    return slow.subarray(0, this.#decimator.push(samples, slow))
  }
}
