// Debian packages that tests need. In: names, and whether what is wanted of them is there. Out: nothing, or an error that says
// what to install. Needs apt and root where something is missing.

import { spawnSync } from 'node:child_process'

/** Test files run side by side: the second waits for the first one's installation. */
const WAIT = ['-o', 'DPkg::Lock::Timeout=600']

export function ensurePackages(packages, isThere) {
  if (isThere()) return
  console.error(`installing ${packages.join(' ')} (apt-get)`)
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' }
  spawnSync('apt-get', [...WAIT, 'update', '-qq'], options)
  const install = [...WAIT, 'install', '-qq', '-y', '--no-install-recommends', ...packages]
  if (spawnSync('apt-get', install, options).status !== 0)
    throw new Error(`install ${packages.join(' ')}: needs apt and root`)
}

export function hasProgram(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
}
