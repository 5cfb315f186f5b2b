// Text report from the scores of all systems: one table of means per task; for noisy mixes also per SNR and per noise class.
import { METRICS, meanScores, type Scores } from './scores.ts'
import type { StressResult } from './stress.ts'
import { formatNumber, formatTable } from './table.ts'

export interface ScoredClip {
  name: string
  snrDb?: number
  noiseClass?: string
  scores: Scores
}
export interface TaskResult {
  task: string
  title: string
  systems: { system: string; clips: ScoredClip[] }[]
}
export interface DepthResult {
  system: string
  attenuationDb: number // median over steady noises
  onsetLossDb: number // median over onsets after silence
  perNoise: Record<string, number>
}

type Label = 'snrDb' | 'noiseClass'

const shownMetrics = (result: TaskResult) =>
  METRICS.filter(({ key }) =>
    result.systems.some(({ clips }) => clips.some(({ scores }) => !Number.isNaN(scores[key]))),
  )

const formatOverall = ({ title, systems }: TaskResult): string =>
  formatTable(
    `${title} (${systems[0]?.clips.length ?? 0} clips)`,
    ['system', ...METRICS.map((m) => m.title)],
    systems.map(({ system, clips }) => {
      const mean = meanScores(clips.map((c) => c.scores))
      return [system, ...METRICS.map(({ key, digits }) => formatNumber(mean[key], digits))]
    }),
  )

const labelsOf = (result: TaskResult, label: Label): (string | number)[] => {
  const labels = new Set(result.systems.flatMap(({ clips }) => clips.flatMap((c) => c[label] ?? [])))
  return [...labels].sort((a, b) => (typeof a === 'number' ? a - Number(b) : String(a).localeCompare(String(b))))
}

/** One table per metric: a row per label value with its clip count, a column per system. */
const formatBy = (result: TaskResult, label: Label, head: string): string[] =>
  shownMetrics(result).map(({ key, title, digits }) =>
    formatTable(
      `${result.title}: ${title} per ${head}`,
      [head, 'clips', ...result.systems.map((s) => s.system)],
      labelsOf(result, label).map((value) => {
        const groups = result.systems.map(({ clips }) => clips.filter((c) => c[label] === value))
        const means = groups.map((clips) => meanScores(clips.map((c) => c.scores))[key])
        return [String(value), String(groups[0].length), ...means.map((mean) => formatNumber(mean, digits))]
      }),
    ),
  )

const formatDepths = (depths: readonly DepthResult[]): string => {
  const noises = Object.keys(depths[0]?.perNoise ?? {})
  return formatTable(
    'Noise alone: attenuation in dB (median, then each); loss of the first 200 ms of speech after silence in dB (median)',
    ['system', 'median', 'onset loss', ...noises],
    depths.map(({ system, attenuationDb, onsetLossDb, perNoise }) => [
      system,
      formatNumber(attenuationDb, 1),
      formatNumber(onsetLossDb, 2),
      ...noises.map((noise) => formatNumber(perNoise[noise], 1)),
    ]),
  )
}

const formatStress = (stresses: readonly StressResult[]): string => {
  const conditions = Object.keys(stresses[0]?.siSdrDb ?? {})
  return formatTable(
    'Stress: SI-SDR in dB per condition; peak in dBFS of the output during digital silence',
    ['system', ...conditions, 'silence', 'finite'],
    stresses.map(({ system, siSdrDb, silencePeakDb, finite }) => [
      system,
      ...conditions.map((condition) => formatNumber(siSdrDb[condition], 2)),
      formatNumber(silencePeakDb, 0),
      finite ? 'yes' : 'NO',
    ]),
  )
}

export const formatReport = (
  results: readonly TaskResult[],
  depths: readonly DepthResult[],
  stresses: readonly StressResult[],
): string => {
  const sections = results.flatMap((result) => [
    formatOverall(result),
    ...(result.task === 'denoise'
      ? [...formatBy(result, 'snrDb', 'SNR dB'), ...formatBy(result, 'noiseClass', 'noise')]
      : []),
  ])
  if (depths.length > 0) sections.push(formatDepths(depths))
  if (stresses.length > 0) sections.push(formatStress(stresses))
  return sections.join('\n\n')
}
