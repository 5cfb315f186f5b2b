// A picture made of pixels. In: rectangles and text. Out: the bytes of a PNG.

import { PNG } from 'pngjs'
import { dotsOf, GLYPH_COLUMNS, GLYPH_ROWS } from './glyphs.ts'

export type Colour = readonly [red: number, green: number, blue: number]

/** Pixels per dot of a letter. */
const SCALE = 2
const LETTER_WIDTH = (GLYPH_COLUMNS + 1) * SCALE
export const LETTER_HEIGHT = GLYPH_ROWS * SCALE

export class Canvas {
  readonly width: number
  readonly height: number
  readonly #png: PNG

  constructor(width: number, height: number, background: Colour) {
    this.width = width
    this.height = height
    this.#png = new PNG({ width, height })
    this.fill(0, 0, width, height, background)
  }

  dot(x: number, y: number, [red, green, blue]: Colour): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return
    const at = 4 * (y * this.width + x)
    const { data } = this.#png
    data[at] = red
    data[at + 1] = green
    data[at + 2] = blue
    data[at + 3] = 255
  }

  fill(left: number, top: number, width: number, height: number, colour: Colour): void {
    for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) this.dot(x, y, colour)
  }

  /** One line; `x` is where it begins (0), is centred (0.5) or ends (1), `top` the upper edge of its letters. */
  text(line: string, x: number, top: number, colour: Colour, anchor = 0): void {
    const left = Math.round(x - anchor * (line.length * LETTER_WIDTH - SCALE))
    for (const [i, letter] of [...line].entries()) this.#letter(letter, left + i * LETTER_WIDTH, top, colour)
  }

  encode(): Uint8Array {
    return PNG.sync.write(this.#png, { colorType: 2 })
  }

  #letter(letter: string, left: number, top: number, colour: Colour): void {
    for (const [row, bits] of dotsOf(letter).entries()) {
      for (let column = 0; column < GLYPH_COLUMNS; column++) {
        if ((bits >> (GLYPH_COLUMNS - 1 - column)) & 1)
          this.fill(left + column * SCALE, top + row * SCALE, SCALE, SCALE, colour)
      }
    }
  }
}
