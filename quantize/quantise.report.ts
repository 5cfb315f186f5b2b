// What rounding the weights came to, as text. In: the compiler's report. Out: a few lines for people; programs read the
// report itself.

import type { WeightReport } from './compile.ts'

export function formatWeights({ format, snrDb, formats }: WeightReport): string {
  const names = Object.entries(formats)
  const others = names.filter(([, one]) => one !== (format === 'mixed' ? 'int4' : format))
  const lines = [
    `weights ${format}: ${names.length - others.length} of ${names.length} layers`,
    ...others.map(([name, one]) => `  ${name}: ${one}`),
  ]
  if (snrDb !== undefined) lines.push(`SNR after rounding weights, on the calibration audio: ${snrDb.toFixed(1)} dB`)
  return lines.join('\n')
}
