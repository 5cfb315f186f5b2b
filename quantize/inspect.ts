// What a model file holds, for people and programs. In: a decoded model. Out: one row per record (shapes, bytes, MACs,
// lag) and totals, as plain data (JSON) or as a table of text. The CLI only prints what these functions return.

import { printable } from './errors.ts'
import type { Model, OpRecord } from './modelfile.ts'
import { ACTIVATION_NAMES, activationOf, countMacs, measure, SSM_FLAGS } from './record.ts'
import { alignColumns } from './table.ts'

export interface InspectedOp {
  readonly name: string
  readonly kind: string
  /** (steps, positions, channels) of the result per hop. */
  readonly shape: readonly [number, number, number]
  /** What distinguishes it: order, taps, activation. */
  readonly detail: string
  readonly format: string
  readonly weightBytes: number
  readonly stateBytes: number
  readonly temporaryBytes: number
  readonly macsPerHop: number
  /** Of all multiply-accumulates. */
  readonly share: number
  /** Of the result, in its own steps, and in milliseconds. */
  readonly lagSteps: number
  readonly lagMs: number
}

export interface Inspection {
  readonly name: string
  readonly input: { readonly rate: number; readonly hop: number }
  readonly output: { readonly rate: number; readonly hop: number }
  readonly hopMs: number
  readonly fileBytes: number
  readonly weightBytes: number
  readonly stateBytes: number
  readonly scratchBytes: number
  readonly macsPerHop: number
  readonly macsPerSecond: number
  readonly overlapLagSamples: number
  readonly lookaheadHops: number
  /** Look-ahead, overlap and one hop in output samples, before rounding to whole hops. */
  readonly algorithmicLatencySamples: number
  readonly algorithmicLatencyMs: number
  /** Delivered: what an impulse test measures. */
  readonly latencySamples: number
  readonly latencyMs: number
  readonly sha256: string
  readonly ops: readonly InspectedOp[]
  readonly card: unknown
}

export function inspectModel(model: Model): Inspection {
  const { inputRate, inputHop, outputRate, outputHop, card, macsPerHop } = model
  const toMs = (samples: number) => (1000 * samples) / outputRate
  const ops = model.records.map((record, i) => inspectRecord(record, card.ops?.[i] ?? `op${i}`, model))
  const stated = card.algorithmicLatencySamples
  const algorithmic = typeof stated === 'number' ? stated : model.latencySamples
  return {
    name: typeof card.name === 'string' ? printable(card.name) : 'unnamed',
    input: { rate: inputRate, hop: inputHop },
    output: { rate: outputRate, hop: outputHop },
    hopMs: toMs(outputHop),
    fileBytes: model.fileBytes,
    weightBytes: model.weightsBytes,
    stateBytes: model.stateBytes,
    scratchBytes: model.scratchBytes,
    macsPerHop,
    macsPerSecond: (macsPerHop * outputRate) / outputHop,
    overlapLagSamples: model.overlapLag,
    lookaheadHops: model.lookaheadHops,
    algorithmicLatencySamples: algorithmic,
    algorithmicLatencyMs: toMs(algorithmic),
    latencySamples: model.latencySamples,
    latencyMs: toMs(model.latencySamples),
    sha256: model.sha256,
    ops,
    card: card.card ?? {},
  }
}

function inspectRecord(record: OpRecord, name: string, model: Model): InspectedOp {
  const { task, format, lag } = record
  const extent = measure(task, format)
  const weightBytes = extent.weightBytes.reduce((sum, bytes, k) => sum + (record.weights[k] === 0 ? 0 : bytes), 0)
  const macsPerHop = countMacs(task)
  return {
    name: printable(name),
    kind: task.kind,
    shape: [task.steps, task.resultPositions, task.resultChannels],
    detail: describeTask(record),
    format: ['f32', 'int8', 'int4'][record.format] ?? String(record.format),
    weightBytes,
    stateBytes: extent.stateBytes,
    temporaryBytes: extent.temporaryBytes,
    macsPerHop,
    share: model.macsPerHop === 0 ? 0 : macsPerHop / model.macsPerHop,
    lagSteps: lag,
    lagMs: ((1000 * model.outputHop) / model.outputRate) * (lag / task.steps),
  }
}

function describeTask({ task }: OpRecord): string {
  const [first, second] = task.parameters
  const parts: string[] = []
  if (task.kind === 'ssm') {
    parts.push(`order ${first}`, second & SSM_FLAGS.complexB || second & SSM_FLAGS.complexC ? 'complex' : 'real')
    if (second & (SSM_FLAGS.diagonalD | SSM_FLAGS.fullD)) parts.push('D')
  }
  if (task.kind === 'conv' || task.kind === 'bandconv') parts.push(`${first & 255} taps`)
  if (task.kind === 'filter') parts.push(`${first} taps`)
  if (task.kind === 'mix' && first > 1) parts.push(`${first} groups`)
  if (task.kind === 'delay') parts.push(`${first} steps`)
  if (task.kind === 'frame' || task.kind === 'overlap') parts.push(`${first} every ${second}`)
  if (task.kind === 'rfft' || task.kind === 'irfft') parts.push(`n ${first}`)
  const activation = activationOf(task)
  if (activation > 0) parts.push(ACTIVATION_NAMES[activation])
  return parts.join(', ')
}

/** The inspection as lines of text, at most about 110 columns. */
export function formatInspection(inspection: Inspection): string {
  const { input, output, ops } = inspection
  const rows = ops.map((op) => [
    op.name,
    op.kind,
    op.shape.join('x'),
    op.detail,
    op.format,
    count(op.weightBytes),
    count(op.stateBytes),
    count(op.macsPerHop),
    `${(100 * op.share).toFixed(1)}%`,
    op.lagSteps === 0 ? '-' : `${op.lagSteps} (${op.lagMs.toFixed(1)} ms)`,
  ])
  const titles = ['op', 'kind', 'result', 'detail', 'format', 'weights B', 'state B', 'MAC/hop', 'share', 'late steps']
  return [
    `${inspection.name}: ${input.rate} Hz in hops of ${input.hop} -> ${output.rate} Hz in hops of ${output.hop} (${inspection.hopMs.toFixed(2)} ms)`,
    ...alignColumns([titles, ...rows], [5, 6, 7, 8]),
    `latency   ${inspection.latencySamples} samples (${inspection.latencyMs.toFixed(1)} ms) delivered, ${inspection.algorithmicLatencySamples} (${inspection.algorithmicLatencyMs.toFixed(1)} ms) before rounding to hops`,
    `cost      ${(inspection.macsPerSecond / 1e6).toFixed(1)} MMAC/s, ${count(inspection.macsPerHop)} per hop`,
    `memory    file ${count(inspection.fileBytes)} B, weights ${count(inspection.weightBytes)} B, per stream: state ${count(inspection.stateBytes)} B; scratch ${count(inspection.scratchBytes)} B`,
    `sha256    ${inspection.sha256}`,
  ].join('\n')
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}
