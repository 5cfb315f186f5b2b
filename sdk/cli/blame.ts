// Which file an error is about: the SDK knows bytes, the command line knows names.

import { AttenuateError, type ErrorCode } from '../errors.ts'

/** These name themselves what they are about: an option, or the path that cannot be read or written. */
const NAMED: readonly ErrorCode[] = ['OPTION_INVALID', 'LOAD_FAILED']

/** Runs `task`; an error of ours that names no file yet gets `file` in front. `applies` narrows it to some codes. */
export async function blaming<T>(
  file: string,
  task: () => T | Promise<T>,
  applies: (error: AttenuateError) => boolean = ({ code }) => !NAMED.includes(code),
): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof AttenuateError && error.message.startsWith(error.code) && applies(error))
      error.message = `${file}: ${error.message}`
    throw error
  }
}

/** The same of a model, among other things that may be wrong. */
export function blamingModel<T>(model: string, task: () => T | Promise<T>): Promise<T> {
  return blaming(model, task, ({ code }) => code.startsWith('MODEL'))
}
