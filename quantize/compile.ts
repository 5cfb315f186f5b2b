// The compiler. In: the bytes of a checkpoint (safetensors with a graph, or a public .pt) and how far to reduce it. Out:
// the bytes of a model file and a report. Pure and deterministic: equal input gives equal bytes.

import type { Part } from './attenuate.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { fail } from './errors.ts'
import { atLevels } from './levels.ts'
import { lower, type Quantisation } from './lower.ts'
import { type Card, encodeModel, type OpRecord, weightsOffsetOf } from './modelfile.ts'
import { plan } from './plan.ts'
import { type Heard, quantiseNetwork, type WeightFormat } from './quantise.ts'
import { countMacs, type Format } from './record.ts'
import {
  analyseLayers,
  applyRealisations,
  calibrate,
  type LayerReport,
  reduceByTolerance,
  reportLayer,
} from './reduce.ts'
import { chooseOrders, costOf, type Progress, type Target } from './sensitivity.ts'

export interface CompileOptions {
  /** Public aTENNuate weights only: parts whose pre-convs are causal (`parseCausal`). */
  readonly causal?: readonly Part[]
  /** Hankel singular values below this, relative to a layer's largest, are dropped. */
  readonly tolerance?: number
  /** A tolerance is about input such as the calibration audio, not about white input. */
  readonly weighted?: boolean
  /** Network SNR to keep, in dB against the unreduced network; needs calibration audio. */
  readonly targetSnrDb?: number
  /** Multiply-accumulates per second of the whole network; needs calibration audio. */
  readonly maxMacsPerSecond?: number
  /** Noisy speech at the input's rate, a few seconds. */
  readonly calibration?: Float32Array
  /** How weights are stored; f32 where it is not stated. */
  readonly format?: WeightFormat
  /** Of format mixed: SNR that rounding the weights aims to leave at the output; needs calibration audio. */
  readonly mixedSnrDb?: number
  readonly onProgress?: Progress
}

export interface CompileReport {
  readonly macsPerSecondBefore: number
  readonly macsPerSecondAfter: number
  readonly ssmMacsPerSecondBefore: number
  readonly ssmMacsPerSecondAfter: number
  /** Of the reduced network against the unreduced on the calibration audio. */
  readonly snrDb: number | undefined
  readonly layers: readonly LayerReport[]
}

export interface WeightReport {
  readonly format: WeightFormat
  /** Of the network with rounded weights against that without, on the calibration audio. */
  readonly snrDb: number | undefined
  /** Of every node with matrices. */
  readonly formats: Readonly<Record<string, Format>>
}

export interface Compiled {
  readonly bytes: Uint8Array
  /** Undefined where nothing was to be reduced. */
  readonly report: CompileReport | undefined
  /** Undefined where weights stay f32. */
  readonly weights: WeightReport | undefined
  /** What was compiled: can be written back and trained further. */
  readonly checkpoint: Checkpoint
}

export function compile(checkpointBytes: Uint8Array, options: CompileOptions = {}): Uint8Array {
  return compileWithReport(checkpointBytes, options).bytes
}

export function compileWithReport(checkpointBytes: Uint8Array, options: CompileOptions = {}): Compiled {
  return compileWithin(readCheckpoint(checkpointBytes, options.causal), options)
}

/** A checkpoint already read: who must know its rate before there is calibration audio. */
export function compileWithin(checkpoint: Checkpoint, options: CompileOptions = {}): Compiled {
  const { tolerance } = options
  const target = readTarget(options)
  if (tolerance === undefined && target === undefined) {
    return { ...roundAndCompile(checkpoint, options), report: undefined, checkpoint }
  }
  return reduceAndCompile(checkpoint, options, target)
}

function readTarget({ tolerance, targetSnrDb, maxMacsPerSecond, calibration }: CompileOptions): Target | undefined {
  const given = [tolerance, targetSnrDb, maxMacsPerSecond].filter((value) => value !== undefined)
  if (given.length > 1) fail('OPTION_INVALID', 'more than one of tolerance, target SNR and MACs', given, 'state one')
  const target =
    targetSnrDb !== undefined
      ? { snrDb: targetSnrDb }
      : maxMacsPerSecond !== undefined
        ? { macsPerSecond: maxMacsPerSecond }
        : undefined
  if (target && !calibration)
    fail('OPTION_INVALID', 'target without calibration audio', given, 'give it a noisy recording')
  return target
}

function reduceAndCompile(checkpoint: Checkpoint, options: CompileOptions, target: Target | undefined): Compiled {
  const { calibration, weighted } = options
  const trace = calibration && (target || weighted) ? calibrate(checkpoint, calibration) : undefined
  const layers = analyseLayers(checkpoint, trace)
  const perSecond = checkpoint.graph.output.rate / checkpoint.graph.output.hop
  const before = countNetworkMacs(checkpoint) * perSecond
  const ssmBefore = costOf(reduceByTolerance(layers, 0))
  const { realisations, snrDb } = target
    ? chooseOrders(checkpoint, layers, trace!, target, before - ssmBefore, options.onProgress)
    : { realisations: reduceByTolerance(layers, options.tolerance!), snrDb: undefined }
  const reduced = applyRealisations(checkpoint, realisations)
  const report: CompileReport = {
    macsPerSecondBefore: before,
    macsPerSecondAfter: countNetworkMacs(reduced) * perSecond,
    ssmMacsPerSecondBefore: ssmBefore,
    ssmMacsPerSecondAfter: costOf(realisations),
    snrDb,
    layers: realisations.map(reportLayer),
  }
  const orders = Object.fromEntries(report.layers.map((layer) => [layer.name, layer.sizeAfter]))
  return {
    ...roundAndCompile(reduced, options, { reduction: { ...(snrDb === undefined ? {} : { snrDb }), orders } }),
    report,
    checkpoint: reduced,
  }
}

/** Weights to integers, where asked for, and the file. */
function roundAndCompile(checkpoint: Checkpoint, options: CompileOptions, notes: Record<string, unknown> = {}) {
  const { format = 'f32', calibration, mixedSnrDb, onProgress } = options
  if (format === 'f32') return { bytes: compileCheckpoint(checkpoint, notes), weights: undefined }
  const trace = calibration && listen(checkpoint, calibration)
  const { quantisation, formats, snrDb } = quantiseNetwork(checkpoint.graph, format, trace, mixedSnrDb, onProgress)
  const weights: WeightReport = { format, snrDb, formats: Object.fromEntries(formats) }
  const noted = { ...notes, weights: { format, ...(snrDb === undefined ? {} : { snrDb }) } }
  return { bytes: compileCheckpoint(checkpoint, noted, quantisation), weights }
}

/** At several levels. */
function listen(checkpoint: Checkpoint, calibration: Float32Array): Heard {
  const { samples, ends } = atLevels(calibration, checkpoint.graph.input.hop)
  return { ...calibrate(checkpoint, samples), ends }
}

/** Per hop. */
function countNetworkMacs({ graph }: Checkpoint): number {
  return lower(graph).ops.reduce((sum, { task }) => sum + countMacs(task), 0)
}

export function compileCheckpoint(
  { graph }: Checkpoint,
  notes: Record<string, unknown> = {},
  quantisation?: Quantisation,
): Uint8Array {
  const program = lower(graph, quantisation)
  const { placements, weights, ...memory } = plan(program)
  const base = weightsOffsetOf(program.ops.length)
  const records = program.ops.map((op, i): OpRecord => {
    const { inputs, weights: blocks, ...places } = placements[i]
    const [a, b, c, d] = blocks.map((offset) => (offset < 0 ? 0 : base + offset))
    return {
      task: op.task,
      format: op.format,
      lag: op.lag,
      inputs: [inputs[0] ?? 0, inputs[1] ?? 0],
      weights: [a, b, c, d],
      ...places,
    }
  })
  const macsPerHop = records.reduce((sum, record) => sum + countMacs(record.task), 0)
  if (macsPerHop > 0xffffffff)
    fail('PROGRAM_TOO_LARGE', 'multiply-accumulates per hop', macsPerHop, 'use a smaller network')
  const algorithmicLatencySamples = program.lookaheadSamples + program.overlapLag + graph.output.hop
  const card: Card = {
    name: graph.name,
    card: graph.card,
    ops: program.ops.map((op) => op.name),
    algorithmicLatencySamples,
    ...notes,
  }
  return encodeModel({
    inputRate: graph.input.rate,
    inputHop: graph.input.hop,
    outputRate: graph.output.rate,
    outputHop: graph.output.hop,
    overlapLag: program.overlapLag,
    lookaheadHops: program.lookaheadHops,
    macsPerHop,
    records,
    card,
    weights,
    ...memory,
  })
}
