// `npm run bench`: what each model costs on this machine, by build of the core, beside other denoisers, in one run.
// In: model names or files. Out: a table on standard output, `--json FILE` for the record. Node 20 runs the relaxed build
// with `--experimental-wasm-relaxed-simd` alone; where a build does not load, its row says so.

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { Command } from 'commander'
import { MODELS } from '../sdk/index.ts'
import { decodeSamples } from '../sdk/pcm.ts'
import { WavReader } from '../sdk/wav.ts'
import { type ColdStart, measureColdStart } from './coldStart.ts'
import { openPeers, timePeer } from './peers.ts'
import { type StreamResult, TimedStream } from './stream.ts'

const root = new URL('../', import.meta.url)
const BUILDS = ['simd', 'relaxed', 'scalar'] as const

interface Row extends StreamResult {
  readonly model: string
  readonly build: string
  /** Hz, in and out; undefined: the model's own. */
  readonly sampleRate?: number | undefined
}

/** What microphones and calls run at. */
const CALL_RATE = 48000

const program = new Command('npm run bench --')
  .argument('[models...]', `names (${Object.keys(MODELS).join(', ')}) or files; default: all names`)
  .option(
    '--rounds <n>',
    'passes over the bundled clip, interleaved between all',
    (text) => Number.parseInt(text, 10),
    6,
  )
  .option('--json <file>', 'write the figures there too')
  .parse()
const { rounds, json } = program.opts<{ rounds: number; json?: string }>()
const models = program.args.length > 0 ? program.args : Object.keys(MODELS)

const clip = readClip()
const audioMs = clip.length / 16
const refused: string[] = []
const streams = await openStreams()
const peers = await openPeers(clip)
for (let round = 0; round < rounds; round++) {
  for (const { stream } of streams) stream.runRound()
  for (const peer of peers) await timePeer(peer, audioMs)
}
const rows: Row[] = streams.map(({ stream, ...what }) => ({ ...what, ...stream.result() }))
for (const { stream } of streams) stream.close()
const files = Object.fromEntries(models.map((model) => [model, sizesOf(fileOf(model))]))
const cores = Object.fromEntries(BUILDS.map((build) => [build, sizesOf(coreOf(build))]))
const coldStarts = Object.fromEntries(models.map((model) => [model, measureColdStart(model)]))
const machine = { node: process.version, arch: process.arch, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
print()
if (json !== undefined) {
  const others = peers.map(({ name, realTimeFactor, realTimeFactorCpu, absent }) =>
    Number.isFinite(realTimeFactor) ? { name, realTimeFactor, realTimeFactorCpu } : { name, absent },
  )
  const report = { machine, rounds, rows, peers: others, files, cores, coldStarts, refused }
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
}

async function openStreams() {
  const opened: { model: string; build: string; sampleRate?: number; stream: TimedStream }[] = []
  for (const model of models) {
    for (const build of BUILDS) {
      try {
        opened.push({ model, build, stream: await TimedStream.open(model, coreOf(build), clip) })
      } catch (error) {
        if (build !== 'relaxed') throw error
        refused.push(
          `${model}, relaxed build: not loaded by Node ${process.version} without --experimental-wasm-relaxed-simd`,
        )
      }
    }
    if (model !== 'nano') {
      const stream = await TimedStream.open(model, coreOf('simd'), clip, CALL_RATE)
      opened.push({ model, build: 'simd', sampleRate: CALL_RATE, stream })
    }
  }
  return opened
}

function print(): void {
  console.log(
    `Node ${machine.node} ${machine.arch}, ${machine.cores} x ${machine.cpu}; ${rounds} rounds of ${audioMs / 1000} s`,
  )
  const scalar = (model: string) => rows.find((row) => row.model === model && row.build === 'scalar')!.realTimeFactorCpu
  printTable(
    [
      'model',
      'core',
      'kHz',
      'RTF wall',
      'RTF CPU',
      'x scalar',
      'p50',
      'p95',
      'p99',
      'p99.9',
      'worst us',
      'linear kB',
      'stream kB',
    ],
    rows.map((row) => [
      nameOf(row.model),
      row.build,
      row.sampleRate === undefined ? 'own' : (row.sampleRate / 1000).toFixed(0),
      row.realTimeFactor.toFixed(4),
      row.realTimeFactorCpu.toFixed(4),
      (scalar(row.model) / row.realTimeFactorCpu).toFixed(2),
      ...[row.p50Us, row.p95Us, row.p99Us, row.p999Us, row.worstUs].map((us) => us.toFixed(0)),
      (row.linearBytes / 1000).toFixed(0),
      (row.streamBytes / 1000).toFixed(1),
    ]),
  )
  const simd = rows.filter((row) => row.build === 'simd' && row.sampleRate === undefined)
  printTable(
    ['peer', 'RTF wall', 'RTF CPU', ...simd.map((row) => `: ${nameOf(row.model)}`)],
    peers
      .filter((peer) => Number.isFinite(peer.realTimeFactor))
      .map((peer) => [
        peer.name,
        peer.realTimeFactor.toFixed(4),
        peer.realTimeFactorCpu.toFixed(4),
        ...simd.map((row) => (peer.realTimeFactorCpu / row.realTimeFactorCpu).toFixed(2)),
      ]),
  )
  printTable(
    ['file', 'bytes', 'gzip', 'brotli', 'import ms', 'first hop ms', 'RSS MB'],
    [
      ...BUILDS.map((build) => [`core.${build}.wasm`, ...sizeCells(cores[build]), '', '', '']),
      ...models.map((model) => [nameOf(model), ...sizeCells(files[model]), ...coldCells(coldStarts[model])]),
    ],
  )
  for (const { name, absent } of peers) if (absent !== undefined) console.log(`not timed: ${name}: ${absent}`)
  for (const line of refused) console.log(`not timed: ${line}`)
}

function printTable(head: readonly string[], body: readonly (readonly string[])[]): void {
  if (body.length === 0) return
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((row) => row[i].length)))
  for (const row of [head, ...body])
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
  console.log()
}

function readClip(): Float32Array {
  const reader = new WavReader()
  const bytes = reader.push(readFileSync(new URL('examples/clip/noisy.wav', root)))
  const samples = new Float32Array(bytes.length / 2)
  decodeSamples(reader.format!.sampleFormat, bytes, samples)
  return samples
}

function coreOf(build: string): URL {
  return new URL(`build/core.${build}.wasm`, root)
}

function fileOf(model: string): URL | string {
  return Object.hasOwn(MODELS, model) ? new URL(`models/${MODELS[model as keyof typeof MODELS].file}`, root) : model
}

function nameOf(model: string): string {
  return existsSync(model) ? model.split('/').at(-1)! : model
}

function sizesOf(file: URL | string): { bytes: number; gzip: number; brotli: number } {
  const content = readFileSync(file)
  return { bytes: statSync(file).size, gzip: gzipSync(content).length, brotli: brotliCompressSync(content).length }
}

function sizeCells({ bytes, gzip, brotli }: { bytes: number; gzip: number; brotli: number }): string[] {
  return [bytes, gzip, brotli].map(String)
}

function coldCells({ importMs, firstHopMs, residentBytes }: ColdStart): string[] {
  return [importMs.toFixed(1), firstHopMs.toFixed(1), (residentBytes / 1e6).toFixed(0)]
}
