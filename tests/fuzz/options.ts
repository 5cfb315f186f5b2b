// Options and arguments as callers without types may give them: right names with any values, wrong names, none at all. In:
// random numbers. Out: JSON in which some words stand for what JSON cannot say; for Denoiser.create, sibling and the setters,
// or one call (calls.ts) with its arguments. What is accepted denoises.

import type { Random } from '../../quantize/specimens.ts'
import { HIGH_BANDS } from '../../sdk/highBand.ts'
import { Denoiser, type DenoiserOptions, loadModel, PHASES, PRESETS } from '../../sdk/index.ts'
import { encodeWavHeader } from '../../sdk/wav.ts'
import { type Call, openCalls } from './calls.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, EDGES, happens } from './mutation.ts'

/** What JSON cannot say. */
const WORDS: Readonly<Record<string, () => unknown>> = {
  '#undefined': () => undefined,
  '#NaN': () => Number.NaN,
  '#Infinity': () => Number.POSITIVE_INFINITY,
  '#-Infinity': () => Number.NEGATIVE_INFINITY,
  '#function': () => () => 0,
  '#signal': () => new AbortController().signal,
  '#bigint': () => 7n,
  '#symbol': () => Symbol('x'),
  '#bytes': () => new Uint8Array(40),
  '#floats': () => new Float32Array(4),
  '#date': () => new Date(0),
  '#bare': () => Object.create(null),
  '#model': () => model,
  '#room': () => new Float32Array(1000),
  '#block': () => new Float32Array(64),
  '#steps': () => new Int16Array(64),
  '#wav': () => encodeWavHeader({ sampleFormat: 's16', sampleRate: 16000, channels: 1 }, 100),
  '#denoiser': () => first,
  '#sensor': () => sensor,
}
const ANYTHING: readonly unknown[] = [null, true, false, '', 'x', 'lite', [], {}, [1], { a: 1 }, -1, 0.5, ...EDGES]

/** Values that are right, now and then; and `sound` alone leaves a denoiser. */
const OPTIONS: Readonly<Record<string, readonly unknown[]>> = {
  model: ['lite', 'nano', '#model'],
  sha256: ['#undefined'],
  sampleRate: [8000, 16000, 44100, 48000],
  outputRate: ['#undefined', 16000, 48000],
  channels: [1, 2, 8],
  linked: [true, false],
  highBand: HIGH_BANDS,
  phase: PHASES,
  inputGainDb: [0, 12, 60],
  preset: Object.keys(PRESETS),
  strengthDb: [0, -18, '#-Infinity'],
  comfortNoiseDb: [-66, '#-Infinity'],
  onVoice: ['#function', '#undefined'],
  governor: [{}, { ladder: [] }, { queueMs: 50, by: 'arrival' }, { holdMs: 100, ladder: ['lite'] }, '#undefined'],
  recordSeconds: [1, 2, '#undefined'],
  wasm: ['#undefined'],
  signal: ['#signal', '#undefined'],
  onProgress: ['#function', '#undefined'],
  now: ['#undefined'],
}
let model: unknown
let first: Denoiser
let sensor: Denoiser
let calls: Readonly<Record<string, Call>>

export const options: Target = {
  name: 'options',
  codes: [
    'OPTION_INVALID',
    'FORMAT_UNSUPPORTED',
    'STATE_INVALID',
    'PACKET_INVALID',
    'AUDIO_INVALID',
    'CHANNELS_UNSUPPORTED',
    'RATE_UNSUPPORTED',
    'LOAD_FAILED',
    'MODEL_INVALID',
    'MODEL_TRUNCATED',
    'ENVIRONMENT_UNSUPPORTED',
  ],
  async prepare() {
    model = await loadModel('lite')
    first = await Denoiser.create({ model: 'lite' })
    sensor = await Denoiser.create({ model: 'nano' })
    calls = await openCalls()
  },
  draw(random) {
    if (happens(random, 0.02)) return encode(choose(random, ANYTHING))
    if (happens(random, 0.5)) return encode(drawCall(random))
    const given: Record<string, unknown> = { model: choose(random, OPTIONS.model) }
    for (const [name, sound] of Object.entries(OPTIONS))
      if (happens(random, 0.3)) given[name] = happens(random, 0.85) ? choose(random, sound) : drawAnything(random)
    if (happens(random, 0.1))
      given.governor = { [choose(random, ['ladder', 'queueMs', 'holdMs', 'by', 'onRung'])]: drawAnything(random) }
    if (happens(random, 0.05)) given.stranger = drawAnything(random)
    return encode(given)
  },
  async parse(bytes) {
    const read = revive(JSON.parse(new TextDecoder().decode(bytes)))
    if (isCall(read)) {
      await calls[read.call].call(...read.given)
      return
    }
    const given = read as DenoiserOptions
    using denoiser = await Denoiser.create(given)
    hear(denoiser)
    using sibling = first.sibling(given)
    hear(sibling)
    denoiser.comfortNoiseDb = given.comfortNoiseDb ?? -70
    denoiser.conceal((given.channels ?? 1) as number)
    denoiser.advance((given.recordSeconds ?? 1) as number)
  },
}

function hear(denoiser: Denoiser): void {
  const chunk = Float32Array.from({ length: 600 * denoiser.channels }, (_, i) => 0.1 * Math.sin(i * i))
  const out = [denoiser.process(chunk), denoiser.flush()]
  const made = out.reduce((sum, samples) => sum + samples.length, 0)
  promise(made === denoiser.channels * Math.ceil((600 * denoiser.outputRate) / denoiser.sampleRate), 'all comes out')
  promise(
    out.every((samples) => samples.every(Number.isFinite)),
    'numbers come out',
  )
}

/** Some of its arguments wrong, or left out from one on. */
function drawCall(random: Random): object {
  const call = choose(random, Object.keys(calls))
  const { sound } = calls[call]
  const given = sound.map((value) => (happens(random, 0.7) ? value : drawAnything(random)))
  return { call, given: happens(random, 0.2) ? given.slice(0, below(random, sound.length)) : given }
}

function isCall(read: unknown): read is { call: string; given: never[] } {
  return typeof read === 'object' && read !== null && 'call' in read
}

function drawAnything(random: Random): unknown {
  return happens(random, 0.5) ? choose(random, Object.keys(WORDS)) : choose(random, ANYTHING)
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function revive(value: unknown): unknown {
  if (typeof value === 'string') return Object.hasOwn(WORDS, value) ? WORDS[value]() : value
  if (Array.isArray(value)) return value.map(revive)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revive(each)]))
}
