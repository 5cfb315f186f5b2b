// Numbers on the command lines of senders. In: text. Out: a number, or what commander says in one line.

import { InvalidArgumentError } from 'commander'
import { MAX_PACKETS } from './protocol.ts'

export function parseNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('Use a number of 0 or more.')
  return value
}

/** Packets in a message. */
export function parsePackets(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > MAX_PACKETS)
    throw new InvalidArgumentError(`Use 1..${MAX_PACKETS}.`)
  return value
}
