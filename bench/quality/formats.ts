// `npm run formats`: what int8 and int4 cost in quality. In: checkpoints in models/, sources as for `npm run evaluate`. Every
// model is compiled in each format, as `attenuate compile --format` does it; the same seeded mixes go through all, at four
// levels. Out: a table on stdout, progress on stderr, optionally JSON.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { compileWithReport } from '../../quantize/compile.ts'
import { WEIGHT_FORMATS, type WeightFormat } from '../../quantize/quantise.ts'
import { bundledClip, readCalibration } from '../../sdk/cli/calibration.ts'
import { LEVELS_DB } from '../../sdk/cli/formats.ts'
import { requireOurs } from './baselines/ours.ts'
import { enhanceAll } from './baselines/system.ts'
import { dbToGain, peak } from './level.ts'
import { DEFAULT_PLAN, type Mix, makeMixes } from './mixes.ts'
import { type MixOptions, runProgram, withMixOptions } from './program.ts'
import { meanScores, type Scores, scoreClips } from './scores.ts'
import { readSources, SAMPLE_RATE } from './sources.ts'
import { formatTable } from './table.ts'

const HEADROOM_DB = -0.01

/** A model in a format at a level, and its mean scores. */
export interface FormatRow {
  readonly model: string
  readonly format: WeightFormat
  readonly bytes: number
  readonly levelDb: number // peak of the noisy input, dBFS
  readonly scores: Scores
}

/** The model compiled in a format, over the mixes at every level. */
const measure = async (
  model: string,
  format: WeightFormat,
  calibration: Float32Array,
  mixes: readonly Mix[],
  folder: string,
) => {
  const checkpoint = readFileSync(new URL(`../../models/${model}.safetensors`, import.meta.url))
  const { bytes } = compileWithReport(checkpoint, { format, calibration })
  const path = join(folder, `${model}.${format}.ssm`)
  writeFileSync(path, bytes)
  const system = await requireOurs(path)
  const rows: FormatRow[] = []
  for (const levelDb of LEVELS_DB) {
    const gains = mixes.map(({ noisy }) => dbToGain(levelDb + HEADROOM_DB) / peak(noisy))
    const outputs = await enhanceAll(
      system,
      mixes.map(({ noisy }, i) => noisy.map((v) => v * gains[i])),
    )
    // scored at the level of the mix: PESQ and STOI have thresholds
    const pairs = mixes.map(({ clean }, i) => ({ clean, enhanced: outputs[i].map((v) => v / gains[i]) }))
    rows.push({ model, format, bytes: bytes.length, levelDb, scores: meanScores(scoreClips(pairs)) })
    process.stderr.write(`${model} ${format} at ${levelDb} dBFS\n`)
  }
  return rows
}

const line = ({ model, format, bytes, levelDb, scores }: FormatRow): string[] => [
  model,
  format,
  (bytes / 1000).toFixed(0),
  String(levelDb),
  scores.pesq.toFixed(3),
  scores.stoi.toFixed(4),
  scores.siSdr.toFixed(2),
]

interface Options extends MixOptions {
  models: string[]
  json?: string
}

const compareFormats = async ({ sources, models, count, seed, json }: Options): Promise<void> => {
  if (json) mkdirSync(dirname(json), { recursive: true })
  const mixes = makeMixes(readSources(sources), { ...DEFAULT_PLAN, count, seed })
  const calibration = await readCalibration(bundledClip(), SAMPLE_RATE)
  const folder = mkdtempSync(join(tmpdir(), 'formats-'))
  const rows: FormatRow[] = []
  try {
    for (const model of models)
      for (const format of WEIGHT_FORMATS) rows.push(...(await measure(model, format, calibration, mixes, folder)))
  } finally {
    rmSync(folder, { recursive: true })
  }
  console.log(
    formatTable(
      'Weights rounded: quality at four levels',
      ['model', 'weights', 'kB', 'peak dBFS', 'PESQ-WB', 'STOI', 'SI-SDR dB'],
      rows.map(line),
    ),
  )
  if (json) writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`)
}

const program = withMixOptions(new Command('npm run formats --'))
  .option('--models <list>', 'checkpoints in models/', (list: string) => list.split(','), ['base', 'lite', 'hq'])
  .option('--json <file>', 'every row')

await runProgram(program, () => compareFormats(program.parse().opts<Options>()))
