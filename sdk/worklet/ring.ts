// Samples waiting to be played. In: interleaved samples in any number. Out: whole render quanta, planar. Nothing is
// allocated after creation.

export class Ring {
  readonly #samples: Float32Array
  readonly #channels: number
  /** Frames (a sample of each channel). */
  readonly #size: number
  #from = 0
  #filled = 0

  constructor(channels: number, frames: number) {
    this.#channels = channels
    this.#size = frames
    this.#samples = new Float32Array(channels * frames)
  }

  get filled(): number {
    return this.#filled
  }

  /** Begins again with so many frames of silence. */
  reset(silence: number): void {
    this.#samples.fill(0)
    this.#from = 0
    this.#filled = silence
  }

  /** The first `count` values of `samples`, interleaved. */
  push(samples: Float32Array, count: number): void {
    const channels = this.#channels
    let at = ((this.#from + this.#filled) % this.#size) * channels
    for (let i = 0; i < count; i++) {
      this.#samples[at] = samples[i]
      if (++at === this.#samples.length) at = 0
    }
    this.#filled += count / channels
  }

  /** Fills every channel of `out`; false, and silence, if there is not enough. */
  pull(out: readonly Float32Array[]): boolean {
    const frames = out[0].length
    if (frames > this.#filled) {
      for (const channel of out) channel.fill(0)
      return false
    }
    const channels = this.#channels
    for (let i = 0; i < frames; i++) {
      for (let c = 0; c < out.length; c++) out[c][i] = this.#samples[this.#from * channels + Math.min(c, channels - 1)]
      if (++this.#from === this.#size) this.#from = 0
    }
    this.#filled -= frames
    return true
  }
}
