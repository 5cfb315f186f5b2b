// `attenuate devices`. In: nothing, or limits. Out: what each class of devices is expected to carry; what this one does carry
// (`--probe`); which models fit into how much memory (`--fits`). As text or JSON.

import { DEVICES, expectHopMs, expectProfile, type NoProfile } from '../../devices/index.ts'
import instructions from '../../devices/instructions.json' with { type: 'json' }
import type { Model } from '../../quantize/modelfile.ts'
import { alignColumns } from '../../quantize/table.ts'
import { fail } from '../errors.ts'
import { loadModel, probe } from '../index.ts'
import { MODELS, type ModelName } from '../models.ts'
import type { Profile, ProfileLimits } from '../profile.ts'
import { checkUse } from './idle.ts'

export interface DevicesCommand extends ProfileLimits {
  readonly probe?: boolean
  readonly fits?: boolean
  readonly fresh?: boolean
  readonly json?: boolean
}

const NAMES = Object.keys(MODELS) as ModelName[]
/** KiB. */
const ROOMS = [256, 512, 1024, 4096, 16384]

export async function describeDevices(command: DevicesCommand): Promise<string> {
  checkIdle(command)
  if (command.probe) return describeProbe(command)
  return command.fits ? describeFits(command) : describeCatalogue(command)
}

function checkIdle({ probe = false, fits, fresh, maxLoad, maxLatencyMs }: DevicesCommand): void {
  checkUse('--fresh', fresh, probe, '--probe')
  checkUse('--max-load', maxLoad, probe, '--probe')
  checkUse('--max-latency', maxLatencyMs, probe, '--probe')
  if (fits && probe) fail('OPTION_INVALID', '--fits with --probe', fits, 'leave one of them out')
}

async function describeProbe({ json, fresh = false, maxLoad, maxLatencyMs }: DevicesCommand): Promise<string> {
  const limits = { ...(maxLoad !== undefined && { maxLoad }), ...(maxLatencyMs !== undefined && { maxLatencyMs }) }
  const profile = await probe({ ...limits, fresh })
  if (json) return JSON.stringify(profile, null, 2)
  const { model, needsGovernor, reasons } = profile
  return [`profile   ${model}${needsGovernor ? ', with a governor' : ''}`, ...reasons].join('\n')
}

async function describeCatalogue({ json }: DevicesCommand): Promise<string> {
  const models = await Promise.all(NAMES.map(async (name) => ({ name, model: (await loadModel(name)).model })))
  const facts = models.map(({ name, model }) => ({
    model: name,
    hopMs: (1000 * model.outputHop) / model.outputRate,
    latencyMs: (1000 * model.latencySamples) / model.outputRate,
    memoryBytes: bytesOf(model),
  }))
  const devices = DEVICES.map((device) => ({
    ...device,
    hopMs: Object.fromEntries(NAMES.map((name) => [name, expectHopMs(device, name)])),
    profile: expectProfile(device, facts),
  }))
  if (json) return JSON.stringify(devices, null, 2)
  const titles = ['device', 'host', ...facts.map(({ model, hopMs }) => `${model} (${hopMs} ms)`), 'profile']
  const rows = devices.map(({ title, host, hopMs, profile }) => [
    title,
    host,
    ...NAMES.map((name) => hopMs[name]?.value.toFixed(2) ?? '-'),
    nameProfile(profile),
  ])
  return [
    'Expected milliseconds for a hop: scaled from instruction counts, not measured on such a device (devices/README.md).',
    ...alignColumns([titles, ...rows], [2, 3, 4, 5]),
    '`attenuate devices --probe` measures this one.',
  ].join('\n')
}

function nameProfile(profile: Profile | NoProfile | undefined): string {
  if (profile === undefined) return '-'
  if (profile.model === null) return 'nothing fits'
  return `${profile.model}${profile.needsGovernor ? ', governed' : ''}`
}

/** What the compiler has planned, and the C host's machine code for ARM. */
async function describeFits({ json }: DevicesCommand): Promise<string> {
  const codeBytes = instructions.coreBytes.armv7
  const rows = await Promise.all(
    NAMES.map(async (name) => {
      const { model } = await loadModel(name)
      const { fileBytes, scratchBytes, stateBytes } = model
      const firstBytes = codeBytes + bytesOf(model)
      const streams = ROOMS.map((room) => Math.max(0, 1 + Math.floor((1024 * room - firstBytes) / stateBytes)))
      return { name, fileBytes, scratchBytes, stateBytes, codeBytes, firstBytes, streams }
    }),
  )
  if (json) return JSON.stringify({ roomsKiB: ROOMS, models: rows }, null, 2)
  const titles = ['model', 'file', 'scratch', 'state', 'code', 'in all', ...ROOMS.map((room) => `${room} KiB`)]
  const lines = rows.map(({ name, streams, ...bytes }) => [
    name,
    ...Object.values(bytes).map((count) => count.toLocaleString('en-US')),
    ...streams.map(String),
  ])
  return [
    'Bytes of one stream by the C host, and how many streams fit (code: scalar core for ARMv7).',
    ...alignColumns([titles, ...lines], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
  ].join('\n')
}

function bytesOf({ fileBytes, scratchBytes, stateBytes }: Model): number {
  return fileBytes + scratchBytes + stateBytes
}
