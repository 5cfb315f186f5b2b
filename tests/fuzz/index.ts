// `npm run fuzz -- [target ...] [--seconds 60] [--seed 1] [--case K]`: every target for so long, in a process under
// watch: a case that hangs or eats memory ends the process and is a finding. One line per target on standard output,
// findings below it; exit code 1 if there were any. `--case` runs one case again; `--save FILE` writes its bytes.

import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Argument, Command } from 'commander'
import { wholeNumber } from '../../scripts/wholeNumber.ts'
import { formatTally, newTally, randomOf, runCases, type Tally, type Target } from './campaign.ts'
import { TARGETS } from './targets.ts'

/** Of wall time: other processes may have the processor. */
const HANG_MS = 30_000
const HEAP_MB = 256
const POLL_MS = 250
const PROGRESS = 4

const program = new Command('npm run fuzz --')
  .addArgument(new Argument('[targets...]', 'default: all').choices(TARGETS.map(({ name }) => name)))
  .option('--seconds <n>', 'for each target', wholeNumber, 60)
  .option('--seed <n>', 'of the cases', wholeNumber, 1)
  .option('--case <n>', 'one case again', wholeNumber)
  .option('--save <file>', 'with --case: write its bytes')
  .parse()
const options = program.opts<{ seconds: number; seed: number; case?: number; save?: string }>()
const { seed } = options
const chosen = TARGETS.filter(({ name }) => program.args.length === 0 || program.args.includes(name))
let found = 0
for (const target of chosen) {
  const tally = options.case === undefined ? await watch(target, options.seconds) : await repeat(target, options.case)
  console.log(`${target.name}, seed ${seed}: ${formatTally(tally)}`)
  for (const { number, what } of tally.findings) console.log(`  case ${number}: ${what.replaceAll('\n', '\n    ')}`)
  found += tally.findings.length
}
process.exitCode = found === 0 ? 0 : 1

/** One case, in this thread. */
async function repeat(target: Target, number: number): Promise<Tally> {
  if (options.save !== undefined) writeFileSync(options.save, target.draw(randomOf(seed, number)))
  await target.prepare?.()
  return runCases(target, seed, number, ({ cases }) => cases < 1)
}

/** Processes one after the other until the time is up: a dead one's case is a finding, the next begins behind it. */
async function watch(target: Target, seconds: number): Promise<Tally> {
  const until = Date.now() + 1000 * seconds
  const total = newTally()
  for (let from = 0; (from === 0 || Date.now() < until) && total.findings.length < 20; ) {
    const { tally, death, last } = await runProcess(target.name, from, until)
    if (tally) {
      merge(total, tally)
      break
    }
    total.findings.push({ number: last, what: death ?? 'process died' })
    total.cases += last - from + 1
    from = last + 1
  }
  return total
}

interface End {
  readonly tally?: Tally
  readonly death?: string
  /** The case under way. */
  readonly last: number
}

async function runProcess(name: string, from: number, until: number): Promise<End> {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [name, `${seed}`, `${from}`, `${until}`], {
    execArgv: ['--import', 'tsx', `--max-old-space-size=${HEAP_MB}`],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
  })
  let [last, since, open] = [from, Date.now(), '']
  ;(child.stdio[PROGRESS] as Readable).on('data', (bytes) => {
    const lines = (open + bytes).split('\n')
    open = lines.pop()!
    if (lines.length > 0) [last, since] = [Number(lines.at(-1)), Date.now()]
  })
  const ended = new Promise<Omit<End, 'last'>>((resolve) => {
    let tally: Tally | undefined
    child.once('message', (message) => (tally = message as Tally))
    child.once('close', (code, signal) => resolve(tally ? { tally } : { death: `process ended: ${signal ?? code}` }))
  })
  for (;;) {
    const end = await Promise.race([ended, sleep(POLL_MS)])
    if (end) return { ...end, last }
    if (Date.now() - since > HANG_MS) {
      child.kill('SIGKILL')
      await ended
      return { death: `still running after ${HANG_MS} ms`, last }
    }
  }
}

function merge(total: Tally, tally: Tally): void {
  total.cases += tally.cases
  total.slowestMs = Math.max(total.slowestMs, tally.slowestMs)
  total.grownBytes = Math.max(total.grownBytes, tally.grownBytes)
  total.findings.push(...tally.findings)
  for (const [name, count] of Object.entries(tally.outcomes)) total.outcomes[name] = (total.outcomes[name] ?? 0) + count
}
