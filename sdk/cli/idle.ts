// Options that would do nothing: who gives one expects something of it, so it is refused, and what it needs is named.

import { fail } from '../errors.ts'

/** Throws OPTION_INVALID where `option` has a value and nothing uses it; `needed`: what would. */
export function checkUse(option: string, value: unknown, isUsed: boolean, needed: string): void {
  if (value !== undefined && !isUsed)
    fail('OPTION_INVALID', `${option} without ${needed}`, value, `add ${needed}, or leave it out`)
}
