// `npm run tables`: the measured tables of README.md, written anew from bench/results, and those of docs/compiler.md from the
// built models. In: `--quality FILE`, a report of
// `npm run evaluate -- --json FILE`, first condensed to its means in bench/results/quality.json, where systems that it did not
// run keep their rows (the mixes are the same, seed for seed). The others are there as
// `npm run bench` and `npm run formats` write them with --json, and as `npm run sizes` writes its own.

import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import type { FormatRow } from '../bench/quality/formats.ts'
import { meanScores, type Scores } from '../bench/quality/scores.ts'
import { type Report, shippedRow } from '../bench/report.ts'
import { markdown, writeTables } from './markdown.ts'
import { compilerTables } from './programs.ts'
import { type Size, sizesFile } from './sizes.ts'

interface Evaluation {
  readonly results: readonly {
    readonly title: string
    readonly systems: readonly { readonly system: string; readonly clips: readonly { readonly scores: Scores }[] }[]
  }[]
  readonly depths: readonly { readonly system: string; readonly attenuationDb: number; readonly onsetLossDb: number }[]
}

type Condensed = {
  readonly [task: string]: { readonly [system: string]: { readonly [metric: string]: number | null } }
}

const TITLES: { readonly [metric: string]: string } = {
  pesq: 'PESQ-WB',
  stoi: 'STOI',
  siSdr: 'SI-SDR dB',
  lsdLow: 'LSD 0-2 kHz dB',
  lsdHigh: 'LSD 2-8 kHz dB',
  attenuationDb: 'noise attenuated by dB',
  onsetLossDb: 'speech onset lost dB',
}

const root = new URL('../', import.meta.url)
const qualityFile = new URL('bench/results/quality.json', root)
const { quality: evaluated } = new Command('npm run tables --')
  .description('writes the measured tables of README.md and docs/compiler.md anew')
  .option('--quality <file>', 'what npm run evaluate -- --json FILE wrote, taken into bench/results/quality.json')
  .parse()
  .opts<{ quality?: string }>()
if (evaluated !== undefined) {
  const before = JSON.parse(readFileSync(qualityFile, 'utf8')) as Condensed
  const condensed = merge(before, condense(JSON.parse(readFileSync(evaluated, 'utf8')) as Evaluation))
  writeFileSync(qualityFile, `${JSON.stringify(condensed, null, 2)}\n`)
}
const quality = JSON.parse(readFileSync(qualityFile, 'utf8')) as Condensed
const timings = JSON.parse(readFileSync(new URL('bench/results/hop.node20.json', root), 'utf8')) as Report
const formats = JSON.parse(readFileSync(new URL('bench/results/formats.json', root), 'utf8')) as readonly FormatRow[]
const sizes = JSON.parse(readFileSync(sizesFile, 'utf8')) as readonly Size[]
writeTables(new URL('README.md', root), {
  quality: qualityTables(quality),
  formats: formatsTable(formats),
  speed: speedTable(timings),
  sizes: sizesTable(sizes),
})
writeTables(new URL('docs/compiler.md', root), await compilerTables())

function condense({ results, depths }: Evaluation): Condensed {
  const round = (scores: Scores) =>
    Object.fromEntries(
      Object.entries(scores).map(([key, value]) => [key, Number.isFinite(value) ? Number(value.toFixed(4)) : null]),
    )
  const tasks = results.map(({ title, systems }) => [
    title,
    Object.fromEntries(
      systems.map(({ system, clips }) => [system, round(meanScores(clips.map((clip) => clip.scores)))]),
    ),
  ])
  const depth = depths.map(({ system, attenuationDb, onsetLossDb }) => [
    system,
    { attenuationDb: Number(attenuationDb.toFixed(1)), onsetLossDb: Number(onsetLossDb.toFixed(2)) },
  ])
  return Object.fromEntries([...tasks, ['Noise alone', Object.fromEntries(depth)]])
}

function merge(before: Condensed, now: Condensed): Condensed {
  const tasks = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  return Object.fromEntries(tasks.map((task) => [task, { ...before[task], ...now[task] }]))
}

function qualityTables(tasks: Condensed): string {
  return Object.entries(tasks)
    .map(([title, systems]) => `**${title}**\n\n${metricTable(systems)}`)
    .join('\n\n')
}

function metricTable(systems: Condensed[string]): string {
  const metrics = Object.keys(Object.values(systems)[0]).filter((key) =>
    Object.values(systems).some((scores) => scores[key] !== null),
  )
  const digits = (key: string) => (key === 'pesq' || key === 'stoi' ? 3 : key === 'onsetLossDb' ? 2 : 1)
  return markdown(
    ['', ...metrics.map((key) => TITLES[key])],
    Object.entries(systems).map(([name, scores]) => [
      name,
      ...metrics.map((key) => scores[key]?.toFixed(digits(key)) ?? '-'),
    ]),
  )
}

/** One row per model and format, one column per level. */
function formatsTable(rows: readonly FormatRow[]): string {
  const levels = [...new Set(rows.map((row) => row.levelDb))]
  const names = [...new Set(rows.map(({ model, format }) => `${model} ${format}`))]
  const body = names.map((name) => {
    const own = rows.filter(({ model, format }) => `${model} ${format}` === name)
    const cells = levels.map((level) => {
      const { pesq, stoi, siSdr } = own.find(({ levelDb }) => levelDb === level)!.scores
      return `${pesq.toFixed(3)} / ${stoi.toFixed(4)} / ${siSdr.toFixed(2)}`
    })
    return [name, (own[0].bytes / 1000).toFixed(0), ...cells]
  })
  return markdown(['PESQ-WB / STOI / SI-SDR dB', 'kB', ...levels.map((level) => `peak at ${level} dBFS`)], body)
}

function speedTable(report: Report): string {
  const { machine, rows, peers, files } = report
  const atCallRate = (model: string) =>
    rows.find((row) => row.model === model && row.sampleRate !== undefined)?.realTimeFactorCpu.toFixed(4) ?? '-'
  const ours = Object.keys(files)
    .map((model) => shippedRow(report, model))
    .map((row) => [
      row.model,
      row.realTimeFactorCpu.toFixed(4),
      atCallRate(row.model),
      row.p50Us.toFixed(0),
      row.p99Us.toFixed(0),
      row.latencyMs.toFixed(0),
      `${(files[row.model].int8.bytes / 1000).toFixed(0)} (${(files[row.model].int8.gzip / 1000).toFixed(0)})`,
      (row.linearBytes / 1000).toFixed(0),
      (row.streamBytes / 1000).toFixed(0),
    ])
  const others = peers.flatMap(({ name, realTimeFactorCpu }) =>
    realTimeFactorCpu === undefined ? [] : [peerRow(name, realTimeFactorCpu)],
  )
  const head = [
    '',
    'real-time factor, CPU',
    'the same at 48 kHz in and out',
    'hop p50 us',
    'hop p99 us',
    'latency ms',
    'file kB (gzip)',
    'memory kB',
    'per stream kB',
  ]
  return `Node ${machine.node} ${machine.arch}, one core of ${machine.cpu}:\n\n${markdown(head, [...ours, ...others])}`
}

/** RNNoise runs at 48 kHz and at nothing else. */
function peerRow(name: string, factor: number): string[] {
  const cell = factor.toFixed(4)
  const is48 = name.includes('48 kHz')
  return [name, is48 ? '-' : cell, is48 ? cell : '-', '', '', '', '', '', '']
}

/** One row per part, code under the runtime that it is bundled for; models are in the table of speeds. */
function sizesTable(all: readonly Size[]): string {
  const columns = ['Node', 'browser', 'Worker', undefined] as const
  const parts = all.map(({ part }) => part).filter((part) => !part.endsWith('.ssm'))
  const rows = [...new Set(parts)].map((part) => {
    const own = columns.map((column) => all.find((size) => size.part === part && size.runtime === column))
    return [part, ...own.map((size) => (size ? `${kilobytes(size.bytes)} (${kilobytes(size.gzip)})` : '-'))]
  })
  return markdown(['kB (gzip)', 'in Node', 'in a browser', 'in a Worker', 'as a file'], rows)
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)
}
