// `attenuate compare NOISY CLEAN -o FIGURE`. In: two WAV files. Out: their levels, and on request a PNG with both spectrograms.

import { basename } from 'node:path'
import { fail } from '../errors.ts'
import { Level } from '../level.ts'
import { readWhole, type WholeAudio } from './audioFile.ts'
import { blaming } from './blame.ts'
import { drawFigure, type Panel, PLOT_WIDTH } from './figure.ts'
import { writeWhole } from './output.ts'
import { keepInputs } from './place.ts'
import { measureSpectrogram } from './spectrogram.ts'

export interface SignalLevels {
  readonly file: string
  readonly seconds: number
  readonly sampleRate: number
  readonly rmsDb: number
  readonly peakDb: number
  /** The quietest tenth of 50 ms stretches lies below: what is heard in pauses. */
  readonly pauseDb: number
}

const STRETCH_SECONDS = 0.05

/** Without `output` nothing is drawn. */
export async function compareFiles(noisy: string, clean: string, output?: string): Promise<SignalLevels[]> {
  await keepInputs([noisy, clean], [output])
  const signals = [await readMono(noisy), await readMono(clean)]
  const levels = signals.map(measureLevels)
  if (output !== undefined)
    await writeWhole([output, drawFigure(signals.map((signal, i) => drawPanel(signal, levels[i])))])
  return levels
}

function drawPanel({ file, samples, sampleRate }: Signal, levels: SignalLevels): Panel {
  return {
    title: basename(file).slice(-48),
    caption: describeLevels(levels),
    spectrogram: measureSpectrogram(samples, sampleRate, PLOT_WIDTH),
    seconds: samples.length / sampleRate,
    sampleRate,
  }
}

interface Signal {
  readonly file: string
  readonly samples: Float32Array
  readonly sampleRate: number
}

/** The mean of all channels. */
async function readMono(file: string): Promise<Signal> {
  return blaming(file, async () => ({ file, ...mixDown(await readWhole(file)) }))
}

function mixDown({ format, samples: interleaved }: WholeAudio): Omit<Signal, 'file'> {
  const { channels, sampleRate } = format
  const samples = new Float32Array(interleaved.length / channels)
  if (samples.length === 0) fail('AUDIO_INVALID', 'samples', 0, 'give a longer file')
  for (let i = 0; i < samples.length; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += interleaved[i * channels + c]
    samples[i] = sum / channels
  }
  return { samples, sampleRate }
}

function measureLevels({ file, samples, sampleRate }: Signal): SignalLevels {
  const whole = new Level()
  whole.take(samples, samples.length)
  const size = Math.min(samples.length, Math.round(STRETCH_SECONDS * sampleRate))
  const stretches = Array.from({ length: Math.floor(samples.length / size) }, (_, i) => {
    const level = new Level()
    level.take(samples.subarray(i * size, (i + 1) * size), size)
    return level.rmsDb
  }).sort((a, b) => a - b)
  return {
    file,
    seconds: samples.length / sampleRate,
    sampleRate,
    rmsDb: whole.rmsDb,
    peakDb: 20 * Math.log10(whole.peak),
    pauseDb: stretches[Math.floor(stretches.length / 10)],
  }
}

function describeLevels({ rmsDb, peakDb, pauseDb }: SignalLevels): string {
  const show = (value: number) => (Number.isFinite(value) ? value.toFixed(1) : 'silent')
  return `RMS ${show(rmsDb)}, peak ${show(peakDb)}, pauses ${show(pauseDb)} dBFS`
}
