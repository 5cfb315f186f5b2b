// Where results go. In: names as they were given. Out: the file to write, as `cp` chooses it: what was named, or in a folder
// under the input's name; never an input, which a result would replace, nor one place for two things, which would be neither.

import { realpath, stat } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'
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

type Names = readonly (string | undefined)[]

/** Throws OPTION_INVALID where an output is an input; undefined is neither. */
export async function keepInputs(inputs: Names, outputs: Names): Promise<void> {
  for (const input of inputs)
    for (const output of outputs)
      if (input !== undefined && output !== undefined && (await isSame(input, output)))
        fail('OPTION_INVALID', 'output is the input', output, 'give another file')
}

/**
 * Throws OPTION_INVALID where two things go to one place. `printed`: what asks for standard output, `--json` as a rule;
 * `files` by the option that names them, '-' for standard output.
 */
export function checkPlaces(printed: string | undefined, files: Readonly<Record<string, string | undefined>>): void {
  const options = Object.keys(files).filter((option) => files[option] !== undefined)
  const there = options.filter((option) => files[option] === '-')
  if (printed !== undefined) there.unshift(printed)
  if (there.length > 1)
    fail('OPTION_INVALID', `${there.join(' and ')} on standard output`, '-', `name a file for ${there[1]}`)
  const taken = new Map<string, string>()
  for (const option of options) {
    const path = resolve(files[option] as string)
    if (taken.has(path))
      fail('OPTION_INVALID', `${taken.get(path)} and ${option} in one file`, path, `name another for ${option}`)
    taken.set(path, option)
  }
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
