// `attenuate bench`: what this machine can do. In: models, a rate. Out: for each model, over a bundled clip of noisy speech, a hop
// per call as a live stream has it: time spent per time of audio, how long hops take, how many streams a core carries.

import { cpus } from 'node:os'
import { TimedStream } from '../../bench/stream.ts'
import { alignColumns } from '../../quantize/table.ts'
import { blamingModel } from './blame.ts'
import { bundledClip, readCalibration } from './calibration.ts'
import { showProgress } from './progress.ts'

const CLIP_RATE = 16000

export interface BenchCommand {
  /** Hz, in and out; default: each model's own. */
  readonly rate?: number
  /** Passes over the clip, the models in turn; the fastest counts. */
  readonly rounds: number
}

export interface BenchReport {
  readonly node: string
  readonly arch: string
  readonly cpu: string
  readonly rounds: number
  readonly models: readonly BenchRow[]
}

interface BenchRow {
  readonly model: string
  readonly sampleRate: number
  readonly hopMs: number
  readonly latencyMs: number
  /** Seconds per second of audio, by the clock and by processor time. */
  readonly realTimeFactor: number
  readonly realTimeFactorCpu: number
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly worstUs: number
  /** Live streams that one core carries at this pace, a fifth left for other things. */
  readonly streamsPerCore: number
  /** Memory of a further stream. */
  readonly streamBytes: number
}

const SHARE_FOR_STREAMS = 0.8

export async function benchModels(models: readonly string[], { rate, rounds }: BenchCommand): Promise<BenchReport> {
  const clip = await readCalibration(bundledClip(), CLIP_RATE)
  const bar = showProgress('measuring', models.length * rounds)
  const streams: TimedStream[] = []
  try {
    for (const model of models)
      streams.push(await blamingModel(model, () => TimedStream.open(model, undefined, clip, rate)))
    for (let round = 0; round < rounds; round++)
      for (const [i, stream] of streams.entries()) {
        stream.runRound()
        bar.update(round * models.length + i + 1)
      }
    const rows = streams.map((stream, i) => describe(models[i], stream))
    return { node: process.version, arch: process.arch, cpu: cpus()[0]?.model ?? 'unknown', rounds, models: rows }
  } finally {
    bar.stop()
    for (const stream of streams) stream.close()
  }
}

function describe(model: string, stream: TimedStream): BenchRow {
  const { hopMs, latencyMs, realTimeFactor, realTimeFactorCpu, p50Us, p95Us, p99Us, worstUs, streamBytes } =
    stream.result()
  return {
    model,
    sampleRate: stream.sampleRate,
    hopMs,
    latencyMs,
    realTimeFactor,
    realTimeFactorCpu,
    p50Us,
    p95Us,
    p99Us,
    worstUs,
    streamsPerCore: Math.floor(SHARE_FOR_STREAMS / realTimeFactor),
    streamBytes,
  }
}

export function formatBench({ node, arch, cpu, rounds, models }: BenchReport): string {
  const heads = [
    'model',
    'Hz',
    'real-time factor',
    'streams/core',
    'hop ms',
    'p50 us',
    'p95',
    'p99',
    'worst',
    'latency ms',
    'kB/stream',
  ]
  const rows = models.map((row) => [
    row.model,
    String(row.sampleRate),
    `${row.realTimeFactor.toFixed(4)} (${Math.round(1 / row.realTimeFactor)}x)`,
    String(row.streamsPerCore),
    row.hopMs.toFixed(1),
    ...[row.p50Us, row.p95Us, row.p99Us, row.worstUs].map((us) => us.toFixed(0)),
    row.latencyMs.toFixed(1),
    (row.streamBytes / 1024).toFixed(0),
  ])
  return [
    `Node ${node} ${arch}, one core of ${cpu}; the fastest of ${rounds} rounds, percentiles over all`,
    ...alignColumns([heads, ...rows], heads.map((_, i) => i).slice(1)),
  ].join('\n')
}
