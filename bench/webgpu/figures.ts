// What a run has measured so far, as one JSON file. In: a key path and a value, again and again. Out: the file, whole after
// every note, so that a run that is stopped or crashes loses nothing; the next run goes on with the same file.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

interface Tree {
  [key: string]: unknown
}

export class Figures {
  readonly #path: string | undefined
  readonly #tree: Tree

  /** Without a path nothing is written. */
  constructor(path: string | undefined) {
    this.#path = path
    this.#tree = path !== undefined && existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Tree) : {}
  }

  /** What stood there is replaced. */
  note(keys: readonly string[], value: unknown): void {
    let branch = this.#tree
    for (const key of keys.slice(0, -1)) {
      branch[key] ??= {}
      branch = branch[key] as Tree
    }
    branch[keys[keys.length - 1]] = value
    if (this.#path === undefined) return
    const fresh = `${this.#path}.part`
    writeFileSync(fresh, `${JSON.stringify(this.#tree, undefined, 1)}\n`)
    renameSync(fresh, this.#path)
  }
}
