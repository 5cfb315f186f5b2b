// What is measured: every task turns sources into clips (input, reference, labels), the evaluator runs systems over them.
// denoise: noisy mixes. superres-8k, superres-4k, dequant-4bit: degraded clean speech, scored apart as in arXiv 2409.03377.
// clean: clean speech in, which should come out as it went in.
import { sensorSystems } from './baselines/sensor.ts'
import type { System } from './baselines/system.ts'
import { limitBand, quantise4Bit } from './degrade.ts'
import type { Mix } from './mixes.ts'

export interface Clip {
  name: string
  input: Float32Array // (length)
  clean: Float32Array // (length), what the output is compared with
  snrDb?: number
  noiseClass?: string
}

type Degrade = (clean: Float32Array) => Float32Array

const degradeClean =
  (degrade: Degrade) =>
  (mixes: readonly Mix[]): Clip[] =>
    mixes.map(({ name, clean }) => ({ name, clean, input: degrade(clean) }))

const takeNoisy = (mixes: readonly Mix[]): Clip[] =>
  mixes.map(({ name, noisy, clean, snrDb, noiseClass }) => ({ name, input: noisy, clean, snrDb, noiseClass }))

interface Task {
  title: string
  clips: (mixes: readonly Mix[]) => Clip[]
  /** Where the systems of other tasks make no sense. */
  systems?: () => Promise<System[]>
  /** Over every mix; else over the first `--clips` of them. */
  whole?: boolean
}

export const TASKS: Record<string, Task> = {
  denoise: { title: 'Denoising', clips: takeNoisy, whole: true },
  'superres-8k': { title: 'Super-resolution 8 -> 16 kHz', clips: degradeClean((x) => limitBand(x, 8000)) },
  'superres-4k': { title: 'Super-resolution 4 -> 16 kHz', clips: degradeClean((x) => limitBand(x, 4000)) },
  'dequant-4bit': { title: 'De-quantisation, 4 bit mu-law at 16 kHz', clips: degradeClean(quantise4Bit) },
  sensor: { title: 'A 4 kHz / 4-bit sensor in noise', clips: takeNoisy, systems: sensorSystems, whole: true },
  clean: { title: 'Clean speech passed through', clips: degradeClean((x) => x) },
}
