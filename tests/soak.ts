// Days of audio in minutes: `npm run soak -- [--hops 10000000] [--models base,lite]`. Each model hears noise, silence, full scale,
// tiny and alternating signals in turn, in one stream without a reset. Out: a line per signal. It fails where an output is no number
// or leaves its range, where memory grows, or where a clip heard afterwards differs from the same clip before.

import { Command } from 'commander'
import { measureSnrDb } from '../quantize/snr.ts'
import { wholeNumber } from '../scripts/wholeNumber.ts'
import { bundledClip, readCalibration } from '../sdk/cli/calibration.ts'
import { Denoiser } from '../sdk/index.ts'

const SIGNALS: Readonly<Record<string, (i: number, random: () => number) => number>> = {
  noise: (_, random) => 0.1 * random(),
  silence: () => 0,
  'full scale': (_, random) => Math.sign(random()),
  tiny: (_, random) => 1e-30 * random(),
  alternating: (i) => (i % 2 ? 1 : -1),
}
/** Nothing a denoiser makes of samples in -1..1 may be louder. */
const LOUDEST = 8
/** Longer than the slowest state remembers: what went before may then not be heard. */
const FORGETTING_SECONDS = 120
const LEAST_SNR_DB = 60

export interface Soaked {
  readonly hops: number
  readonly findings: readonly string[]
  readonly lines: readonly string[]
}

/** `hops` in all, the signals in equal parts. */
export async function soak(model: string, hops: number, onLine: (line: string) => void = () => {}): Promise<Soaked> {
  using denoiser = await Denoiser.create({ model })
  const { inputHop, inputRate } = denoiser.model
  const findings: string[] = []
  const lines: string[] = []
  const clip = await readCalibration(bundledClip(), inputRate)
  const expected = listen(denoiser, clip)
  const memory = denoiser.stats().memoryBytes
  const each = Math.ceil(hops / Object.keys(SIGNALS).length)
  for (const [name, signal] of Object.entries(SIGNALS)) {
    const loudest = hear(denoiser, signal, each, inputHop)
    const after = listen(denoiser, clip)
    const snrDb = measureSnrDb(after, expected)
    const grown = denoiser.stats().memoryBytes - memory
    const line = `${model}, ${name}: ${each} hops, loudest ${loudest.toPrecision(3)}, clip afterwards ${snrDb.toFixed(1)} dB, memory +${grown} B`
    lines.push(line)
    onLine(line)
    if (!(loudest <= LOUDEST)) findings.push(`${line}: expected at most ${LOUDEST}`)
    if (!(snrDb >= LEAST_SNR_DB)) findings.push(`${line}: expected at least ${LEAST_SNR_DB} dB`)
    if (grown !== 0) findings.push(`${line}: expected no growth`)
  }
  return { hops: each * Object.keys(SIGNALS).length, findings, lines }
}

/** The loudest sample of so many hops; NaN where one was no number. */
function hear(
  denoiser: Denoiser,
  signal: (i: number, random: () => number) => number,
  hops: number,
  inputHop: number,
): number {
  let seed = 1
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0
    return seed / 2 ** 31
  }
  const chunk = new Float32Array(inputHop)
  const out = new Float32Array(denoiser.model.outputHop)
  let loudest = 0
  for (let hop = 0; hop < hops; hop++) {
    for (let i = 0; i < inputHop; i++) chunk[i] = signal(i, random)
    const made = denoiser.processInto(chunk, out)
    for (let i = 0; i < made; i++) {
      const size = Math.abs(out[i])
      if (!(size <= loudest)) loudest = size
      if (Number.isNaN(size)) return Number.NaN
    }
  }
  return loudest
}

/** The clip until what was before is forgotten, then once more: what comes out for it. */
function listen(denoiser: Denoiser, clip: Float32Array): Float32Array {
  const { inputRate, inputHop } = denoiser.model
  const whole = clip.subarray(0, clip.length - (clip.length % inputHop))
  for (let heard = 0; heard < FORGETTING_SECONDS * inputRate; heard += whole.length) denoiser.process(whole)
  return denoiser.process(whole)
}

async function main(): Promise<void> {
  const program = new Command('npm run soak --')
    .option('--hops <n>', 'for each model; base takes about a minute per million', wholeNumber, 10_000_000)
    .option('--models <list>', 'names or files, by commas', 'base,lite')
    .parse()
  const { hops, models } = program.opts<{ hops: number; models: string }>()
  if (hops < 1) program.error('--hops 0: use 1 or more')
  for (const model of models.split(',')) {
    const { findings } = await soak(model, hops, console.log)
    for (const finding of findings) console.error(`FOUND  ${finding}`)
    if (findings.length > 0) process.exitCode = 1
  }
}

if (process.argv[1]?.endsWith('soak.ts')) await main()
