// Debian packages that tests of other engines need. In: names, and whether what is wanted of them is there. Out: nothing, or an
// error that says what to install. Needs apt and root where something is missing.

import { spawnSync } from 'node:child_process'

export function ensurePackages(packages: readonly string[], isThere: () => boolean): void {
  if (isThere()) return
  console.error(`installing ${packages.join(' ')} (apt-get)`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
  const { status } = spawnSync('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], {
    env,
    stdio: 'ignore',
  })
  if (status !== 0) throw new Error(`install ${packages.join(' ')}: needs apt and root`)
}

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
}
