// `npm run evaluate`: runs denoisers over seeded mixes of a clean and a noise folder and prints how well they do.
// In: sources (WAV, FLAC), systems by name. Out: tables on stdout, progress on stderr, optionally JSON and WAV files.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { enhanceAll, type System } from './baselines/system.ts'
import { openSystems } from './baselines/systems.ts'
import { median } from './level.ts'
import { DEFAULT_PLAN, defaultSources, type Mix, makeMixes } from './mixes.ts'
import { makeNoiseClips, measureAttenuation, type NoiseClip } from './noiseOnly.ts'
import { addSilentLead, measureOnsetLoss } from './onset.ts'
import { hasPesq } from './pesq.ts'
import { type DepthResult, formatReport, type ScoredClip, type TaskResult } from './report.ts'
import { scoreClips } from './scores.ts'
import { readSources, SAMPLE_RATE } from './sources.ts'
import { measureStress, type StressResult } from './stress.ts'
import { type Clip, TASKS } from './tasks.ts'
import { writeWav16 } from './wav.ts'

const DEFAULT_SYSTEMS = 'noisy,spectral,rnnoise,gtcrn,base,hq,lite'
const NOISE_TASK = 'noise' // noise alone and onsets: levels rather than scores
const STRESS_TASK = 'stress' // silence, quiet, full scale, clipped, late in a stream
const ALL_TASKS = [...Object.keys(TASKS), NOISE_TASK, STRESS_TASK]

const STRESS_CLIPS = 20

const HELP = `npm run evaluate -- [options]

  --sources DIR   folder with clean/ and noise/ (WAV or FLAC); default $QUALITY_SOURCES or ../shared/data/val
  --systems LIST  noisy, spectral, rnnoise, gtcrn, models of ours by name, path or URL, or
                  'run:COMMAND' (called as COMMAND IN_DIR OUT_DIR, no commas); default ${DEFAULT_SYSTEMS}
  --tasks LIST    ${ALL_TASKS.join(', ')}; default all
  --count N       noisy mixes, default ${DEFAULT_PLAN.count}
  --clips N       clips for each other task, default 20
  --seed N        default ${DEFAULT_PLAN.seed}; one seed, one set of mixes
  --json FILE     every score of every clip
  --write DIR     every input, output and reference as WAV: DIR/<task>/{clean,<system>}/<clip>.wav

Environment: PEERS_MODULES (node_modules with onnxruntime-node and @shiguredo/rnnoise-wasm), GTCRN_ONNX (gtcrn_simple.onnx),
PESQ_PATH (folder of a local build of the Python module pesq) and PESQ_PYTHON. What is absent is named and left out.`

interface Options {
  sources: string
  systems: string[]
  tasks: string[]
  count: number
  clips: number
  seed: number
  json?: string | undefined
  write?: string | undefined
}

const splitList = (list: string): string[] => list.split(',').filter((s) => s !== '')

const readCount = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new Error(`OPTION: --${name} ${text}; use a whole number`)
  return value
}

const readOptions = (): Options | undefined => {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      sources: { ...text, default: defaultSources() },
      systems: { ...text, default: DEFAULT_SYSTEMS },
      tasks: { ...text, default: ALL_TASKS.join(',') },
      count: { ...text, default: String(DEFAULT_PLAN.count) },
      clips: { ...text, default: '20' },
      seed: { ...text, default: String(DEFAULT_PLAN.seed) },
      json: text,
      write: text,
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return undefined
  const tasks = splitList(values.tasks)
  const unknown = tasks.find((task) => !ALL_TASKS.includes(task))
  if (unknown) throw new Error(`OPTION: --tasks ${unknown}; use some of ${ALL_TASKS.join(', ')}`)
  return {
    sources: values.sources,
    systems: splitList(values.systems),
    tasks,
    count: readCount('count', values.count),
    clips: readCount('clips', values.clips),
    seed: readCount('seed', values.seed),
    json: values.json,
    write: values.write,
  }
}

const note = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const writeClips = (folder: string, clips: readonly { name: string }[], audio: readonly Float32Array[]): void => {
  mkdirSync(folder, { recursive: true })
  for (const [i, { name }] of clips.entries())
    writeFileSync(join(folder, `${name}.wav`), writeWav16({ samples: audio[i], sampleRate: SAMPLE_RATE }))
}

const runSystem = async (system: System, clips: readonly Clip[], writeTo?: string): Promise<ScoredClip[]> => {
  const started = performance.now()
  const outputs = await enhanceAll(
    system,
    clips.map((c) => c.input),
  )
  const seconds = (performance.now() - started) / 1000
  const audioSeconds = clips.reduce((a, c) => a + c.input.length, 0) / SAMPLE_RATE
  note(`  ${system.name}: ${seconds.toFixed(1)} s for ${audioSeconds.toFixed(0)} s of audio`)
  if (writeTo) writeClips(join(writeTo, system.name.replace(/[^\w.-]+/g, '-')), clips, outputs)
  const scores = scoreClips(clips.map(({ clean }, i) => ({ clean, enhanced: outputs[i] })))
  return clips.map(({ input: _input, clean: _clean, ...labels }, i) => ({ ...labels, scores: scores[i] }))
}

const runTask = async (
  task: string,
  mixes: readonly Mix[],
  systems: readonly System[],
  write?: string,
): Promise<TaskResult> => {
  const { title, clips: makeClips, systems: own } = TASKS[task]
  const clips = makeClips(mixes)
  const writeTo = write && join(write, task)
  note(title)
  if (writeTo)
    writeClips(
      join(writeTo, 'clean'),
      clips,
      clips.map((c) => c.clean),
    )
  const results: TaskResult['systems'] = []
  for (const system of (await own?.()) ?? systems)
    results.push({ system: system.name, clips: await runSystem(system, clips, writeTo) })
  return { task, title, systems: results }
}

const measureDepth = async (
  system: System,
  noises: readonly NoiseClip[],
  speech: readonly Float32Array[],
): Promise<DepthResult> => {
  const quiet = await enhanceAll(
    system,
    noises.map((n) => n.noise),
  )
  const spoken = await enhanceAll(system, speech)
  const attenuations = noises.map(({ noise }, i) => measureAttenuation(noise, quiet[i]))
  return {
    system: system.name,
    attenuationDb: median(attenuations),
    onsetLossDb: median(speech.map((clip, i) => measureOnsetLoss(clip, spoken[i]))),
    perNoise: Object.fromEntries(noises.map(({ name }, i) => [name, attenuations[i]])),
  }
}

const evaluate = async (options: Options): Promise<void> => {
  const sources = readSources(options.sources)
  const { systems, absent } = await openSystems(options.systems)
  for (const reason of absent) note(`left out: ${reason}`)
  if (!hasPesq()) note('no PESQ column: set PESQ_PATH to the folder of a local build of the Python module pesq')
  const mixes = makeMixes(sources, { ...DEFAULT_PLAN, count: options.count, seed: options.seed })
  const few = mixes.slice(0, options.clips)

  const results: TaskResult[] = []
  for (const task of options.tasks.filter((t) => t in TASKS))
    results.push(await runTask(task, TASKS[task].whole ? mixes : few, systems, options.write))

  const depths: DepthResult[] = []
  if (options.tasks.includes(NOISE_TASK)) {
    note('Noise alone')
    const noises = makeNoiseClips(sources, options.seed)
    const speech = few.map(({ clean }) => addSilentLead(clean))
    for (const system of systems) depths.push(await measureDepth(system, noises, speech))
  }
  const stresses: StressResult[] = []
  if (options.tasks.includes(STRESS_TASK)) {
    note('Stress')
    for (const system of systems) stresses.push(await measureStress(system, mixes.slice(0, STRESS_CLIPS)))
  }
  console.log(formatReport(results, depths, stresses))
  if (options.json) writeFileSync(options.json, JSON.stringify({ options, absent, results, depths, stresses }, null, 1))
}

const options = readOptions()
if (options) await evaluate(options)
else console.log(HELP)
