// Makes sure that the dependencies of package-lock.json are there: `npm ci` where one is missing or of another version.
// Needs Node and npm alone, so that the first command on a fresh machine may be `npm start` or `npm test`.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** In: the folder of a package.json, with a slash at its end; the package itself by default. */
export function install(folder = './') {
  if (isInstalled(folder)) return
  console.error(`installing dependencies (npm ci${folder === './' ? '' : ` in ${folder}`})`)
  run('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error'])
}

function isInstalled(folder) {
  const wanted = readPackages(`${folder}package-lock.json`)
  const present = readPackages(`${folder}node_modules/.package-lock.json`)
  if (wanted === undefined || present === undefined) return false
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  )
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Runs a command in the package's folder; its failure is ours. Standard output goes to standard error. */
export function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', process.stderr, 'inherit'],
    shell: process.platform === 'win32',
  })
  if (error !== undefined || status !== 0) {
    console.error(`failed: ${command} ${args.join(' ')}${error === undefined ? '' : ` (${error.message})`}`)
    process.exit(status || 1)
  }
}
