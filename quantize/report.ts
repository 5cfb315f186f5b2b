// What compiling came to, as lines of text. In: the report of `compileWithReport`. Out: per SSM the realisation chosen, its
// states and its cost before and after, and the totals. MMAC/s is a million multiply-accumulates per second of audio.

import type { CompileReport } from './compile.ts'
import type { LayerReport } from './reduce.ts'
import { alignColumns } from './table.ts'

const TITLES = ['ssm', 'form', 'states', '', 'MMAC/s', '', 'share', 'bound', 'condition']

export function formatReduction(report: CompileReport): string {
  const { layers, ssmMacsPerSecondAfter: total } = report
  return [
    ...alignColumns([TITLES, ...layers.map((layer) => describeLayer(layer, total))], [2, 4, 6, 7, 8]),
    `SSMs      ${mega(report.ssmMacsPerSecondBefore)} -> ${mega(total)} MMAC/s`,
    `network   ${mega(report.macsPerSecondBefore)} -> ${mega(report.macsPerSecondAfter)} MMAC/s`,
    ...(report.snrDb === undefined
      ? []
      : [`SNR       ${report.snrDb.toFixed(1)} dB against the unreduced network, on the calibration audio`]),
  ].join('\n')
}

function describeLayer(layer: LayerReport, total: number): string[] {
  return [
    layer.name,
    layer.form,
    `${layer.statesBefore}`,
    `-> ${layer.sizeAfter}`,
    mega(layer.macsPerSecondBefore),
    `-> ${mega(layer.macsPerSecondAfter)}`,
    `${((100 * layer.macsPerSecondAfter) / total).toFixed(1)}%`,
    layer.form === 'original' ? '-' : layer.relativeBound.toPrecision(2),
    layer.form === 'original' ? '-' : layer.condition.toPrecision(2),
  ]
}

function mega(macsPerSecond: number): string {
  return (macsPerSecond / 1e6).toFixed(2)
}
