// Where the result for an input goes. In: both names as they were given. Out: the file to write, as `cp` chooses it: what was
// named, or in a folder under the input's name; never the input itself, which a result would replace.

import { realpath, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { fail } from '../errors.ts'

export interface Place {
  readonly path: string
  /** Its folder is to be made where it is missing. */
  readonly makesFolder: boolean
}

/** A folder is what is one, or what ends in a separator. */
export async function placeOutput(input: string, output: string): Promise<Place> {
  if (!endsInSeparator(output) && !(await isFolder(output))) return { path: output, makesFolder: false }
  if (input === '-') fail('OPTION_INVALID', 'output of standard input is a folder', output, 'name a file in it')
  return { path: join(output, basename(input)), makesFolder: true }
}

/** Throws OPTION_INVALID. `output` undefined: nothing is written. */
export async function keepInput(input: string, output: string | undefined): Promise<void> {
  if (output !== undefined && (await isSame(input, output)))
    fail('OPTION_INVALID', 'output is the input', output, 'give another file')
}

/** By whatever names. */
export async function isSame(one: string, other: string): Promise<boolean> {
  if (one === '-' || other === '-') return false
  const [first, second] = await Promise.all([one, other].map(realName))
  return first !== undefined && first === second
}

export async function isFolder(path: string): Promise<boolean> {
  return (
    path !== '-' &&
    (await stat(path)
      .then((entry) => entry.isDirectory())
      .catch(() => false))
  )
}

function endsInSeparator(path: string): boolean {
  return path.endsWith('/') || path.endsWith(sep)
}

/** Undefined where nothing is. */
function realName(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined)
}
