// 16 kHz -> 4 kHz for the sensor's side. In: f32 samples at 16 kHz. Out: one at 4 kHz for every four, 24 of them late
// (6 ms). A linear-phase low-pass of 193 taps: sinc under a Kaiser window, flat to 1.7 kHz, 58 dB down from 2 kHz
// (Oppenheim & Schafer, Discrete-Time Signal Processing, 7.6). examples/sensor/encoder.c is its twin.

import { usable } from '../range.ts'
import { besselI0 } from '../series.ts'

export const DECIMATION = 4
const TAPS = 193
const CUTOFF = 1850 / 16000
const BETA = 5.65

export class Decimator {
  /** (TAPS) the last inputs, newest first. */
  readonly #history = new Float64Array(TAPS)
  #phase = 0

  /** Writes at most ceil(samples / 4) to `out` and returns how many. */
  push(samples: Float32Array, out: Float32Array): number {
    let wrote = 0
    for (let i = 0; i < samples.length; i++) {
      this.#history.copyWithin(1, 0)
      this.#history[0] = usable(samples[i])
      if (this.#phase === 0) out[wrote++] = this.#filter()
      this.#phase = (this.#phase + 1) % DECIMATION
    }
    return wrote
  }

  reset(): void {
    this.#history.fill(0)
    this.#phase = 0
  }

  #filter(): number {
    let sum = 0
    for (let k = 0; k < TAPS; k++) sum += LOW_PASS[k] * this.#history[k]
    return sum
  }
}

/** (TAPS), unity gain at 0 Hz. */
export const LOW_PASS = designLowPass()

function designLowPass(): Float64Array {
  const middle = (TAPS - 1) / 2
  const taps = Float64Array.from({ length: TAPS }, (_, k) => {
    const t = k - middle
    const sinc = t === 0 ? 2 * CUTOFF : Math.sin(2 * Math.PI * CUTOFF * t) / (Math.PI * t)
    return sinc * besselI0(BETA * Math.sqrt(1 - (t / middle) ** 2))
  })
  const sum = taps.reduce((total, tap) => total + tap, 0)
  return taps.map((tap) => tap / sum)
}
