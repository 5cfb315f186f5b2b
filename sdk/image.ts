// The stereo image: several channels through one filter. In: what the network made of the mean of the channels, and the
// channels. Out: each channel, filtered as the network filtered the mean, so that every channel is changed alike: what lies
// between them in level and phase stays as it was, and equal channels give what the network gave. Where the mean is
// silent for two hops, all are, even if the network still decays or has heard what comes.
//
// Per hop, over frames of two hops (square root of Hann's window, half overlapping; Allen 1977), with M the mean's spectrum:
//   G[k] = W[k] conj(M[k]) / |M[k]|^2, never longer than the larger of 4 and |W[k]| / max_c |X_c[k]|;   Y_c[k] = G[k] X_c[k]
// so that no channel gets louder than the network's, or by more than 12 dB. One hop later than the network.

import { fail } from './errors.ts'
import { Fourier } from './fourier.ts'
import { sinPi } from './series.ts'
import type { SnapshotReader, SnapshotWriter, Stateful } from './snapshot.ts'

/** Where a mean cancels, what the network heard beside it must not become a large gain: 12 dB. */
const LONGEST = 4
/** Squared length below which a mean is nothing: 1e-10 of full scale. */
const NOTHING = 1e-20

interface Spectrum {
  readonly re: Float64Array
  readonly im: Float64Array
}

export class Image implements Stateful {
  readonly #hop: number
  readonly #fourier: Fourier
  /** (2 hop) */
  readonly #window: Float64Array
  /** (channels)(lag + 2 hop) input, oldest first: the first two hops are those of the frame. */
  readonly #lines: readonly Float32Array[]
  /** (2 hop) of the network. */
  readonly #wet: Float32Array
  /** (channels)(hop) second half of the frame before. */
  readonly #tails: readonly Float32Array[]
  /** (2 hop) each: spectra of two channels at a time, one in each part; of the loudest, squared. */
  readonly #pairs: readonly Spectrum[]
  readonly #loudest: Float64Array
  /** (2 hop): the mean and the network, one in each part. */
  readonly #mixed: Spectrum
  /** (2 hop): the filter. */
  readonly #gain: Spectrum

  /** `lagSamples` of the network. */
  constructor(channels: number, hop: number, lagSamples: number) {
    const size = 2 * hop
    const each = <T>(make: () => T): readonly T[] => Array.from({ length: channels }, make)
    this.#hop = hop
    this.#fourier = new Fourier(size)
    this.#window = Float64Array.from({ length: size }, (_, i) => sinPi(i / size))
    this.#lines = each(() => new Float32Array(lagSamples + size))
    this.#wet = new Float32Array(size)
    this.#tails = each(() => new Float32Array(hop))
    const spectrum = () => ({ re: new Float64Array(size), im: new Float64Array(size) })
    this.#pairs = Array.from({ length: (channels + 1) >> 1 }, spectrum)
    this.#loudest = new Float64Array(size)
    this.#mixed = spectrum()
    this.#gain = spectrum()
  }

  reset(): void {
    for (const buffer of [...this.#lines, ...this.#tails, this.#wet]) buffer.fill(0)
  }

  /** `wet`: (hop) of the network, for the mean. `inputs`, `outputs`: (channels)(hop). Allocates nothing. */
  take(wet: Float32Array, inputs: readonly Float32Array[], outputs: readonly Float32Array[]): void {
    shiftIn(this.#wet, wet)
    for (let c = 0; c < inputs.length; c++) shiftIn(this.#lines[c], inputs[c])
    this.#loudest.fill(0)
    for (let p = 0; p < this.#pairs.length; p++) this.#analyse(p)
    this.#measure()
    for (let p = 0; p < this.#pairs.length; p++) this.#filter(p, outputs)
  }

  save(to: SnapshotWriter): void {
    for (const buffer of [...this.#lines, ...this.#tails, this.#wet]) to.f32s(buffer)
  }

  load(from: SnapshotReader): void {
    for (const buffer of [...this.#lines, ...this.#tails, this.#wet]) from.f32s(buffer)
  }

  /** Channels 2p and 2p + 1, one in each part, and what is louder than the channels before. */
  #analyse(p: number): void {
    const { re, im } = this.#pairs[p]
    const lines = this.#lines
    const isPair = 2 * p + 1 < lines.length
    for (let i = 0; i < re.length; i++) {
      re[i] = this.#window[i] * lines[2 * p][i]
      im[i] = isPair ? this.#window[i] * lines[2 * p + 1][i] : 0
    }
    this.#fourier.transform(re, im)
    const loudest = this.#loudest
    for (let k = 0; k < re.length; k++) {
      const other = (re.length - k) & (re.length - 1)
      const aRe = re[k] + re[other]
      const aIm = im[k] - im[other]
      const bRe = im[k] + im[other]
      const bIm = re[other] - re[k]
      loudest[k] = Math.max(loudest[k], (aRe * aRe + aIm * aIm) / 4, (bRe * bRe + bIm * bIm) / 4)
    }
  }

  /** The filter: the network's spectrum by that of the mean, both from one transform, a real signal in each part. */
  #measure(): void {
    const lines = this.#lines
    const { re, im } = this.#mixed
    for (let i = 0; i < re.length; i++) {
      let sum = 0
      for (let c = 0; c < lines.length; c++) sum += lines[c][i]
      re[i] = (this.#window[i] * sum) / lines.length
      im[i] = this.#window[i] * this.#wet[i]
    }
    this.#fourier.transform(re, im)
    for (let k = 0; k < re.length; k++) {
      const other = (re.length - k) & (re.length - 1)
      const meanRe = (re[k] + re[other]) / 2
      const meanIm = (im[k] - im[other]) / 2
      const wetRe = (im[k] + im[other]) / 2
      const wetIm = (re[other] - re[k]) / 2
      const power = meanRe * meanRe + meanIm * meanIm
      const a = wetRe * meanRe + wetIm * meanIm
      const b = wetIm * meanRe - wetRe * meanIm
      const held = Math.min(Math.sqrt(a * a + b * b) / LONGEST, Math.sqrt(power * this.#loudest[k]))
      const scale = power > NOTHING ? 1 / Math.max(power, held) : 0
      this.#gain.re[k] = a * scale
      this.#gain.im[k] = b * scale
    }
  }

  /** Channels 2p and 2p + 1, one in each part: the filter's response is real, so that they stay apart. */
  #filter(p: number, outputs: readonly Float32Array[]): void {
    const { re, im } = this.#pairs[p]
    const { re: gainRe, im: gainIm } = this.#gain
    for (let k = 0; k < re.length; k++) {
      const x = re[k]
      const y = im[k]
      re[k] = x * gainRe[k] - y * gainIm[k]
      im[k] = x * gainIm[k] + y * gainRe[k]
    }
    this.#fourier.transform(im, re) // exchanged: back
    this.#overlap(re, this.#tails[2 * p], outputs[2 * p])
    if (2 * p + 1 < outputs.length) this.#overlap(im, this.#tails[2 * p + 1], outputs[2 * p + 1])
  }

  #overlap(frame: Float64Array, tail: Float32Array, output: Float32Array): void {
    const hop = this.#hop
    const scale = 1 / frame.length
    for (let i = 0; i < hop; i++) {
      output[i] = tail[i] + this.#window[i] * frame[i] * scale
      tail[i] = this.#window[hop + i] * frame[hop + i] * scale
    }
  }
}

/** Forgets the oldest, takes `hop` as the newest. */
function shiftIn(line: Float32Array, hop: Float32Array): void {
  line.copyWithin(0, hop.length)
  line.set(hop, line.length - hop.length)
}

/** Throws OPTION_INVALID. `hop`, `rates` of the model. */
export function checkLinking(hop: number, inputRate: number, outputRate: number): void {
  if (inputRate !== outputRate)
    fail('OPTION_INVALID', 'linked channels of a model with unequal rates', inputRate, 'use a model with one rate')
  if ((hop & (hop - 1)) !== 0)
    fail('OPTION_INVALID', 'linked channels of a model whose hop is no power of two', hop, 'use another model')
}
