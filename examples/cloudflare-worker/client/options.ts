// Command lines of senders. In: text. Out: a number, or what commander says in one line; files, or one line where a result would
// take the place of what it is made from.

import { realpath } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import { MAX_PACKETS } from './protocol.ts'

/** What a timer of Node can wait. */
const MOST_SECONDS = 2_147_483

export function parseNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('Use a number of 0 or more.')
  return value
}

export function parseSeconds(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= MOST_SECONDS))
    throw new InvalidArgumentError(`Use a number above 0, at most ${MOST_SECONDS}.`)
  return value
}

/** Packets in a message. */
export const parsePackets = wholeWithin(1, MAX_PACKETS)

/** Messages that are kept: a piece of 20 ms may fill two. */
export const parseBuffer = wholeWithin(2, 1_000_000)

function wholeWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`Use ${least}..${most}.`)
    return value
  }
}

/** Throws where `output` is `input`, by whatever names. */
export async function keepInput(input: string, output: string): Promise<void> {
  const [from, to] = await Promise.all([input, output].map((path) => realpath(path).catch(() => undefined)))
  if (from !== undefined && from === to) throw new Error(`${output} is the input; name another file`)
}
