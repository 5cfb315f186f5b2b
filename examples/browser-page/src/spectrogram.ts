// A live spectrogram. In: an AnalyserNode, whenever the screen is painted. Out: columns that move to the left; for people who
// asked for less motion, a line that sweeps over the picture instead.

import { fit } from './canvas.ts'

const LEAST_DB = -105
const MOST_DB = -25
/** CSS pixels. */
const PIXELS_PER_SECOND = 90

/** Dark to light, evenly in what the eye sees (after Bezier curves of the kind of inferno): red, green, blue at equal steps. */
const STOPS = [
  [5, 7, 13],
  [31, 17, 74],
  [92, 22, 110],
  [157, 38, 95],
  [217, 72, 60],
  [246, 138, 30],
  [252, 205, 90],
  [252, 253, 200],
]
const SHADES = 256
const palette = Uint32Array.from({ length: SHADES }, (_, i) => shade(i / (SHADES - 1)))

export class Spectrogram {
  readonly #canvas: HTMLCanvasElement
  readonly #context: CanvasRenderingContext2D
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
  #topHz = 8000
  #decibels = new Float32Array(0)
  #at = 0
  #last = 0
  #owed = 0

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
    this.#context = canvas.getContext('2d', { willReadFrequently: false })!
  }

  /** Another scale begins an empty picture. */
  set topHz(topHz: number) {
    if (topHz !== this.#topHz) this.#clear()
    this.#topHz = topHz
  }

  /** `now`: of requestAnimationFrame, ms. */
  draw(analyser: AnalyserNode, now: number): void {
    const { width, height } = this.#fit()
    this.#owed += (Math.min(100, now - this.#last) / 1000) * PIXELS_PER_SECOND * devicePixelRatio
    this.#last = now
    const count = Math.floor(this.#owed)
    if (count === 0 || height === 0) return
    this.#owed -= count
    if (this.#decibels.length !== analyser.frequencyBinCount)
      this.#decibels = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(this.#decibels as Float32Array<ArrayBuffer>)
    const column = this.#column(analyser.context.sampleRate, count, height)
    if (this.#isCalm) {
      this.#context.putImageData(column, this.#at, 0)
      this.#at = (this.#at + count) % width
    } else {
      this.#context.drawImage(this.#canvas, -count, 0)
      this.#context.putImageData(column, width - count, 0)
    }
  }

  /** Another size begins an empty picture. */
  #fit(): { readonly width: number; readonly height: number } {
    const before = this.#canvas.width
    const size = fit(this.#canvas)
    if (before !== size.width) this.#clear()
    return size
  }

  #clear(): void {
    this.#at = 0
    this.#context.fillStyle = `rgb(${STOPS[0].join()})`
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height)
  }

  #column(rate: number, width: number, height: number): ImageData {
    const image = new ImageData(width, height)
    const pixels = new Uint32Array(image.data.buffer)
    const binsPerHz = (2 * this.#decibels.length) / rate
    for (let y = 0; y < height; y++) {
      const from = Math.floor(((height - y - 1) / height) * this.#topHz * binsPerHz)
      const to = Math.max(from + 1, Math.floor(((height - y) / height) * this.#topHz * binsPerHz))
      let most = LEAST_DB
      for (let bin = from; bin < to && bin < this.#decibels.length; bin++) most = Math.max(most, this.#decibels[bin])
      const share = Math.min(1, (most - LEAST_DB) / (MOST_DB - LEAST_DB))
      pixels.fill(palette[Math.round(share * (SHADES - 1))], y * width, (y + 1) * width)
    }
    return image
  }
}

/** 0..1 as a pixel: alpha, blue, green, red. */
function shade(share: number): number {
  const place = share * (STOPS.length - 1)
  const i = Math.min(STOPS.length - 2, Math.floor(place))
  const [red, green, blue] = STOPS[i].map((from, c) => Math.round(from + (place - i) * (STOPS[i + 1][c] - from)))
  return (255 << 24) | (blue << 16) | (green << 8) | red
}
