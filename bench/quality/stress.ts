// Inputs that break denoisers: digital silence, very quiet, full scale, clipped, speech after a long silence.
// mixes -> per condition the mean SI-SDR in dB of the output (or, for silence, its peak in dBFS), and whether it stayed finite.
import type { System } from './baselines/system.ts'
import { dbToGain, peak, powerToDb } from './level.ts'
import { measureSiSdr } from './metrics/sisdr.ts'
import type { Mix } from './mixes.ts'
import { meanOf } from './scores.ts'
import { SAMPLE_RATE } from './sources.ts'

export interface StressResult {
  system: string
  finite: boolean // no NaN or infinity in any output
  silencePeakDb: number // dBFS of the output while the input is digital silence; -120 is silence
  siSdrDb: Record<string, number> // per condition, clean speech of the mix as reference
}

const SILENCE_S = 10
const CLIP_DRIVE_DB = 12 // above full scale

const scale = (x: Float32Array, gain: number): Float32Array => x.map((v) => v * gain)
const toFullScale = (x: Float32Array): Float32Array => scale(x, 0.999 / peak(x))

/** Levels relative to the mix as it is (speech at -26 dBFS active). */
export const CONDITIONS: Record<string, (noisy: Float32Array) => Float32Array> = {
  'as is': (x) => x,
  '-40 dB': (x) => scale(x, dbToGain(-40)),
  'full scale': toFullScale,
  clipped: (x) => scale(toFullScale(x), dbToGain(CLIP_DRIVE_DB)).map((v) => Math.max(-1, Math.min(1, v))),
}
const AFTER_SILENCE = `after ${SILENCE_S} s silence`

const allFinite = (x: Float32Array): boolean => x.every(Number.isFinite)

export const measureStress = async (system: System, mixes: readonly Mix[]): Promise<StressResult> => {
  let finite = true
  const enhance = async (x: Float32Array): Promise<Float32Array> => {
    const y = await system.enhance(x)
    finite &&= allFinite(y)
    return y
  }
  const siSdrDb: Record<string, number> = {}
  for (const [condition, change] of Object.entries(CONDITIONS)) {
    const values: number[] = []
    for (const { noisy, clean } of mixes) values.push(measureSiSdr(clean, await enhance(change(noisy))))
    siSdrDb[condition] = meanOf(values)
  }
  const lead = SILENCE_S * SAMPLE_RATE
  const late: number[] = []
  let loudest = 0
  for (const { noisy, clean } of mixes) {
    const input = new Float32Array(lead + noisy.length)
    input.set(noisy, lead)
    const output = await enhance(input)
    late.push(measureSiSdr(clean, output.subarray(lead)))
    // The last 100 ms of the silence may hold the ringing that a look-ahead allows.
    loudest = Math.max(loudest, peak(output.subarray(0, lead - SAMPLE_RATE / 10)))
  }
  siSdrDb[AFTER_SILENCE] = meanOf(late)
  return { system: system.name, finite, silencePeakDb: powerToDb(loudest ** 2), siSdrDb }
}
