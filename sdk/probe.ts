// What this device can carry, measured by itself in about 300 ms. In: a host, limits. Out: a profile (profile.ts). The lightest
// model is timed first and a better one only if there is hope for it, so that nothing is loaded that will not be used. Costs are
// remembered: in the process, and by hosts that can, for a week.

import type { Core, Program } from './core.ts'
import { shareCore, type WasmSource } from './cores.ts'
import { fail } from './errors.ts'
import type { Host } from './host.ts'
import { checkKind } from './kinds.ts'
import { type ParsedModel, parseModel } from './model.ts'
import { MODELS, type ModelName } from './models.ts'
import { Network } from './network.ts'
import type { DenoiserOptions } from './options.ts'
import {
  checkProfile,
  chooseProfile,
  type ModelCost,
  PROFILE_MODELS,
  type Profile,
  type ProfileLimits,
  readLimits,
} from './profile.ts'

/** Of `probe`. */
export interface ProbeOptions extends ProfileLimits {
  /** For the whole measurement, in milliseconds: 20..5000, default 300. */
  readonly budgetMs?: number
  /** Measure again, whatever is remembered. Default false. */
  readonly fresh?: boolean
  /** The core to measure, as in `Denoiser.create`. */
  readonly wasm?: WasmSource
}

const DEFAULT_BUDGET_MS = 300
/** Blocking for longer would be felt in a page. */
const SLICE_MS = 8
/** After so many hops without a tick the clock is taken to stand still: 6 ms of lite on a desktop. */
const MOST_UNTIMED_HOPS = 256
/** What comes first compiles and fills caches; it is not counted. */
const WARM_SHARE = 0.5
const WEEK_MS = 7 * 24 * 3600 * 1000

/** Milliseconds per hop by the model's SHA-256, of cores in this process. */
const known = new WeakMap<Core, Map<string, number>>()

/** Measures, or remembers, and chooses. Throws OPTION_INVALID; rejects as loading a model does. */
export async function probeHost(host: Host, options: ProbeOptions = {}): Promise<Profile> {
  checkKind('options', options, 'object')
  const { maxLoad, maxLatencyMs } = readLimits(options)
  const slotMs = readBudget(options.budgetMs) / PROFILE_MODELS.length
  const core = await shareCore(host, options.wasm)
  const times = options.fresh ? new Map<string, number>() : await recall(host, core, options.wasm)
  const costs: ModelCost[] = []
  const leftOut: string[] = []
  for (const name of [...PROFILE_MODELS].reverse()) {
    const { latencyMs } = MODELS[name]
    if (latencyMs > maxLatencyMs)
      leftOut.push(`${name}: not looked at, ${latencyMs} ms late, at most ${maxLatencyMs} allowed`)
    else if (loadOf(costs.at(-1)) > maxLoad)
      leftOut.push(`${name}: not looked at, costs more than ${costs.at(-1)?.model}`)
    else costs.push(await measure(core, name, await parseModel(host, name), host.now, slotMs, times))
  }
  await remember(host, core, times, options.wasm)
  if (costs.length === 0) fail('OPTION_INVALID', 'maxLatencyMs', maxLatencyMs, `use ${MODELS.lite.latencyMs} or more`)
  const profile = chooseProfile(costs, options)
  return { ...profile, reasons: [...leftOut.reverse(), ...profile.reasons] }
}

function loadOf(cost: ModelCost | undefined): number {
  return cost === undefined ? 0 : cost.busyMs / cost.hopMs
}

/** Options of `Denoiser.create` with what their profile says; what stands beside the profile wins. */
export async function applyProfile(
  host: Host,
  options: DenoiserOptions,
): Promise<DenoiserOptions & { chosen?: Profile }> {
  const { profile, ...rest } = options
  if (profile === undefined || options.model !== undefined) return rest
  const chosen = await readProfile(host, profile, options)
  const mayGovern = options.governor === undefined && options.recordSeconds === undefined
  return { ...rest, model: chosen.model, ...(mayGovern && chosen.needsGovernor && { governor: {} }), chosen }
}

function readProfile(host: Host, profile: NonNullable<DenoiserOptions['profile']>, { wasm }: DenoiserOptions) {
  if (profile === 'auto') return probeHost(host, { ...(wasm !== undefined && { wasm }) })
  if (typeof profile === 'object' && profile !== null && !('model' in profile))
    return probeHost(host, { ...(wasm !== undefined && { wasm }), ...profile })
  return checkProfile(profile as Profile)
}

async function measure(
  core: Core,
  name: ModelName,
  parsed: ParsedModel,
  now: () => number,
  slotMs: number,
  times: Map<string, number>,
): Promise<ModelCost> {
  const { model, fileBytes } = parsed
  const toMs = (samples: number) => (1000 * samples) / model.outputRate
  const busyMs = times.get(model.sha256) ?? (await timeHop(core, parsed, now, slotMs))
  times.set(model.sha256, busyMs)
  return {
    model: name,
    busyMs,
    hopMs: toMs(model.outputHop),
    latencyMs: toMs(model.latencySamples),
    memoryBytes: fileBytes + model.scratchBytes + model.stateBytes,
  }
}

/** Milliseconds per hop of noise: the median over slices of the second half of `slotMs`. NaN where the clock stands still. */
async function timeHop(core: Core, parsed: ParsedModel, now: () => number, slotMs: number): Promise<number> {
  const program = core.acquireProgram(parsed)
  const network = new Network(core, program)
  try {
    const noise = drawNoise(program)
    const started = now()
    const slices: number[] = []
    for (let isWarm = false; !isWarm || slices.length === 0 || now() - started < slotMs; ) {
      isWarm = now() - started >= WARM_SHARE * slotMs
      const busyMs = runSlice(network, noise, now)
      if (Number.isNaN(busyMs)) return busyMs
      if (isWarm) slices.push(busyMs)
      await pause()
    }
    return slices.sort((a, b) => a - b)[Math.floor(slices.length / 2)]
  } finally {
    network.dispose()
    core.releaseProgram(program)
  }
}

/** Whole hops for SLICE_MS; milliseconds for each. */
function runSlice(network: Network, noise: Float32Array, now: () => number): number {
  const started = now()
  for (let hops = 1; ; hops++) {
    network.input().set(noise)
    network.run()
    const elapsedMs = now() - started
    if (elapsedMs >= SLICE_MS) return elapsedMs / hops
    if (elapsedMs === 0 && hops >= MOST_UNTIMED_HOPS) return Number.NaN
  }
}

/** (inputHop) at -20 dBFS, always the same. */
function drawNoise({ model }: Program): Float32Array {
  let seed = 1
  return Float32Array.from({ length: model.inputHop }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0
    return 0.17 * (seed / 2 ** 31)
  })
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}

function readBudget(budgetMs = DEFAULT_BUDGET_MS): number {
  if (!(budgetMs >= 20 && budgetMs <= 5000)) fail('OPTION_INVALID', 'budgetMs', budgetMs, 'use 20..5000')
  return budgetMs
}

/** A core of the caller's own is remembered in the process alone. */
async function recall(host: Host, core: Core, wasm: WasmSource | undefined): Promise<Map<string, number>> {
  const here = known.get(core)
  if (here !== undefined) return new Map(here)
  const text = wasm === undefined ? await host.memory?.read() : undefined
  return new Map(text === undefined ? [] : parseTimes(text))
}

async function remember(host: Host, core: Core, times: Map<string, number>, wasm: WasmSource | undefined) {
  known.set(core, new Map(times))
  const isTimed = [...times.values()].every((busyMs) => busyMs > 0)
  if (wasm === undefined && isTimed) await host.memory?.write(JSON.stringify({ at: Date.now(), times: [...times] }))
}

/** What an earlier process wrote, if it is whole and young. */
function parseTimes(text: string): [string, number][] {
  try {
    const { at, times } = JSON.parse(text)
    const isYoung = Date.now() - at >= 0 && Date.now() - at < WEEK_MS
    const isTime = ([sha256, busyMs]: [unknown, unknown]) => typeof sha256 === 'string' && Number(busyMs) > 0
    return isYoung && times.every(isTime) ? times : []
  } catch {
    return []
  }
}
