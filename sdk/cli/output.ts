// Where results go. A file appears whole or not at all: it is written beside its place and renamed at the end. What is no file
// (a pipe with a name, /dev/stdout, /dev/null) stays and takes the bytes as they come; '-' is standard output. In: bytes in order; a
// header may be written again once the length is known.

import { once } from 'node:events'
import { type FileHandle, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fail } from '../errors.ts'

export interface Output {
  /** Can the beginning be written again? */
  readonly isSeekable: boolean
  write(bytes: Uint8Array): Promise<void>
  /** Replaces the first bytes. */
  rewrite(bytes: Uint8Array): Promise<void>
  /** Makes the result visible. */
  finish(): Promise<void>
  /** Leaves nothing behind. */
  abandon(): Promise<void>
}

/** `makesFolder`: the file's folder is made where it is missing. */
export async function openOutput(path: string, makesFolder = false): Promise<Output> {
  if (path === '-') return new PipeOutput()
  if (makesFolder) await makeFolder(dirname(path))
  const entry = await stat(path).catch(() => undefined)
  if (entry === undefined) return FileOutput.open(path)
  return entry.isFile() ? FileOutput.open(await realpath(path)) : DeviceOutput.open(path)
}

/**
 * Refuses places that cannot be written, before there is work to lose, and leaves them as they are. Drafts are not kept open meanwhile: a
 * process that computes without a pause would not hear of an interrupt. Devices and pipes are not tried: their readers would notice.
 */
export async function checkWritable(...paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined || path === '-') continue
    const entry = await stat(path).catch(() => undefined)
    if (entry === undefined || entry.isFile() || entry.isDirectory()) await (await openOutput(path)).abandon()
  }
}

/** With those around it; one that is there is left as it is. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error) => refuse(error, path))
}

/** Writes files, all or none; what stood there before survives a failure. Those without a path are left out. */
export async function writeWhole(
  ...files: readonly (readonly [path: string | undefined, bytes: Uint8Array])[]
): Promise<void> {
  const drafts: [Output, Uint8Array][] = []
  try {
    for (const [path, bytes] of files) if (path !== undefined) drafts.push([await openOutput(path), bytes])
    for (const [output, bytes] of drafts) await output.write(bytes)
    for (const [output] of drafts) await output.finish()
  } catch (error) {
    for (const [output] of drafts) await output.abandon()
    throw error
  }
}

class FileOutput implements Output {
  readonly isSeekable = true
  readonly #path: string
  readonly #draft: string
  readonly #file: FileHandle
  /** An interrupted process must not leave drafts either. */
  readonly #interrupt = () => {
    void this.abandon().finally(() => process.exit(130))
  }

  private constructor(path: string, draft: string, file: FileHandle) {
    this.#path = path
    this.#draft = draft
    this.#file = file
    process.once('SIGINT', this.#interrupt)
    process.once('SIGTERM', this.#interrupt)
  }

  static async open(path: string): Promise<FileOutput> {
    const draft = join(dirname(path), `.${basename(path)}.${process.pid}.part`)
    try {
      return new FileOutput(path, draft, await open(draft, 'wx'))
    } catch (error) {
      return refuse(error, path)
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes).catch((error) => refuse(error, this.#path))
  }

  async rewrite(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, 0)
  }

  async finish(): Promise<void> {
    await this.#file.close()
    await rename(this.#draft, this.#path).catch((error) => refuse(error, this.#path))
    this.#release()
  }

  async abandon(): Promise<void> {
    this.#release()
    await this.#file.close().catch(() => {})
    await rm(this.#draft, { force: true })
  }

  #release(): void {
    process.removeListener('SIGINT', this.#interrupt)
    process.removeListener('SIGTERM', this.#interrupt)
  }
}

function refuse(error: unknown, path: string): never {
  return fail(
    'OPTION_INVALID',
    `cannot be written (${(error as NodeJS.ErrnoException).code})`,
    path,
    'choose another place',
  )
}

class DeviceOutput implements Output {
  readonly isSeekable = false
  readonly #path: string
  readonly #file: FileHandle

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  static async open(path: string): Promise<DeviceOutput> {
    return new DeviceOutput(path, await open(path, 'w').catch((error) => refuse(error, path)))
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes).catch((error) => refuse(error, this.#path))
  }

  async rewrite(): Promise<void> {}

  finish(): Promise<void> {
    return this.#file.close()
  }

  abandon(): Promise<void> {
    return this.#file.close()
  }
}

class PipeOutput implements Output {
  readonly isSeekable = false
  #broken: Error | undefined

  constructor() {
    // who reads less than everything has what they wanted
    process.stdout.on('error', (error) => {
      this.#broken = error
    })
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken
    // a copy: the caller uses the array again while the pipe still holds it
    if (!process.stdout.write(bytes.slice())) await once(process.stdout, 'drain')
  }

  async rewrite(): Promise<void> {}

  async finish(): Promise<void> {}

  async abandon(): Promise<void> {}
}
