// Inputs that break denoisers: digital silence, very quiet, full scale, clipped, speech after a long silence or late in a stream.
// mixes -> per condition the mean SI-SDR in dB of the output (or, for silence, its peak in dBFS), and whether it stayed finite.
import { enhanceAll, type System } from './baselines/system.ts'
import { dbToGain, peak, powerToDb } from './level.ts'
import { measureSiSdr } from './metrics/sisdr.ts'
import { cutClip, type Mix } from './mixes.ts'
import { meanOf } from './scores.ts'
import { SAMPLE_RATE } from './sources.ts'

export interface StressResult {
  system: string
  finite: boolean // no NaN or infinity in any output
  silencePeakDb: number // dBFS of the output while the input is digital silence; -120 is silence
  siSdrDb: Record<string, number> // per condition, clean speech of the mix as reference
}

const SILENCE_S = 10
const STREAM_S = 30
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
const LATE = `after ${STREAM_S} s of the same`

const LEAD = SILENCE_S * SAMPLE_RATE

const addLead = (x: Float32Array): Float32Array => {
  const y = new Float32Array(LEAD + x.length)
  y.set(x, LEAD)
  return y
}

/** The clip once more, after at least STREAM_S of itself. */
const repeat = (samples: Float32Array): Float32Array => {
  const times = Math.ceil((STREAM_S * SAMPLE_RATE) / samples.length) + 1
  return cutClip({ samples }, times * samples.length, 0)
}

const allFinite = (x: Float32Array): boolean => x.every(Number.isFinite)

export const measureStress = async (system: System, mixes: readonly Mix[]): Promise<StressResult> => {
  let finite = true
  const enhance = async (inputs: readonly Float32Array[]): Promise<Float32Array[]> => {
    const outputs = await enhanceAll(system, inputs)
    finite &&= outputs.every(allFinite)
    return outputs
  }
  const meanSiSdr = (outputs: readonly Float32Array[]): number =>
    meanOf(mixes.map(({ clean }, i) => measureSiSdr(clean, outputs[i])))

  const siSdrDb: Record<string, number> = {}
  for (const [condition, change] of Object.entries(CONDITIONS))
    siSdrDb[condition] = meanSiSdr(await enhance(mixes.map(({ noisy }) => change(noisy))))
  const woken = await enhance(mixes.map(({ noisy }) => addLead(noisy)))
  siSdrDb[AFTER_SILENCE] = meanSiSdr(woken.map((y) => y.subarray(LEAD)))
  const late = await enhance(mixes.map(({ noisy }) => repeat(noisy)))
  siSdrDb[LATE] = meanSiSdr(late.map((y, i) => y.subarray(-mixes[i].clean.length)))
  // The last 100 ms of the silence may hold the ringing that a look-ahead allows.
  const silencePeak = Math.max(0, ...woken.map((y) => peak(y.subarray(0, LEAD - SAMPLE_RATE / 10))))
  return { system: system.name, finite, silencePeakDb: powerToDb(silencePeak ** 2), siSdrDb }
}
