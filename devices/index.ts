// The classes of devices, and what each can carry. In: devices/*.json (published facts), instructions.json (counts). Out: for every device
// the expected time of a hop of each model, with its basis, and the profile that follows from such times, or that nothing fits.
// Expected is not measured: what the method can be wrong by is said in README.md.

import type { ModelName } from '../sdk/models.ts'
import {
  CARELESS_LOAD,
  chooseProfile,
  judgeModels,
  type ModelCost,
  PROFILE_MODELS,
  type Profile,
  type ProfileLimits,
} from '../sdk/profile.ts'
import cloudflareWorker from './cloudflare-worker.json' with { type: 'json' }
import cortexA7 from './cortex-a7.json' with { type: 'json' }
import cortexA53 from './cortex-a53.json' with { type: 'json' }
import cortexA72 from './cortex-a72.json' with { type: 'json' }
import cortexM7 from './cortex-m7.json' with { type: 'json' }
import cortexM55 from './cortex-m55.json' with { type: 'json' }
import extension from './extension.json' with { type: 'json' }
import instructions from './instructions.json' with { type: 'json' }
import type { HostKind, InstructionTable } from './instructions.ts'
import n100 from './n100.json' with { type: 'json' }
import phoneBrowser from './phone-browser.json' with { type: 'json' }
import raspberryPi3 from './raspberry-pi-3.json' with { type: 'json' }
import raspberryPi4 from './raspberry-pi-4.json' with { type: 'json' }
import raspberryPi5 from './raspberry-pi-5.json' with { type: 'json' }
import raspberryPiZero2W from './raspberry-pi-zero-2-w.json' with { type: 'json' }

/** Where a number comes from. */
export type Basis =
  | { readonly kind: 'published'; readonly source: string }
  | { readonly kind: 'measured' | 'scaled'; readonly method: string }

export interface Quantity {
  readonly value: number
  readonly basis: Basis
}

export interface Device {
  readonly id: string
  readonly title: string
  /** What runs the core there; `c`: examples/wasm-host with the scalar core, all others the SIMD core in V8. */
  readonly host: 'node' | 'browser' | 'workerd' | 'c'
  /** Of the models' weights. */
  readonly format: 'f32' | 'int8' | 'int4'
  /** Missing where nobody says what it is. */
  readonly processor?: {
    readonly core: string
    readonly architecture: 'x64' | 'arm64' | 'armv7'
    readonly clockMhz: Quantity
    readonly issueWidth: Quantity
    /** Issue slots that an instruction on 128 bits takes. */
    readonly slotsPerWideInstruction: Quantity
  }
  readonly memoryBytes?: Quantity
}

/** No model is within the limits. */
export interface NoProfile {
  readonly model: null
  readonly reasons: readonly string[]
}

export const DEVICES: readonly Device[] = [
  raspberryPiZero2W,
  raspberryPi3,
  raspberryPi4,
  raspberryPi5,
  cortexA7,
  cortexA53,
  cortexA72,
  n100,
  phoneBrowser,
  extension,
  cloudflareWorker,
  cortexM7,
  cortexM55,
] as unknown as readonly Device[]

/** Share of the issue slots that are filled; the rest waits for memory, for results and for the order of things. */
const FILLED_SLOTS = 0.5
const METHOD =
  'instructions per hop (devices/instructions.json) over clock and half of the issue slots (devices/README.md)'

/** Milliseconds for a hop of the model; undefined where there is no processor to reckon with. */
export function expectHopMs({ host, processor }: Device, model: ModelName): Quantity | undefined {
  if (processor === undefined) return undefined
  const { architecture, clockMhz, issueWidth, slotsPerWideInstruction } = processor
  const kind: HostKind = host === 'c' ? 'c' : 'node'
  const isRow = (row: InstructionTable['counts'][number]) =>
    row.model === model && row.host === kind && row.architecture === architecture
  const count = (instructions as InstructionTable).counts.find(isRow)
  if (count === undefined) return undefined
  const slots = count.instructionsPerHop + count.wideInstructionsPerHop * (slotsPerWideInstruction.value - 1)
  const cycles = slots / (issueWidth.value * FILLED_SLOTS)
  return { value: cycles / (1000 * clockMhz.value), basis: { kind: 'scaled', method: METHOD } }
}

/** `facts`: of each model, as its file says. Undefined where no time can be expected. */
export function expectProfile(
  device: Device,
  facts: readonly Omit<ModelCost, 'busyMs'>[],
): Profile | NoProfile | undefined {
  const costs = facts
    .filter(({ model }) => PROFILE_MODELS.includes(model))
    .map((fact) => ({ ...fact, busyMs: expectHopMs(device, fact.model)?.value ?? Number.NaN }))
  if (costs.some(({ busyMs }) => Number.isNaN(busyMs))) return undefined
  const limits = limitsOf(device)
  const { fitting, reasons } = judgeModels(costs, limits)
  return fitting === undefined ? { model: null, reasons: [...reasons, 'nothing fits'] } : chooseProfile(costs, limits)
}

/** The C host has no governor, so that nothing may need one there. */
function limitsOf({ host, memoryBytes }: Device): ProfileLimits {
  return {
    ...(host === 'c' && { maxLoad: CARELESS_LOAD }),
    ...(memoryBytes !== undefined && { maxMemoryBytes: memoryBytes.value }),
  }
}
