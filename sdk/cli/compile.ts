// `attenuate compile CHECKPOINT -o MODEL`. In: a checkpoint file, how far to reduce it, noisy speech to measure with. Out:
// a model file, what was chosen for every SSM, and the inspection of the result, as text or JSON. Nothing is written
// unless everything succeeded.

import { readFile } from 'node:fs/promises'
import { parseCausal } from '../../quantize/attenuate.ts'
import { type Checkpoint, readCheckpoint } from '../../quantize/checkpoint.ts'
import { type CompileOptions, compileWithin } from '../../quantize/compile.ts'
import { formatInspection, inspectModel } from '../../quantize/inspect.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { formatWeights } from '../../quantize/quantise.report.ts'
import type { WeightFormat } from '../../quantize/quantise.ts'
import { formatReduction } from '../../quantize/report.ts'
import { fail } from '../errors.ts'
import { blaming } from './blame.ts'
import { bundledClip, readCalibration } from './calibration.ts'
import { writeFileWhole } from './output.ts'
import { showProgress } from './progress.ts'

export interface CompileCommand {
  readonly output: string
  readonly causal?: string
  readonly tolerance?: number
  /** dB */
  readonly targetSnr?: number
  /** Multiply-accumulates per second. */
  readonly macs?: number
  /** How weights are stored. */
  readonly format?: WeightFormat
  /** dB */
  readonly mixedSnr?: number
  /** WAV file. */
  readonly calibration?: string
  readonly json?: boolean
}

export async function compileFile(input: string, command: CompileCommand): Promise<string> {
  const bytes = await readFile(input).catch((error) =>
    fail('LOAD_FAILED', `cannot be read (${error.code})`, input, 'check the path'),
  )
  const { causal, output, json } = command
  const checkpoint = readCheckpoint(bytes, causal === undefined ? undefined : parseCausal(causal))
  const compiled = await reduce(checkpoint, command)
  const inspection = inspectModel(decodeModel(compiled.bytes))
  await writeFileWhole(output, compiled.bytes)
  if (json) return JSON.stringify({ ...inspection, reduction: compiled.report, weights: compiled.weights }, null, 2)
  return [
    formatInspection(inspection),
    ...(compiled.report ? [formatReduction(compiled.report)] : []),
    ...(compiled.weights ? [formatWeights(compiled.weights)] : []),
    `${output}: ${compiled.bytes.length} bytes`,
  ].join('\n')
}

async function reduce(checkpoint: Checkpoint, command: CompileCommand) {
  const { tolerance, targetSnr, macs, format = 'f32', mixedSnr, calibration } = command
  const needsAudio = targetSnr !== undefined || macs !== undefined || calibration !== undefined || format !== 'f32'
  const path = calibration ?? bundledClip()
  const samples = needsAudio ? await readCalibration(path, checkpoint.graph.input.rate) : undefined
  const bar = showProgress('compiling', 1)
  const options: CompileOptions = {
    ...(tolerance === undefined ? {} : { tolerance }),
    ...(targetSnr === undefined ? {} : { targetSnrDb: targetSnr }),
    ...(macs === undefined ? {} : { maxMacsPerSecond: macs }),
    format,
    ...(mixedSnr === undefined ? {} : { mixedSnrDb: mixedSnr }),
    ...(samples === undefined ? {} : { calibration: samples }),
    onProgress: (fraction) => bar.update(fraction),
  }
  try {
    return await blaming(
      path,
      () => compileWithin(checkpoint, options),
      ({ code }) => code === 'AUDIO_INVALID',
    )
  } finally {
    bar.stop()
  }
}
