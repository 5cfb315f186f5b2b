// Which file an error is about: the SDK knows bytes, the command line knows names.

import { AttenuateError } from '../errors.ts'

/** Runs `task`; an error of ours that names no file yet gets `file` in front. `applies` narrows it to some codes. */
export async function blaming<T>(
  file: string,
  task: () => T | Promise<T>,
  applies: (error: AttenuateError) => boolean = () => true,
): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof AttenuateError && error.message.startsWith(error.code) && applies(error)) {
      if (!error.message.includes(file)) error.message = `${file}: ${error.message}`
    }
    throw error
  }
}
