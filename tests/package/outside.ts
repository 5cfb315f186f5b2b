// A project outside the repository: packs this package, installs the tarball beside consumer/, runs programs there.

import { spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Runs to the end; what it printed. */
export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 24 })
  assert.is(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

export function pack(folder: string): Packed {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  return (JSON.parse(run('npm', args, root)) as Packed[])[0]
}

/** consumer/ in `folder`, with the tarball and what it depends on. */
export function installOutside(folder: string, tarball: string): string {
  const project = join(folder, 'consumer')
  cpSync(fileURLToPath(new URL('consumer', import.meta.url)), project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  npmInstall(project, tarball)
  return project
}

export function npmInstall(project: string, what: string): void {
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', what], project)
}
