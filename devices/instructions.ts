// How many instructions one hop costs: the table of instructions.json. In: that file. Out: its rows, typed; how two tables differ.
// `npm run instructions` writes the file, devices/instructions.engines.test.ts counts again and compares.

import type { ModelName } from '../sdk/models.ts'

/** `node`: Node with the SIMD core, whole calls of the SDK. `c`: examples/wasm-host with the scalar core. */
export type HostKind = 'node' | 'c'

export interface InstructionCount {
  readonly model: ModelName | (string & {})
  readonly host: HostKind
  readonly architecture: 'x64' | 'arm64' | 'armv7'
  readonly instructionsPerHop: number
  /** Of those, arithmetic on vectors of 128 bits; 0 on x64, where they are not told apart. */
  readonly wideInstructionsPerHop: number
}

export interface InstructionTable {
  readonly counts: readonly InstructionCount[]
  /** Machine code and constants of the scalar core, as the C host links it. */
  readonly coreBytes: Readonly<Record<string, number>>
  /** That made the C host. */
  readonly compilers: Readonly<Record<string, string>>
}

/** Growth that goes unnoticed. */
const TOLERANCE = 0.03

/** Rows of `counted` that are missing in `committed`, or larger by more than the tolerance: one line each. */
export function findGrowth(committed: InstructionTable, counted: InstructionTable): string[] {
  return counted.counts.flatMap((row) => {
    const name = `${row.model}, ${row.host}, ${row.architecture}`
    const before = committed.counts.find((other) => isSameRow(row, other))
    if (before === undefined) return [`${name}: not in the table`]
    const growth = row.instructionsPerHop / before.instructionsPerHop - 1
    if (growth <= TOLERANCE) return []
    const [from, to] = [before.instructionsPerHop, row.instructionsPerHop].map((count) => count.toLocaleString('en-US'))
    return [`${name}: ${from} -> ${to} instructions per hop, +${(100 * growth).toFixed(1)} %`]
  })
}

function isSameRow(a: InstructionCount, b: InstructionCount): boolean {
  return a.model === b.model && a.host === b.host && a.architecture === b.architecture
}
