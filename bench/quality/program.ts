// What the programs of this folder share: options for the mixes, and errors that end a run in one line.
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { wholeNumber } from '../../scripts/wholeNumber.ts'
import { DEFAULT_PLAN } from './mixes.ts'

export interface MixOptions {
  sources: string
  count: number
  seed: number
}

const defaultSources = (): string =>
  process.env.QUALITY_SOURCES ?? fileURLToPath(new URL('../../../shared/data/val', import.meta.url))

export const withMixOptions = (program: Command): Command =>
  program
    .option('--sources <dir>', 'folder with clean/ and noise/ (WAV or FLAC), or $QUALITY_SOURCES', defaultSources())
    .option('--count <n>', 'noisy mixes', wholeNumber, DEFAULT_PLAN.count)
    .option('--seed <n>', 'one seed, one set of mixes', wholeNumber, DEFAULT_PLAN.seed)

/** Errors that begin with a code say what to do; of others the stack trace says more. */
export const runProgram = async (program: Command, work: () => Promise<void> | void): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (!/^[A-Z_]+: /.test((error as Error).message)) throw error
    program.error(`error: ${(error as Error).message}`)
  }
}
