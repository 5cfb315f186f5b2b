// `npm run bench`: what each model costs on this machine, whole calls of the SDK, by number format and build of the core, beside
// other denoisers, in one run. In: model names or files. Out: tables on standard output, `--json FILE` for the record.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { Command } from 'commander'
import { MODELS } from '../sdk/index.ts'
import { decodeSamples } from '../sdk/pcm.ts'
import { WavReader } from '../sdk/wav.ts'
import { BUILDS, type Case, coreOf, FORMATS, listCases, modelBytes, openCases } from './cases.ts'
import { type ColdStart, measureColdStart } from './coldStart.ts'
import { openPeers, timePeer } from './peers.ts'
import { type Report, type Row, reportLines, type Sizes } from './report.ts'

/** Rounds that the scalar build takes part in: it takes ten times as long, and its figures are no limit of anything. */
const SCALAR_ROUNDS = 2

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
if (!(rounds >= 1)) program.error(`--rounds ${rounds}: use a whole number from 1`)
for (const model of models)
  if (!Object.hasOwn(MODELS, model) && !existsSync(model))
    program.error(`model ${model}: no such file; use one, or ${Object.keys(MODELS).join(', ')}`)

for (const built of ['dist/sdk/index.js', 'build/core.simd.wasm', 'models/base.ssm'])
  if (!existsSync(new URL(`../${built}`, import.meta.url))) program.error(`${built} is missing: npm run build`)

const clip = readClip()
const report = await measure()
for (const line of reportLines(report)) console.log(line)
if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)

async function measure(): Promise<Report> {
  const audioMs = clip.length / 16
  const cases = listCases(models)
  const open = await openCases(cases, clip)
  const peers = await openPeers(clip)
  for (let round = 0; round < rounds; round++) {
    for (const { what, stream } of open) if (what.build !== 'scalar' || round < SCALAR_ROUNDS) stream.runRound()
    for (const peer of peers) await timePeer(peer, audioMs)
  }
  const rows = open.map(({ what, stream, fileBytes, linearBytes }): Row => {
    const row = { ...what, ...stream.result(), fileBytes, linearBytes }
    stream.close()
    return row
  })
  return {
    machine: { node: process.version, arch: process.arch, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    rounds,
    audioMs,
    rows,
    peers: peers.map(({ name, realTimeFactor, realTimeFactorCpu, absent }) =>
      absent === undefined ? { name, realTimeFactor, realTimeFactorCpu } : { name, absent },
    ),
    cores: Object.fromEntries(BUILDS.map((build) => [build, sizesOf(readFileSync(coreOf(build)))])),
    files: Object.fromEntries(models.map((model) => [model, sizesByFormat(model)])),
    coldStarts: Object.fromEntries(models.map((model): [string, ColdStart] => [model, measureColdStart(model)])),
    refused: cases
      .filter((what) => !open.some((each) => each.what === what))
      .map(({ model, format, build }) => `${model}, ${format}, ${build} build: not loaded by Node ${process.version}`),
  }
}

function sizesByFormat(model: string): Record<string, Sizes> {
  const formats: readonly Case['format'][] = Object.hasOwn(MODELS, model) ? FORMATS : ['given']
  return Object.fromEntries(formats.map((format) => [format, sizesOf(modelBytes(model, format))]))
}

function sizesOf(content: Uint8Array): Sizes {
  return { bytes: content.length, gzip: gzipSync(content).length, brotli: brotliCompressSync(content).length }
}

function readClip(): Float32Array {
  const reader = new WavReader()
  const bytes = reader.push(readFileSync(new URL('../examples/clip/noisy.wav', import.meta.url)))
  const samples = new Float32Array(bytes.length / 2)
  decodeSamples(reader.format!.sampleFormat, bytes, samples)
  return samples
}
