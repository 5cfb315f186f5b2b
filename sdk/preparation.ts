// Everything that is asynchronous about a denoiser: its core, its model and the lighter ones below it. In: options. Out: the
// parts a denoiser is made of, checked against one another.

import type { Model } from '../quantize/modelfile.ts'
import { unlessAborted } from './abort.ts'
import { checkComfort } from './comfort.ts'
import type { Core, Program } from './core.ts'
import { shareCore } from './cores.ts'
import type { Parts } from './denoiser.ts'
import { fail } from './errors.ts'
import { checkHighBand, type HighBandMode } from './highBand.ts'
import type { Host } from './host.ts'
import { checkLinking } from './image.ts'
import { checkKinds } from './kinds.ts'
import { checkRung } from './ladder.ts'
import type { Rates } from './latency.ts'
import type { MixtureOptions } from './mixture.ts'
import { type ModelSource, type ParsedModel, parseModel } from './model.ts'
import type { DenoiserOptions, LadderOptions } from './options.ts'
import { mixtureOf } from './preset.ts'
import { applyProfile } from './probe.ts'
import { type FilterPhase, PHASES } from './resampling.ts'
import { shareOf } from './strength.ts'
import { Supervision } from './supervision.ts'

export const MAX_CHANNELS = 8
export const MIN_RATE = 4000
export const MAX_RATE = 192000
const MAX_GAIN_DB = 60
/** Twice the amplitude. */
const DOUBLING_DB = 20 * Math.log10(2)
const MIN_RECORD_SECONDS = 1
const MAX_RECORD_SECONDS = 600
/** What stands in for a model that is too dear, unless said otherwise. */
const LIGHTEST = 'lite'

/** Rejects with an AttenuateError, or with the signal's reason. */
export async function prepareParts(host: Host, given: DenoiserOptions): Promise<Parts> {
  checkKinds(given)
  given.signal?.throwIfAborted()
  const options = await unlessAborted(applyProfile(host, given), given.signal)
  const {
    channels = 1,
    phase = 'linear',
    inputGainDb = 0,
    sha256,
    signal,
    onProgress,
    governor,
    recordSeconds,
  } = options
  const mixture = mixtureOf(options)
  checkChannels(channels)
  checkPhase(phase)
  checkInputGain(inputGainDb)
  checkMixture(mixture)
  checkRecording(recordSeconds, governor)
  signal?.throwIfAborted()
  const loading = Promise.all([
    shareCore(host, options.wasm),
    parseModel(host, options.model, { sha256, signal, onProgress }),
    Promise.all(laddersOf(governor).map((source) => parseModel(host, source, { signal }))),
  ])
  const [core, parsed, lighter] = await unlessAborted(loading, signal)
  const { model } = parsed
  const rates = chooseRates(options, model)
  checkMixture(mixture, model)
  const linked = chooseLinking(options.linked, channels, model)
  const highBand = chooseHighBand(options, rates, model)
  const now = options.now ?? host.now
  const rungs = governor === undefined ? [] : chooseRungs(model, lighter, governor)
  if (governor !== undefined)
    new Supervision([model, ...rungs.map((rung) => rung.model)], rates.sampleRate, governor, now) // checks
  const [program, ...others] = acquireAll(core, [parsed, ...rungs])
  return {
    ...rates,
    core,
    program,
    lighter: others,
    governor,
    profile: options.chosen,
    channels,
    linked,
    highBand,
    phase,
    gainSteps: Math.round(inputGainDb / DOUBLING_DB),
    ...mixture,
    recordSeconds,
    onVoice: options.onVoice,
    now,
  }
}

function laddersOf(governor: LadderOptions | undefined): readonly ModelSource[] {
  return governor === undefined ? [] : (governor.ladder ?? [LIGHTEST])
}

/** The ladder asked for; or the default one where it fits. */
function chooseRungs(model: Model, lighter: readonly ParsedModel[], { ladder }: LadderOptions): readonly ParsedModel[] {
  if (model.inputRate !== model.outputRate)
    fail('OPTION_INVALID', 'governor with unequal rates', model.inputRate, 'use a model with one rate')
  if (ladder !== undefined) {
    for (const rung of lighter) checkRung(model, rung.model)
    return lighter
  }
  return lighter.filter((rung) => {
    try {
      checkRung(model, rung.model)
    } catch {
      return false
    }
    return rung.model.sha256 !== model.sha256 && rung.model.macsPerHop < model.macsPerHop
  })
}

/** All of them or none. */
function acquireAll(core: Core, models: readonly ParsedModel[]): Program[] {
  const programs: Program[] = []
  try {
    for (const model of models) programs.push(core.acquireProgram(model))
  } catch (error) {
    for (const program of programs) core.releaseProgram(program)
    throw error
  }
  return programs
}

export function checkChannels(channels: number): void {
  if (!Number.isInteger(channels) || channels < 1 || channels > MAX_CHANNELS)
    fail('CHANNELS_UNSUPPORTED', 'channels', channels, `use 1..${MAX_CHANNELS}`)
}

/** What was asked for; else the model's own rates, where that fits, and out what comes in. */
function chooseRates({ sampleRate, outputRate }: DenoiserOptions, model: Model): Rates {
  const given = sampleRate ?? model.inputRate
  const isWidening = model.inputRate !== model.outputRate
  const rates = { sampleRate: given, outputRate: outputRate ?? (isWidening ? model.outputRate : given) }
  checkRate('sample rate', rates.sampleRate)
  checkRate('output rate', rates.outputRate)
  return rates
}

/** One channel is linked to none. */
export function chooseLinking(linked = false, channels: number, model: Model): boolean {
  if (linked) checkLinking(model.outputHop, model.inputRate, model.outputRate)
  return linked && channels > 1
}

/** What was asked for, where it can be; else `follow` where there is such a band. */
function chooseHighBand({ highBand, phase }: DenoiserOptions, rates: Rates, model: Model): HighBandMode {
  if (highBand !== undefined) checkHighBand(highBand)
  if (highBand === 'drop') return 'drop'
  const { sampleRate, outputRate } = rates
  const refuse = (what: string, value: unknown, remedy: string): HighBandMode =>
    highBand === undefined ? 'drop' : fail('OPTION_INVALID', `highBand ${highBand} with ${what}`, value, remedy)
  // at any rate: who denoises many files learns it before the first
  if (model.inputRate !== model.outputRate)
    return refuse('a model that makes a band of its own', `${model.inputRate} Hz`, "use 'drop'")
  if (sampleRate <= model.inputRate) return 'drop'
  if (sampleRate !== outputRate)
    return refuse('another output rate', `${outputRate} Hz`, `use 'drop' or outputRate ${sampleRate}`)
  if (phase === 'minimum') return refuse('phase minimum', phase, "use 'drop' or phase 'linear'")
  return highBand ?? 'follow'
}

function checkInputGain(db: number): void {
  if (!(db >= 0 && db <= MAX_GAIN_DB)) fail('OPTION_INVALID', 'inputGainDb', db, `use 0..${MAX_GAIN_DB}`)
}

function checkPhase(phase: FilterPhase): void {
  if (!PHASES.includes(phase)) fail('OPTION_INVALID', 'phase', phase, `use one of ${PHASES.join(', ')}`)
}

function checkRate(what: string, rate: number): void {
  if (!Number.isInteger(rate) || rate < MIN_RATE || rate > MAX_RATE)
    fail('RATE_UNSUPPORTED', what, `${rate} Hz`, `use a whole number of ${MIN_RATE}..${MAX_RATE} Hz`)
}

function checkRecording(seconds: number | undefined, governor: unknown): void {
  if (seconds === undefined) return
  if (!(seconds >= MIN_RECORD_SECONDS && seconds <= MAX_RECORD_SECONDS))
    fail('OPTION_INVALID', 'recordSeconds', seconds, `use ${MIN_RECORD_SECONDS}..${MAX_RECORD_SECONDS}`)
  if (governor !== undefined)
    fail(
      'OPTION_INVALID',
      'recordSeconds with a governor',
      seconds,
      'leave one of them out: a governor follows the clock',
    )
}

export function checkMixture({ strengthDb, comfortNoiseDb }: MixtureOptions, model?: Model): void {
  shareOf(strengthDb)
  checkComfort(comfortNoiseDb)
  if (model !== undefined) checkStrength(strengthDb, model)
}

export function checkStrength(strengthDb: number, { inputRate, outputRate }: Model): void {
  shareOf(strengthDb)
  if (strengthDb !== Number.NEGATIVE_INFINITY && inputRate !== outputRate)
    fail('OPTION_INVALID', 'strengthDb with unequal rates', strengthDb, 'use a model with one rate')
}
