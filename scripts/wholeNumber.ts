// Numbers on the command lines of this checkout's programs. In: text. Out: a whole number from 0, or what commander says in one line.

import { InvalidArgumentError } from 'commander'

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Use a whole number.')
  return Number(text)
}
