// How long a hop takes on this computer, measured while the popup is open, as audio threads have no clock that is fine enough.
// In: nothing. Out: times of the same model on soft noise at 48 kHz, one hop every 16 ms as in a call.

import { Denoiser } from 'attenuate-edge'

const RATE = 48000
const HOP_MS = 16
const LOUDNESS = 0.05
/** Ten seconds. */
const KEPT = 625

export class Hops {
  readonly #denoiser: Denoiser
  readonly #samples = Float32Array.from({ length: (RATE * HOP_MS) / 1000 }, () => LOUDNESS * (2 * Math.random() - 1))
  readonly #out = new Float32Array(2 * this.#samples.length)
  readonly #milliseconds: number[] = []

  static async open(): Promise<Hops> {
    const hops = new Hops(await Denoiser.create({ model: 'base.ssm', wasm: 'core.simd.wasm', sampleRate: RATE }))
    setInterval(() => hops.#measure(), HOP_MS)
    return hops
  }

  private constructor(denoiser: Denoiser) {
    this.#denoiser = denoiser
  }

  /** Undefined before the first hop. */
  read(): { readonly medianMs: number; readonly lateMs: number } | undefined {
    const sorted = this.#milliseconds.toSorted((a, b) => a - b)
    if (sorted.length === 0) return undefined
    return { medianMs: sorted[sorted.length >> 1], lateMs: sorted[Math.floor(0.99 * (sorted.length - 1))] }
  }

  #measure(): void {
    const started = performance.now()
    this.#denoiser.processInto(this.#samples, this.#out)
    this.#milliseconds.push(performance.now() - started)
    if (this.#milliseconds.length > KEPT) this.#milliseconds.shift()
  }
}
