// A run of many cases against one parser. In: a target, a seed, how many cases or until when. Out: how the cases ended,
// and findings: errors of no documented kind, broken promises, cases that took too long. Case k of a seed is always the
// same bytes, so a finding is two numbers.

import { AttenuateError, ERROR_CODES, type ErrorCode } from '../../quantize/errors.ts'
import { type Random, seedRandom } from '../../quantize/specimens.ts'

export interface Target {
  readonly name: string
  /** What its parsers may throw; anything else is a finding. */
  readonly codes: readonly ErrorCode[]
  /** Once, before the first case. */
  prepare?(): Promise<void>
  /** The bytes of a case: mostly sound, then damaged. */
  draw(random: Random): Uint8Array
  /** Parses them and checks what came back with `promise`. */
  parse(bytes: Uint8Array, random: Random): void | Promise<void>
}

export interface Finding {
  readonly number: number
  readonly what: string
}

export interface Tally {
  cases: number
  /** By error code; `accepted` where the bytes were taken. */
  readonly outcomes: Record<string, number>
  readonly findings: Finding[]
  /** The longest case, in milliseconds of processor time. */
  slowestMs: number
  /** By how much the process was ever larger than at the beginning. */
  grownBytes: number
}

/** Of processor time: a case has a few kilobytes, and nothing in it may cost more than reading them many times over. */
export const LIMIT_MS = 1000
/** Of the process above what it had before the first case, garbage not yet collected included. */
export const LIMIT_BYTES = 400 << 20
const MAX_MESSAGE = 600
const MAX_FINDINGS = 20

export function newTally(): Tally {
  return { cases: 0, outcomes: {}, findings: [], slowestMs: 0, grownBytes: 0 }
}

/** Runs cases `from` and following until `goOn` says no; `begin` hears of each before it runs. */
export async function runCases(
  target: Target,
  seed: number,
  from: number,
  goOn: (tally: Tally) => boolean,
  begin: (number: number) => void = () => {},
): Promise<Tally> {
  const tally = newTally()
  const base = peakBytes()
  for (let number = from; goOn(tally) && tally.findings.length < MAX_FINDINGS; number++) {
    begin(number)
    await runCase(target, seed, number, tally)
    const grownBytes = peakBytes() - base
    if (grownBytes > LIMIT_BYTES && grownBytes > tally.grownBytes)
      tally.findings.push({ number, what: `process grew by ${grownBytes >> 20} MB` })
    tally.grownBytes = Math.max(tally.grownBytes, grownBytes)
  }
  return tally
}

function peakBytes(): number {
  return 1024 * process.resourceUsage().maxRSS
}

async function runCase(target: Target, seed: number, number: number, tally: Tally): Promise<void> {
  const random = randomOf(seed, number)
  const bytes = target.draw(random)
  const before = process.cpuUsage()
  const outcome = await judge(target, bytes, random)
  const { user, system } = process.cpuUsage(before)
  const tookMs = (user + system) / 1000
  tally.cases++
  tally.slowestMs = Math.max(tally.slowestMs, tookMs)
  if (outcome.finding !== undefined) tally.findings.push({ number, what: outcome.finding })
  else if (tookMs > LIMIT_MS) tally.findings.push({ number, what: `took ${tookMs} ms for ${bytes.length} bytes` })
  tally.outcomes[outcome.name] = (tally.outcomes[outcome.name] ?? 0) + 1
}

/** Every case has numbers of its own, however many another one used up. */
export function randomOf(seed: number, number: number): Random {
  return seedRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b))
}

async function judge(target: Target, bytes: Uint8Array, random: Random): Promise<{ name: string; finding?: string }> {
  try {
    await target.parse(bytes, random)
    return { name: 'accepted' }
  } catch (error) {
    if (!(error instanceof AttenuateError))
      return { name: 'finding', finding: error instanceof Error ? String(error.stack) : String(error) }
    const { code, message } = error
    if (!target.codes.includes(code) || !ERROR_CODES.includes(code))
      return { name: 'finding', finding: `code of another parser: ${message}` }
    if (/[\n\r]/.test(message) || message.length > MAX_MESSAGE)
      return { name: 'finding', finding: `message is not one short line: ${message.slice(0, 2 * MAX_MESSAGE)}` }
    return { name: code }
  }
}

/** What a parser that accepts its input promises about the result. */
export function promise(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken promise: ${what}`)
}

/** For people: one line of outcomes, most frequent first. */
export function formatTally({ cases, outcomes, findings, slowestMs, grownBytes }: Tally): string {
  const counts = Object.entries(outcomes).sort(([, a], [, b]) => b - a)
  const parts = counts.map(([name, count]) => `${name} ${count}`)
  return `${cases} cases, ${findings.length} findings, slowest ${slowestMs.toFixed(0)} ms, ${grownBytes >> 20} MB; ${parts.join(', ')}`
}
