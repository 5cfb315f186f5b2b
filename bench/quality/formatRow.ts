// One line of what int8 and int4 cost (formats.ts): a model in a format at a level, and its mean scores.
import type { Scores } from './scores.ts'

export const FORMATS = ['f32', 'int8', 'mixed', 'int4'] as const

export interface FormatRow {
  readonly model: string
  readonly format: (typeof FORMATS)[number]
  readonly bytes: number
  readonly levelDb: number // peak of the noisy input, dBFS
  readonly scores: Scores
}
