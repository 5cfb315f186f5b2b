#!/usr/bin/env node
// The command line: `attenuate denoise | bench | compile | inspect | compare | replay | devices`. Results go to files or, where asked, to
// standard output; reports, progress and errors to standard error. An error is one line and exit code 1.

import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { WEIGHT_FORMATS } from '../../quantize/quantise.ts'
import { AttenuateError, fail } from '../errors.ts'
import { HIGH_BANDS } from '../highBand.ts'
import { DEFAULT_MODEL, MODELS } from '../models.ts'
import { PRESETS } from '../preset.ts'
import { benchModels, formatBench } from './bench.ts'
import { blaming } from './blame.ts'
import { compareFiles } from './compare.ts'
import { compileFile } from './compile.ts'
import { type DenoiseOptions, denoiseFile, formatCut, formatDenoiseReport } from './denoise.ts'
import { describeDevices } from './devices.ts'
import { denoiseFolder, type FolderReport, formatFolderReport } from './folder.ts'
import { inspectFile } from './inspect.ts'
import { checkPlaces, isFolder, placeOutput } from './place.ts'
import { type Progress, showProgress } from './progress.ts'
import { parseRaw, RAW_FORMATS } from './raw.ts'
import { formatReplayReport, replayFile } from './replay.ts'

const program = new Command('attenuate')
  .description('Removes noise from speech as it streams by: deep state-space networks in WebAssembly.')
  .version(JSON.parse(await readFile(packageFile(), 'utf8')).version)
  .configureOutput({ writeOut: write })
  .showHelpAfterError('(attenuate --help explains)')
  .addHelpText(
    'after',
    `
Begin with:
  $ attenuate denoise noisy.wav clean.wav        the noise goes, length and format stay
  $ attenuate compare noisy.wav clean.wav -o both.png
  $ attenuate bench                              is this machine fast enough?

Every command explains itself: attenuate denoise --help. Results go to the files named, or to standard output where
they are asked for; reports, progress and errors to standard error. Exit code 0: done; 1: not, and one line says why.`,
  )

program
  .command('denoise')
  .description('remove noise from WAV files, folders of them, or pipes: same length, rate and encoding')
  .argument('<in>', 'WAV file, folder, or - for standard input')
  .argument('<out>', 'WAV file, folder (made where it is missing; for one file, end it in /), or - for standard output')
  .option('-m, --model <model>', `${Object.keys(MODELS).join(', ')}, or a model file or URL`, DEFAULT_MODEL)
  .addOption(
    new Option('-p, --preset <purpose>', 'what strength and comfort noise are unless given').choices(
      Object.keys(PRESETS),
    ),
  )
  .option('-s, --strength <dB>', 'attenuate by at most so much: 0 nothing, -18 gentle (default: all)', parseDb)
  .option('--comfort-noise <dBFS>', 'fill pauses with soft noise of this level, such as -66 (default: none)', parseDb)
  .option('--input-gain <dB>', 'quiet input: heard louder by so much, the output keeps its level', parseNumber)
  .option('--linked', 'denoise all channels alike, so that the stereo image stays')
  .addOption(
    new Option('--high-band <what>', 'above 8 kHz: attenuate like the band below, leave out, leave alone').choices(
      HIGH_BANDS,
    ),
  )
  .option(
    '--raw <format>',
    'samples without a header, in and out: FORMAT,RATE[,CHANNELS], such as s16le,16000',
    parseRaw,
  )
  .option('--json', 'the report as JSON on standard output')
  .addHelpText(
    'after',
    `
Formats of --raw: ${Object.keys(RAW_FORMATS).join(', ')}.

Examples:
  $ attenuate denoise noisy.wav clean.wav
  $ attenuate denoise recordings/ clean/                  every WAV file below, with a progress bar
  $ attenuate denoise talk.wav clean/                     clean/talk.wav
  $ attenuate denoise talk.wav clean.wav -m hq -p natural
  $ sox talk.mp3 -t wav - | attenuate denoise - - | aplay
  $ arecord -f S16_LE -r 16000 -t raw | attenuate denoise --raw s16le,16000 - - | aplay -f S16_LE -r 16000 -t raw`,
  )
  .action(async (input: string, output: string, { json, strength, comfortNoise, inputGain, ...choice }) => {
    checkPlaces(json && '--json', { 'the audio': output })
    const options: DenoiseOptions = {
      ...choice,
      ...(strength !== undefined && { strengthDb: strength }),
      ...(comfortNoise !== undefined && { comfortNoiseDb: comfortNoise }),
      ...(inputGain !== undefined && { inputGainDb: inputGain }),
    }
    if (await isFolder(input)) await denoiseEach(input, output, options, json)
    else await denoiseAlone(input, output, options, json)
  })

async function denoiseAlone(input: string, output: string, options: DenoiseOptions, json: boolean): Promise<void> {
  let progress: Progress | undefined
  const onProgress = (frames: number, total: number | undefined) => {
    progress ??= showProgress('denoising', total)
    progress.update(frames)
  }
  const { path, makesFolder } = await placeOutput(input, output)
  const report = await blaming(input, () => denoiseFile(input, path, { ...options, makesFolder, onProgress })).finally(
    () => progress?.stop(),
  )
  if (json) print(JSON.stringify(report, null, 2))
  else note(formatDenoiseReport(report))
  const cut = formatCut(report)
  if (cut !== undefined) note(cut)
}

async function denoiseEach(input: string, output: string, options: DenoiseOptions, json: boolean): Promise<void> {
  const reports: FolderReport[] = []
  try {
    await denoiseFolder(input, output, options, (report, say) => {
      reports.push(report)
      if (!json || 'error' in report) say(formatFolderReport(report))
      const cut = 'error' in report ? undefined : formatCut(report)
      if (cut !== undefined) say(cut)
    })
  } finally {
    if (json) print(JSON.stringify(reports, null, 2))
  }
}

program
  .command('bench')
  .description('measure this machine: how fast each model runs here, how long hops take')
  .argument('[models...]', `${Object.keys(MODELS).join(', ')}, or model files or URLs (default: those that ship)`)
  .option('-r, --rate <Hz>', "sample rate in and out, such as 48000 (default: each model's own)", parseNumber)
  .option('--rounds <count>', 'passes over a clip of 8 seconds; the fastest counts', parseNumber, 6)
  .option('--json', 'as JSON')
  .addHelpText(
    'after',
    `
The real-time factor is the time spent per time of audio: 0.01 is a hundredth of a core. Percentiles are of single hops;
a live stream needs the worst of them to stay below the hop. Close other programs for a figure that can be repeated.

Examples:
  $ attenuate bench
  $ attenuate bench base lite --rate 48000`,
  )
  .action(async (models: string[], { rate, rounds, json }) => {
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
      fail('OPTION_INVALID', '--rounds', rounds, 'use 1..1000')
    const report = await benchModels(models.length > 0 ? models : Object.keys(MODELS), { rate, rounds })
    print(json ? JSON.stringify(report, null, 2) : formatBench(report))
  })

program
  .command('compile')
  .description('compile a checkpoint (safetensors, or public aTENNuate .pt) into a model file')
  .argument('<checkpoint>', 'file')
  .requiredOption('-o, --output <model>', 'model file to write, or - for standard output')
  .option(
    '--causal <parts>',
    'public weights only: parts trained without look-ahead: none, neck, encoder,neck, neck,decoder, all',
  )
  .option(
    '--target-snr <dB>',
    'cheapest orders that keep this SNR against the unreduced network, such as 40',
    parseNumber,
  )
  .option('--macs <count>', 'best orders for so many multiply-accumulates per second in all, such as 90M', parseCount)
  .option(
    '--tolerance <share>',
    'drop Hankel singular values below this share of the largest, such as 0.01',
    parseNumber,
  )
  .addOption(new Option('--format <format>', 'how weights are stored').choices(WEIGHT_FORMATS).default('f32'))
  .option('--mixed-snr <dB>', '--format mixed or --report: SNR that rounding aims to leave (default: 30)', parseNumber)
  .option('--calibration <wav>', 'noisy speech to measure with, its first 30 s (default: the clip of this package)')
  .option('--report', 'number formats side by side: SNR to the trained network at four levels, scores, bytes, MACs')
  .option('--clean <wav>', '--report: the clean original of the calibration audio, for SI-SDR and STOI')
  .option('--write-checkpoint <file>', 'the reduced network as safetensors, to be trained further')
  .option('--json', 'the inspection of the result as JSON on standard output')
  .addHelpText('after', '\nExample:\n  $ attenuate compile base.safetensors -o base.ssm --target-snr 40')
  .action(async (input: string, command) => {
    checkPlaces(command.json && '--json', {
      '--output': command.output,
      '--write-checkpoint': command.writeCheckpoint,
    })
    const text = await blaming(input, () => compileFile(input, command))
    if (command.json) print(text)
    else note(text)
  })

program
  .command('inspect')
  .description('show what a model file holds: ops, cost, memory, latency')
  .argument('[model]', `${Object.keys(MODELS).join(', ')}, or a model file or URL`, DEFAULT_MODEL)
  .option('--json', 'as JSON, with poles, Hankel singular values and frequency responses')
  .option('--svg <file>', 'draw a page about it')
  .option('--html <file>', 'the same page as HTML')
  .action(async (model: string, command) => {
    checkPlaces('the inspection', { '--svg': command.svg, '--html': command.html })
    print(await blaming(model, () => inspectFile(model, command)))
  })

program
  .command('compare')
  .description('draw the spectrograms of two WAV files, one above the other; or tell their levels alone')
  .argument('<noisy>', 'WAV file')
  .argument('<clean>', 'WAV file')
  .option('-o, --output <png>', 'figure to write, or - for standard output; needed without --json')
  .option('--json', 'levels as JSON on standard output')
  .action(async (noisy: string, clean: string, { output, json }) => {
    if (output === undefined && !json)
      fail('OPTION_INVALID', '--output', 'missing', 'name the figure to write, or ask for levels with --json')
    checkPlaces(json && '--json', { '--output': output })
    const report = await compareFiles(noisy, clean, output)
    if (json) print(JSON.stringify(report, null, 2))
  })

program
  .command('replay')
  .description("play a flight recorder's recording again; exit code 1 if the output is not the same to the bit")
  .argument('<recording>', 'file with the bytes of denoiser.recording()')
  .option('-o, --output <wav>', 'write what came out')
  .option('-i, --input <wav>', 'write what went in')
  .option('-m, --model <model>', 'a model file or URL (default: the shipped one that made it)')
  .option('--json', 'the report as JSON on standard output')
  .action(async (recording: string, command) => {
    checkPlaces(command.json && '--json', { '--output': command.output, '--input': command.input })
    const report = await blaming(recording, () => replayFile(recording, command))
    if (command.json) print(JSON.stringify(report, null, 2))
    else note(formatReplayReport(report))
    if (!report.isIdentical) process.exitCode = 1
  })

program
  .command('devices')
  .description('what each class of devices can carry, and what this one does')
  .option('--probe', 'measure this device for 300 ms (kept for a week) and recommend a profile, with reasons')
  .option('--fresh', '--probe: measure again')
  .option('--max-load <share>', '--probe: of one core, such as 0.5', parseNumber)
  .option('--max-latency <ms>', '--probe: such as 40', parseNumber)
  .option('--fits', 'which models fit into 256 KiB to 16 MiB: weights, state, scratch and code')
  .option('--json', 'as JSON, every number with its basis')
  .action(async ({ maxLatency, ...command }) =>
    print(await describeDevices({ ...command, ...(maxLatency !== undefined && { maxLatencyMs: maxLatency }) })),
  )

for (const command of program.commands) command.exitOverride()
program.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = explain(error)
  process.stdin.destroy() // an unread pipe would keep the process waiting
}

/** One line on standard error; the exit code. */
function explain(error: unknown): number {
  const { code, exitCode, message } = error as { code?: string; exitCode?: number; message: string }
  if (code?.startsWith('commander.')) return exitCode ?? 1 // it has spoken already
  if (code === 'EPIPE') return 0
  note(`attenuate: ${message}`)
  if (!(error instanceof AttenuateError) && process.env.ATTENUATE_DEBUG) console.error(error)
  return 1
}

function parseDb(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || Number.isNaN(value) || value > 0) throw new InvalidArgumentError('Use 0 or less, in dB.')
  return value
}

function parseNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Use a number.')
  return value
}

function parseCount(text: string): number {
  const found = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text.trim())
  if (!found) throw new InvalidArgumentError('Use a number such as 90M (k, M and G for thousands).')
  return Number(found[1]) * { k: 1e3, M: 1e6, G: 1e9, '': 1 }[found[2] as 'k' | 'M' | 'G' | '']
}

function packageFile(): URL {
  // from sdk/cli/ in the source as from dist/sdk/cli/
  const isBuilt = import.meta.url.includes('/dist/sdk/cli/')
  return new URL(isBuilt ? '../../../package.json' : '../../package.json', import.meta.url)
}

function print(text: string): void {
  write(`${text}\n`)
}

function write(text: string): void {
  // who reads less than everything has what they wanted
  process.stdout.once('error', (error) => process.exit(explain(error)))
  process.stdout.write(text)
}

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}
