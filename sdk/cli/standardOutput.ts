// Standard output takes one thing: two would be neither. In: what is printed there, and the files that options name. Throws
// OPTION_INVALID.

import { fail } from '../errors.ts'

/** `printed`: what asks for it, `--json` as a rule; `files` by the option that names them, '-' for standard output. */
export function checkStandardOutput(
  printed: string | undefined,
  files: Readonly<Record<string, string | undefined>>,
): void {
  const there = Object.keys(files).filter((option) => files[option] === '-')
  if (printed !== undefined) there.unshift(printed)
  if (there.length > 1)
    fail('OPTION_INVALID', `${there.join(' and ')} on standard output`, '-', `name a file for ${there[1]}`)
}
