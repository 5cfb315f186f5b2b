// Which model a device can carry. In: what a hop of each model costs there, and limits. Out: a profile: the best model within
// them, whether it needs a governor, and why, in words. Costs are measured (probe.ts) or foreseen (devices/); this file knows
// neither clock nor device.

import { fail } from './errors.ts'
import { isModelName, type ModelName } from './models.ts'

/** What one model costs on one device. */
export interface ModelCost {
  readonly model: ModelName
  /** That a hop takes to make. */
  readonly busyMs: number
  /** Of signal in a hop. */
  readonly hopMs: number
  /** Delivered, at the model's own rate. */
  readonly latencyMs: number
  /** Model, scratch and one state. */
  readonly memoryBytes: number
}

/** What a stream may take. */
export interface ProfileLimits {
  /** Share of one core, above 0 and at most 1. Default 0.5: the rest is the application's, and for moments of other load. */
  readonly maxLoad?: number
  /** Default 40: a conversation. More lets `hq` in. */
  readonly maxLatencyMs?: number
  /** Default: any. */
  readonly maxMemoryBytes?: number
}

/** What `profile: 'auto'` settles on, and what may be passed as `profile` to do without measuring. */
export interface Profile {
  /** The best that the limits allow. */
  readonly model: ModelName
  /** Needs a governor, as even the lightest model, or a moment of other load, may be too much. */
  readonly needsGovernor: boolean
  /** Expected share of one core. NaN where the clock stands still. */
  readonly load: number
  /** One line for each model looked at, and one for the choice. */
  readonly reasons: readonly string[]
}

/** The best first; nano is for sensors, which no profile can know. */
export const PROFILE_MODELS: readonly ModelName[] = ['hq', 'base', 'lite']

const DEFAULTS = { maxLoad: 0.5, maxLatencyMs: 40, maxMemoryBytes: Number.POSITIVE_INFINITY }
/** Below this share of a core no ordinary moment of other load makes a stream late. */
export const CARELESS_LOAD = 0.25

/** The best model within the limits; the lightest one, governed, where there is none. Throws OPTION_INVALID. */
export function chooseProfile(costs: readonly ModelCost[], limits: ProfileLimits = {}): Profile {
  const { fitting, lightest, reasons } = judgeModels(costs, limits)
  const chosen = fitting ?? lightest
  const load = chosen.busyMs / chosen.hopMs
  const needsGovernor = fitting === undefined || load > CARELESS_LOAD
  return { model: chosen.model, needsGovernor, load, reasons: [...reasons, conclude(chosen, fitting, needsGovernor)] }
}

/** What speaks for and against each model. */
export interface Judgement {
  /** The best that the limits allow; undefined where nothing fits. */
  readonly fitting: ModelCost | undefined
  readonly lightest: ModelCost
  /** One line for each model, the best first. */
  readonly reasons: readonly string[]
}

/** Throws OPTION_INVALID. */
export function judgeModels(costs: readonly ModelCost[], limits: ProfileLimits = {}): Judgement {
  const bounds = readLimits(limits)
  const byQuality = [...costs].sort((a, b) => PROFILE_MODELS.indexOf(a.model) - PROFILE_MODELS.indexOf(b.model))
  if (byQuality.length === 0) fail('OPTION_INVALID', 'costs of models', costs.length, 'measure at least one')
  const judged = byQuality.map((cost) => ({ cost, refusals: refusalsOf(cost, bounds) }))
  return {
    fitting: judged.find(({ refusals }) => refusals.length === 0)?.cost,
    lightest: byQuality.reduce((a, b) => (b.busyMs / b.hopMs < a.busyMs / a.hopMs ? b : a)),
    reasons: judged.map(({ cost, refusals }) => describe(cost, refusals)),
  }
}

/** Throws OPTION_INVALID on what is no profile. */
export function checkProfile(profile: Profile): Profile {
  if (typeof profile?.model !== 'string' || !isModelName(profile.model) || typeof profile.needsGovernor !== 'boolean')
    fail('OPTION_INVALID', 'profile', JSON.stringify(profile), "use 'auto', limits, or what `probe` gave")
  return profile
}

export function readLimits(limits: ProfileLimits): Required<ProfileLimits> {
  const bounds = { ...DEFAULTS, ...limits }
  if (!(bounds.maxLoad > 0 && bounds.maxLoad <= 1)) fail('OPTION_INVALID', 'maxLoad', bounds.maxLoad, 'use up to 1')
  for (const name of ['maxLatencyMs', 'maxMemoryBytes'] as const)
    if (!(bounds[name] > 0)) fail('OPTION_INVALID', name, bounds[name], 'use more than 0')
  return bounds
}

function refusalsOf({ busyMs, hopMs, latencyMs, memoryBytes }: ModelCost, bounds: Required<ProfileLimits>): string[] {
  const load = busyMs / hopMs
  return [
    ...(load > bounds.maxLoad ? [`${percent(load)} of a core, at most ${percent(bounds.maxLoad)} allowed`] : []),
    ...(latencyMs > bounds.maxLatencyMs ? [`${latencyMs} ms late, at most ${bounds.maxLatencyMs} allowed`] : []),
    ...(memoryBytes > bounds.maxMemoryBytes ? [`${memoryBytes} bytes, at most ${bounds.maxMemoryBytes} allowed`] : []),
  ]
}

function describe({ model, busyMs, hopMs, latencyMs }: ModelCost, refusals: readonly string[]): string {
  if (refusals.length === 0 && Number.isNaN(busyMs)) return `${model}: not timed, the clock of this host stands still`
  if (refusals.length > 0) return `${model}: no, ${refusals.join('; ')}`
  return `${model}: fits, ${busyMs.toFixed(3)} ms for each hop of ${hopMs} ms (${percent(busyMs / hopMs)} of a core), ${latencyMs} ms late`
}

function conclude(chosen: ModelCost, fitting: ModelCost | undefined, needsGovernor: boolean): string {
  if (fitting === undefined) return `${chosen.model} with a governor: nothing fits, and it costs least`
  return needsGovernor
    ? `${chosen.model} with a governor: the best that fits, and over ${percent(CARELESS_LOAD)} of a core`
    : `${chosen.model}: the best that fits`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
}
