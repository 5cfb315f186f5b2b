// `attenuate compile CHECKPOINT -o MODEL`. In: a checkpoint file, how far to reduce it, noisy speech to measure with. Out:
// a model file, what was chosen for every SSM, and the inspection of the result, as text or JSON; on request number
// formats side by side, and the reduced network as a checkpoint. Nothing is written unless everything succeeded.

import { readFile } from 'node:fs/promises'
import { parseCausal } from '../../quantize/attenuate.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../quantize/checkpoint.ts'
import { type Compiled, type CompileOptions, compileWithin } from '../../quantize/compile.ts'
import { formatInspection, inspectModel } from '../../quantize/inspect.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { formatWeights } from '../../quantize/quantise.report.ts'
import type { WeightFormat } from '../../quantize/quantise.ts'
import { formatReduction } from '../../quantize/report.ts'
import { fail } from '../errors.ts'
import { blaming } from './blame.ts'
import { bundledClip, readCalibration } from './calibration.ts'
import { compareFormats, type FormatColumn, formatColumns } from './formats.ts'
import { checkUse } from './idle.ts'
import { checkWritable, writeWhole } from './output.ts'
import { keepInputs } from './place.ts'
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
  /** WAV files: noisy speech, and the same without noise. */
  readonly calibration?: string
  readonly clean?: string
  /** Compare number formats. */
  readonly report?: boolean
  /** Safetensors file: the network as compiled, to be trained further. */
  readonly writeCheckpoint?: string
  readonly json?: boolean
}

export async function compileFile(input: string, command: CompileCommand): Promise<string> {
  checkIdle(command)
  await keepInputs([input, command.calibration, command.clean], [command.output, command.writeCheckpoint])
  await checkWritable(command.output, command.writeCheckpoint)
  const bytes = await readFile(input).catch((error) =>
    fail('LOAD_FAILED', `cannot be read (${error.code})`, input, 'check the path'),
  )
  const { causal, output, json } = command
  const checkpoint = readCheckpoint(bytes, causal === undefined ? undefined : parseCausal(causal))
  const { rate } = checkpoint.graph.input
  const bar = showProgress('compiling', 1)
  try {
    const noisy = needsAudio(command) ? await readCalibration(command.calibration ?? bundledClip(), rate) : undefined
    const compiled = await reduce(checkpoint, command, noisy, (fraction) => bar.update(fraction / 2))
    const formats = command.report
      ? await compareFormats(
          checkpoint,
          compiled.report ? compiled.checkpoint : checkpoint,
          { noisy: noisy!, clean: await readClean(command, noisy!, rate) },
          command.mixedSnr,
          (fraction) => bar.update((1 + fraction) / 2),
        )
      : undefined
    await writeWhole([output, compiled.bytes], [command.writeCheckpoint, writeCheckpoint(compiled.checkpoint)])
    bar.stop()
    return describe(output, compiled, formats, json)
  } finally {
    bar.stop()
  }
}

function describe(output: string, compiled: Compiled, formats: FormatColumn[] | undefined, json = false): string {
  const inspection = inspectModel(decodeModel(compiled.bytes))
  const { report: reduction, weights } = compiled
  if (json) return JSON.stringify({ ...inspection, reduction, weights, formats }, null, 2)
  return [
    formatInspection(inspection),
    ...(reduction ? [formatReduction(reduction)] : []),
    ...(weights ? [formatWeights(weights)] : []),
    ...(formats ? [formatColumns(formats)] : []),
    `${output}: ${compiled.bytes.length} bytes`,
  ].join('\n')
}

function needsAudio({ tolerance, targetSnr, macs, calibration, format = 'f32', report }: CompileCommand): boolean {
  const isWeighing = calibration !== undefined && tolerance !== undefined
  return isWeighing || targetSnr !== undefined || macs !== undefined || format !== 'f32' || report === true
}

function checkIdle(command: CompileCommand): void {
  const { calibration, clean, mixedSnr, format, report = false } = command
  checkUse('--clean', clean, report, '--report')
  checkUse('--mixed-snr', mixedSnr, report || format === 'mixed', '--format mixed or --report')
  const measuring = '--target-snr, --macs, --tolerance, --report or a --format other than f32'
  checkUse('--calibration', calibration, needsAudio(command), measuring)
}

/** Of the same length as the noisy one: whoever mixed it has both. */
async function readClean({ clean }: CompileCommand, noisy: Float32Array, rate: number) {
  if (clean === undefined) return undefined
  return blaming(clean, async () => {
    const samples = await readCalibration(clean, rate)
    if (samples.length !== noisy.length)
      fail('AUDIO_INVALID', 'samples', samples.length, `give the clean original, ${noisy.length} samples`)
    return samples
  })
}

async function reduce(
  checkpoint: Checkpoint,
  command: CompileCommand,
  noisy: Float32Array | undefined,
  onProgress: (fraction: number) => void,
): Promise<Compiled> {
  const { tolerance, targetSnr, macs, format = 'f32', mixedSnr, calibration } = command
  const options: CompileOptions = {
    ...(tolerance === undefined ? {} : { tolerance }),
    ...(targetSnr === undefined ? {} : { targetSnrDb: targetSnr }),
    ...(macs === undefined ? {} : { maxMacsPerSecond: macs }),
    format,
    ...(mixedSnr === undefined ? {} : { mixedSnrDb: mixedSnr }),
    ...(noisy ? { calibration: noisy } : {}),
    // audio that only --format or --report asks for does not decide what is dropped
    weighted: calibration !== undefined,
    onProgress,
  }
  return blaming(
    calibration ?? bundledClip(),
    () => compileWithin(checkpoint, options),
    ({ code }) => code === 'AUDIO_INVALID',
  )
}
