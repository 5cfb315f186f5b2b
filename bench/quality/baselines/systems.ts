// Every system the evaluator knows, by the name used on the command line -> opened systems, and why others are absent.
import { openCommand, PREFIX } from './command.ts'
import { openGtcrn } from './gtcrn.ts'
import { noisy } from './noisy.ts'
import { openOurs } from './ours.ts'
import { openRnnoise } from './rnnoise.ts'
import { spectral } from './spectral.ts'
import type { Opening, System } from './system.ts'

export const PEERS: Record<string, () => Promise<Opening>> = {
  noisy: async () => ({ system: noisy }),
  spectral: async () => ({ system: spectral }),
  rnnoise: openRnnoise,
  gtcrn: openGtcrn,
}

const openSystem = async (name: string): Promise<Opening> => {
  if (name in PEERS) return PEERS[name]()
  if (name.startsWith(PREFIX)) return { system: openCommand(name.slice(PREFIX.length)) }
  return openOurs(name)
}

/** A peer by name, `run:COMMAND`, or a model of ours: a name, path or URL. */
export const openSystems = async (names: readonly string[]): Promise<{ systems: System[]; absent: string[] }> => {
  const systems: System[] = []
  const absent: string[] = []
  for (const name of names) {
    const opening = await openSystem(name)
    if ('system' in opening) systems.push(opening.system)
    else absent.push(opening.absent)
  }
  return { systems, absent }
}
