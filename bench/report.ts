// The bench's figures as text. In: what hop.ts measured. Out: lines: time per hop by model, format and build; ratios between
// formats, to what is not speech and to other denoisers; bytes; cold start.

import { alignColumns } from '../quantize/table.ts'
import type { Case } from './cases.ts'
import type { ColdStart } from './coldStart.ts'
import type { StreamResult } from './stream.ts'

export interface Row extends Case, StreamResult {
  readonly fileBytes: number
  /** Pages of a core that holds this model and one stream. */
  readonly linearBytes: number
}

export interface Sizes {
  readonly bytes: number
  readonly gzip: number
  readonly brotli: number
}

export interface Report {
  readonly machine: { readonly node: string; readonly arch: string; readonly cpu: string; readonly cores: number }
  readonly rounds: number
  readonly audioMs: number
  readonly rows: readonly Row[]
  readonly peers: readonly {
    readonly name: string
    readonly realTimeFactor?: number
    readonly realTimeFactorCpu?: number
    /** Why it was not timed. */
    readonly absent?: string
  }[]
  readonly cores: Readonly<Record<string, Sizes>>
  readonly files: Readonly<Record<string, Readonly<Record<string, Sizes>>>>
  readonly coldStarts: Readonly<Record<string, ColdStart>>
  readonly refused: readonly string[]
}

/** The row of a model as it ships, or of what was given, on the SIMD build. */
export function shippedRow({ rows }: Report, model: string, signal: Case['signal'] = 'speech'): Row {
  return rows.find(
    (row) =>
      row.model === model &&
      row.build === 'simd' &&
      row.signal === signal &&
      row.sampleRate === undefined &&
      (row.format === 'int8' || row.format === 'given'),
  )!
}

export function reportLines(report: Report): string[] {
  const { machine, rounds, audioMs } = report
  const parts = [
    hopTable(report),
    formatTable(report),
    signalTable(report),
    peerTable(report),
    sizeTable(report),
    coldTable(report),
  ]
  return [
    `Node ${machine.node} ${machine.arch}, ${machine.cores} x ${machine.cpu}; the fastest of ${rounds} rounds of ${audioMs / 1000} s, percentiles over all`,
    ...parts.flatMap((lines) => (lines.length > 1 ? ['', ...lines] : [])),
    '',
    ...report.peers.flatMap(({ name, absent }) => (absent === undefined ? [] : [`not timed: ${name}: ${absent}`])),
    ...report.refused.map((line) => `not timed: ${line}`),
  ]
}

/** The first cell of each row is to the left. */
function table(rows: readonly string[][]): string[] {
  return alignColumns(
    rows,
    rows[0].map((_, i) => i).filter((i) => i > 0),
  )
}

function hopTable({ rows }: Report): string[] {
  const head = ['model', 'format', 'core', 'kHz', 'RTF wall', 'RTF CPU', 'p50 us', 'p95', 'p99', 'p99.9', 'worst']
  const body = rows
    .filter(({ signal }) => signal === 'speech')
    .map((row) => [
      row.model,
      row.format,
      row.build,
      row.sampleRate === undefined ? 'own' : String(row.sampleRate / 1000),
      row.realTimeFactor.toFixed(5),
      row.realTimeFactorCpu.toFixed(5),
      ...[row.p50Us, row.p95Us, row.p99Us, row.p999Us, row.worstUs].map((us) => us.toFixed(0)),
      (row.linearBytes / 1000).toFixed(0),
      (row.streamBytes / 1000).toFixed(1),
    ])
  return table([[...head, 'memory kB', 'stream kB'], ...body])
}

/** How many times as fast as f32 the integers are on each build, what they weigh, and the SIMD build over the scalar one. */
function formatTable({ rows }: Report): string[] {
  const speech = rows.filter(({ signal, sampleRate }) => signal === 'speech' && sampleRate === undefined)
  const find = (model: string, format: string, build: string) =>
    speech.find((row) => row.model === model && row.format === format && row.build === build)
  const ratio = (a: Row | undefined, b: Row | undefined) =>
    a === undefined || b === undefined ? '-' : (a.p50Us / b.p50Us).toFixed(2)
  const body = speech
    .filter(({ build }) => build === 'simd')
    .map((row) => {
      const { model, format } = row
      return [
        model,
        format,
        ratio(find(model, 'f32', 'simd'), row),
        ratio(find(model, 'f32', 'scalar'), find(model, format, 'scalar')),
        ratio(find(model, format, 'scalar'), row),
        ratio(row, find(model, format, 'relaxed')),
        String(row.fileBytes),
        String(row.linearBytes),
      ]
    })
  const head = ['speed', 'format', ': f32', ': f32, scalar', 'simd : scalar', 'relaxed : simd', 'file B', 'memory B']
  return table([head, ...body])
}

/** Cost per hop over that of speech: nothing is slow because it is quiet. */
function signalTable(report: Report): string[] {
  const signals = ['silence', 'fading', 'denormal'] as const
  const models = Object.keys(report.files)
  const cost = (model: string, signal: Case['signal']) => shippedRow(report, model, signal).p50Us
  const body = models.map((model) => [
    model,
    ...signals.map((signal) => (cost(model, signal) / cost(model, 'speech')).toFixed(2)),
  ])
  return table([['time : speech', ...signals], ...body])
}

function peerTable(report: Report): string[] {
  const models = Object.keys(report.files)
  const atCallRate = (model: string) => report.rows.find((row) => row.model === model && row.sampleRate !== undefined)
  const called = models.filter((model) => atCallRate(model) !== undefined)
  const body = report.peers.flatMap(({ name, realTimeFactor, realTimeFactorCpu }) => {
    if (realTimeFactor === undefined || realTimeFactorCpu === undefined) return []
    const times = (row: Row) => (realTimeFactorCpu / row.realTimeFactorCpu).toFixed(2)
    return [
      [
        name,
        realTimeFactor.toFixed(4),
        realTimeFactorCpu.toFixed(4),
        ...models.map((model) => times(shippedRow(report, model))),
        ...called.map((model) => times(atCallRate(model)!)),
      ],
    ]
  })
  const head = ['peer', 'RTF wall', 'RTF CPU', ...models.map((model) => `: ${model}`)]
  return table([[...head, ...called.map((model) => `: ${model} at 48 kHz`)], ...body])
}

function sizeTable({ cores, files }: Report): string[] {
  const cells = ({ bytes, gzip, brotli }: Sizes) => [bytes, gzip, brotli].map(String)
  return table([
    ['file', 'bytes', 'gzip', 'brotli'],
    ...Object.entries(cores).map(([build, sizes]) => [`core.${build}.wasm`, ...cells(sizes)]),
    ...Object.entries(files).flatMap(([model, formats]) =>
      Object.entries(formats).map(([format, sizes]) => [`${model} ${format}`, ...cells(sizes)]),
    ),
  ])
}

function coldTable({ coldStarts }: Report): string[] {
  const head = ['cold start', 'import ms', 'first hop ms', 'first 25 hops', 'hops until steady', 'RSS MB', 'peak MB']
  return table([
    head,
    ...Object.entries(coldStarts).map(([model, cold]) => [
      model,
      cold.importMs.toFixed(1),
      cold.firstHopMs.toFixed(1),
      `${cold.firstHopsRatio.toFixed(1)}x`,
      String(cold.hopsUntilSteady),
      (cold.residentBytes / 1e6).toFixed(0),
      (cold.peakBytes / 1e6).toFixed(0),
    ]),
  ])
}
