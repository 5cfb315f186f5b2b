// `attenuate compile --report`: one network as trained, reduced, and in every number format, side by side. In: the trained
// checkpoint, the reduced one, noisy speech and, where there is one, its clean original. Out: per column what the compiled
// model, run by the core, leaves of the trained float's output at four levels, its scores against clean speech, bytes
// and multiply-accumulates, in all and by op.

import { measureSiSdr } from '../../bench/quality/metrics/sisdr.ts'
import { measureStoi } from '../../bench/quality/metrics/stoi.ts'
import { resample } from '../../bench/quality/resample.ts'
import type { Checkpoint } from '../../quantize/checkpoint.ts'
import { compileWithin } from '../../quantize/compile.ts'
import { type InspectedOp, inspectModel } from '../../quantize/inspect.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { WEIGHT_FORMATS, type WeightFormat } from '../../quantize/quantise.ts'
import { measureSnrDb } from '../../quantize/snr.ts'
import { alignColumns } from '../../quantize/table.ts'
import { Denoiser } from '../index.ts'

/** Peaks of the noisy speech, dBFS: a network sees quiet talkers too. */
export const LEVELS_DB = [-60, -40, -20, 0]
const STOI_RATE = 16000
/** Ops with less of the arithmetic are not listed one by one. */
const LISTED_SHARE = 0.01

export interface Speech {
  /** At the network's input rate. */
  readonly noisy: Float32Array
  /** The same without noise, at the same rate. */
  readonly clean: Float32Array | undefined
}

export interface FormatColumn {
  readonly name: string
  readonly bytes: number
  readonly macsPerSecond: number
  /** Of the output against that of the trained float: as given, and with its peak at each of LEVELS_DB. */
  readonly snrDb: number | undefined
  readonly snrAtLevelsDb: readonly number[] | undefined
  /** Against clean speech, undefined without it. */
  readonly siSdrDb: number | undefined
  readonly stoi: number | undefined
  readonly ops: readonly Pick<InspectedOp, 'name' | 'kind' | 'format' | 'share' | 'macsPerHop' | 'weightBytes'>[]
}

/** What is to be put side by side: compiled on demand, as each takes a while. */
interface Entry {
  readonly name: string
  readonly compile: () => Uint8Array
}

export async function compareFormats(
  trained: Checkpoint,
  reduced: Checkpoint,
  speech: Speech,
  mixedSnrDb: number | undefined,
  onProgress: (fraction: number) => void = () => {},
): Promise<FormatColumn[]> {
  const entries = listEntries(trained, reduced, speech.noisy, mixedSnrDb)
  const signals = [speech.noisy, ...LEVELS_DB.map((level) => scaleToPeak(speech.noisy, level))]
  const columns: FormatColumn[] = []
  let reference: Float32Array[] | undefined
  for (const [i, { name, compile }] of entries.entries()) {
    onProgress(i / entries.length)
    const bytes = compile()
    const outputs = await play(bytes, signals)
    columns.push(describe(name, bytes, outputs, reference, speech, trained))
    reference ??= outputs
  }
  return columns
}

function listEntries(
  trained: Checkpoint,
  reduced: Checkpoint,
  calibration: Float32Array,
  mixedSnrDb: number | undefined,
): Entry[] {
  const store = (checkpoint: Checkpoint, format: WeightFormat) => () =>
    compileWithin(checkpoint, { format, calibration, ...(mixedSnrDb === undefined ? {} : { mixedSnrDb }) }).bytes
  return [
    { name: 'trained', compile: store(trained, 'f32') },
    ...WEIGHT_FORMATS.flatMap((format) => {
      if (format !== 'f32') return [{ name: format, compile: store(reduced, format) }]
      return reduced === trained ? [] : [{ name: 'reduced', compile: store(reduced, format) }]
    }),
  ]
}

/** Aligned with the input, each signal as a stream of its own. */
async function play(bytes: Uint8Array, signals: readonly Float32Array[]): Promise<Float32Array[]> {
  const denoiser = await Denoiser.create({ model: bytes })
  try {
    return signals.map((samples) => {
      const parts = [denoiser.process(samples), denoiser.flush()]
      const out = new Float32Array(parts[0].length + parts[1].length)
      out.set(parts[0])
      out.set(parts[1], parts[0].length)
      return out
    })
  } finally {
    denoiser.dispose()
  }
}

function describe(
  name: string,
  bytes: Uint8Array,
  outputs: readonly Float32Array[],
  reference: readonly Float32Array[] | undefined,
  { clean }: Speech,
  { graph }: Checkpoint,
): FormatColumn {
  const { macsPerSecond, ops } = inspectModel(decodeModel(bytes))
  const snrs = reference?.map((wanted, i) => measureSnrDb(outputs[i], wanted))
  const spoken = clean && toRate(clean, graph.input.rate, graph.output.rate)
  return {
    name,
    bytes: bytes.length,
    macsPerSecond,
    snrDb: snrs?.[0],
    snrAtLevelsDb: snrs?.slice(1),
    ...scoreAgainst(spoken, outputs[0], graph.output.rate),
    ops: ops.map((op) => ({
      name: op.name,
      kind: op.kind,
      format: op.format,
      share: op.share,
      macsPerHop: op.macsPerHop,
      weightBytes: op.weightBytes,
    })),
  }
}

function scoreAgainst(clean: Float32Array | undefined, output: Float32Array, rate: number) {
  if (!clean) return { siSdrDb: undefined, stoi: undefined }
  const count = Math.min(clean.length, output.length)
  const [spoken, heard] = [clean.subarray(0, count), output.subarray(0, count)]
  return {
    siSdrDb: measureSiSdr(spoken, heard),
    stoi: measureStoi(toRate(spoken, rate, STOI_RATE), toRate(heard, rate, STOI_RATE)),
  }
}

function toRate(samples: Float32Array, from: number, to: number): Float32Array {
  return from === to ? samples : resample(samples, from, to)
}

function scaleToPeak(samples: Float32Array, peakDb: number): Float32Array {
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const gain = 10 ** (peakDb / 20) / (peak || 1)
  return samples.map((value) => value * gain)
}

export function formatColumns(columns: readonly FormatColumn[]): string {
  const show = (value: number | undefined, digits: number) =>
    value === undefined ? '-' : Number.isFinite(value) ? value.toFixed(digits) : 'same'
  const rows: string[][] = [
    ['', ...columns.map(({ name }) => name)],
    ['SNR to trained, dB', ...columns.map(({ snrDb }) => show(snrDb, 1))],
    ...LEVELS_DB.map((level, i) => [
      `  peak at ${level} dBFS`,
      ...columns.map(({ snrAtLevelsDb }) => show(snrAtLevelsDb?.[i], 1)),
    ]),
    ['SI-SDR to clean, dB', ...columns.map(({ siSdrDb }) => show(siSdrDb, 2))],
    ['STOI to clean', ...columns.map(({ stoi }) => show(stoi, 4))],
    ['file, bytes', ...columns.map(({ bytes }) => bytes.toLocaleString('en-US'))],
    ['MMAC/s', ...columns.map(({ macsPerSecond }) => (macsPerSecond / 1e6).toFixed(1))],
  ]
  const right = columns.map((_, i) => i + 1)
  const scored = columns.some(({ siSdrDb }) => siSdrDb !== undefined)
  return [
    ...alignColumns(rows, right),
    ...(scored ? [] : ['scores against clean speech need --clean: the clean original of --calibration']),
    '',
    ...alignColumns(listOps(columns), right),
  ].join('\n')
}

/** By op: share of the arithmetic, and bytes of weights. */
function listOps(columns: readonly FormatColumn[]): string[][] {
  const names = [...new Set(columns.flatMap(({ ops }) => ops.map(({ name }) => name)))]
  const cells = names.map((name) => columns.map(({ ops }) => ops.find((op) => op.name === name)))
  const listed = names.flatMap((name, i) => {
    if (!cells[i].some((op) => op && op.share >= LISTED_SHARE)) return []
    return [[name, ...cells[i].map((op) => (op ? `${(100 * op.share).toFixed(1)}%  ${kilo(op.weightBytes)}` : '-'))]]
  })
  return [['share of arithmetic, weights', ...columns.map(({ name }) => name)], ...listed]
}

function kilo(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(8)
}
