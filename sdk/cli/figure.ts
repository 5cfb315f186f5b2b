// The figure of `attenuate compare`: one panel per signal, same time, frequency and colour scale. In: spectrograms with
// their captions. Out: a PNG.

import { Canvas, type Colour, LETTER_HEIGHT } from './canvas.ts'
import type { Spectrogram } from './spectrogram.ts'

export interface Panel {
  readonly title: string
  readonly caption: string
  readonly spectrogram: Spectrogram
  readonly seconds: number
  readonly sampleRate: number
}

export const PLOT_WIDTH = 1040
const PLOT_HEIGHT = 264
const LEFT = 84
const RIGHT = 116
const HEAD = 40
const GAP = 30
const FOOT = 58
const TICK = 6
const RANGE_DB = 80

const PAPER: Colour = [255, 255, 255]
const INK: Colour = [34, 34, 34]
const FAINT: Colour = [110, 110, 110]
/** Dark to bright with even steps of lightness. */
const SCALE: readonly Colour[] = [
  [4, 4, 20],
  [36, 15, 74],
  [86, 22, 108],
  [136, 34, 106],
  [186, 54, 85],
  [227, 89, 51],
  [249, 140, 10],
  [249, 201, 50],
  [252, 253, 191],
]

export function drawFigure(panels: readonly Panel[]): Uint8Array {
  const height = panels.length * (HEAD + PLOT_HEIGHT) + (panels.length - 1) * GAP + FOOT
  const canvas = new Canvas(LEFT + PLOT_WIDTH + RIGHT, height, PAPER)
  const topDb = 10 * Math.ceil(Math.max(...panels.map((panel) => maximum(panel.spectrogram.levels))) / 10)
  const seconds = Math.max(...panels.map((panel) => panel.seconds))
  const highestHz = Math.max(...panels.map((panel) => panel.sampleRate)) / 2
  for (const [i, panel] of panels.entries()) {
    const top = HEAD + i * (HEAD + PLOT_HEIGHT + GAP)
    canvas.text(panel.title, LEFT, top - 26, INK)
    canvas.text(panel.caption, LEFT + PLOT_WIDTH, top - 26, FAINT, 1)
    drawSpectrogram(canvas, panel, top, seconds, highestHz, topDb)
    drawFrame(canvas, top)
    drawFrequencies(canvas, top, highestHz)
    drawTimes(canvas, top, seconds, i === panels.length - 1)
    drawScale(canvas, top, topDb)
  }
  return canvas.encode()
}

function drawSpectrogram(
  canvas: Canvas,
  { spectrogram, sampleRate, seconds }: Panel,
  top: number,
  allSeconds: number,
  highestHz: number,
  topDb: number,
): void {
  const { columns, bins, levels } = spectrogram
  for (let x = 0; x < PLOT_WIDTH; x++) {
    const column = Math.floor(((x + 0.5) / PLOT_WIDTH) * (allSeconds / seconds) * columns)
    for (let y = 0; y < PLOT_HEIGHT; y++) {
      const hz = (1 - (y + 0.5) / PLOT_HEIGHT) * highestHz
      const bin = Math.round((hz / (sampleRate / 2)) * (bins - 1))
      const level = column < columns && bin < bins ? levels[column * bins + bin] : Number.NEGATIVE_INFINITY
      canvas.dot(LEFT + x, top + y, colourOf((level - topDb) / RANGE_DB + 1))
    }
  }
}

function drawFrame(canvas: Canvas, top: number): void {
  canvas.fill(LEFT - 1, top - 1, PLOT_WIDTH + 2, 1, INK)
  canvas.fill(LEFT - 1, top + PLOT_HEIGHT, PLOT_WIDTH + 2, 1, INK)
  canvas.fill(LEFT - 1, top - 1, 1, PLOT_HEIGHT + 2, INK)
  canvas.fill(LEFT + PLOT_WIDTH, top - 1, 1, PLOT_HEIGHT + 2, INK)
}

function drawFrequencies(canvas: Canvas, top: number, highestHz: number): void {
  const step = niceStep(highestHz / 1000, 5)
  for (let kHz = 0; kHz <= highestHz / 1000 + 1e-9; kHz += step) {
    const y = Math.round(top + PLOT_HEIGHT * (1 - (1000 * kHz) / highestHz))
    canvas.fill(LEFT - 1 - TICK, y, TICK, 1, INK)
    const label = `${trim(kHz)}${kHz + step > highestHz / 1000 + 1e-9 ? ' kHz' : ''}`
    canvas.text(label, LEFT - TICK - 8, Math.round(y - LETTER_HEIGHT / 2), INK, 1)
  }
}

function drawTimes(canvas: Canvas, top: number, seconds: number, isLabelled: boolean): void {
  const step = niceStep(seconds, 8)
  const bottom = top + PLOT_HEIGHT + 1
  for (let time = 0; time <= seconds + 1e-9; time += step) {
    const x = Math.round(LEFT + (time / seconds) * PLOT_WIDTH)
    canvas.fill(x, bottom, 1, TICK, INK)
    if (isLabelled) canvas.text(trim(time), x, bottom + TICK + 6, INK, 0.5)
  }
  if (isLabelled) canvas.text('time in s', LEFT + PLOT_WIDTH / 2, bottom + TICK + 30, FAINT, 0.5)
}

function drawScale(canvas: Canvas, top: number, topDb: number): void {
  const left = LEFT + PLOT_WIDTH + 18
  for (let y = 0; y < PLOT_HEIGHT; y++) canvas.fill(left, top + y, 16, 1, colourOf(1 - y / PLOT_HEIGHT))
  for (let below = 0; below <= RANGE_DB; below += 20) {
    const y = Math.round(top + (below / RANGE_DB) * PLOT_HEIGHT)
    canvas.fill(left + 16, Math.min(y, top + PLOT_HEIGHT - 1), TICK, 1, INK)
    canvas.text(`${topDb - below}${below === 0 ? ' dB' : ''}`, left + 28, Math.round(y - LETTER_HEIGHT / 2), INK)
  }
}

/** 0 is the darkest, 1 the brightest. */
function colourOf(share: number): Colour {
  const at = Math.max(0, Math.min(1, share)) * (SCALE.length - 1)
  const lower = Math.min(Math.floor(at), SCALE.length - 2)
  const mix = (i: number) => Math.round(SCALE[lower][i] + (at - lower) * (SCALE[lower + 1][i] - SCALE[lower][i]))
  return [mix(0), mix(1), mix(2)]
}

/** A step of 1, 2 or 5 times a power of ten that gives about `count` ticks. */
function niceStep(span: number, count: number): number {
  const rough = span / count
  const unit = 10 ** Math.floor(Math.log10(rough))
  return unit * ([1, 2, 5].find((factor) => factor * unit >= rough * 0.8) ?? 10)
}

function trim(value: number): string {
  return String(Number(value.toFixed(6)))
}

function maximum(values: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY
  for (const value of values) if (value > most) most = value
  return most
}
