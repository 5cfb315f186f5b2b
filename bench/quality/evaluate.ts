// `npm run evaluate`: runs denoisers over seeded mixes of a clean and a noise folder and prints how well they do.
// In: sources (WAV, FLAC), systems by name. Out: tables on stdout, progress on stderr, optionally JSON and WAV files.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from '../../scripts/wholeNumber.ts'
import { enhanceAll, type System } from './baselines/system.ts'
import { openSystems } from './baselines/systems.ts'
import { median } from './level.ts'
import { DEFAULT_PLAN, type Mix, makeMixes } from './mixes.ts'
import { makeNoiseClips, measureAttenuation, type NoiseClip } from './noiseOnly.ts'
import { addSilentLead, measureOnsetLoss } from './onset.ts'
import { hasPesq } from './pesq.ts'
import { type MixOptions, runProgram, withMixOptions } from './program.ts'
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

interface Options extends MixOptions {
  systems: string[]
  tasks: string[]
  clips: number
  json?: string
  write?: string
}

const splitList = (list: string): string[] => list.split(',').filter((s) => s !== '')

const readTasks = (list: string): string[] => {
  const tasks = splitList(list)
  const unknown = tasks.find((task) => !ALL_TASKS.includes(task))
  if (unknown) throw new InvalidArgumentError(`${unknown}; use some of ${ALL_TASKS.join(', ')}`)
  return tasks
}

const program = withMixOptions(new Command('npm run evaluate --'))
  .option(
    '--systems <list>',
    "noisy, spectral, rnnoise, gtcrn, models of ours by name, path or URL, or 'run:COMMAND' (called as COMMAND IN_DIR OUT_DIR, no commas)",
    splitList,
    splitList(DEFAULT_SYSTEMS),
  )
  .option('--tasks <list>', 'what is measured', readTasks, ALL_TASKS)
  .option('--clips <n>', 'for each other task than denoise and sensor', wholeNumber, 20)
  .option('--json <file>', 'every score of every clip')
  .option('--write <dir>', 'every input, output and reference as WAV: DIR/<task>/{clean,<system>}/<clip>.wav')
  .addHelpText(
    'after',
    `
Environment: PEERS_MODULES (node_modules with onnxruntime-node and @shiguredo/rnnoise-wasm), GTCRN_ONNX (gtcrn_simple.onnx),
PESQ_PATH (folder of a local build of the Python module pesq) and PESQ_PYTHON. What is absent is named and left out.`,
  )

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
  if (options.json) mkdirSync(dirname(options.json), { recursive: true })
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

await runProgram(program, () => evaluate(program.parse().opts<Options>()))
