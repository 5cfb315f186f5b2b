// The browser that tests/browser runs in. Installed where that can be done without a question (apt, as root); elsewhere its
// absence is a failure that says what to do.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const PROGRAMS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export function ensureChromium() {
  const isThere = () => PROGRAMS.some((path) => path !== undefined && existsSync(path))
  if (isThere() || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  console.error('installing Chromium (apt-get)')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
  spawnSync('apt-get', ['install', '-qq', '-y', '--no-install-recommends', 'chromium'], { env, stdio: 'ignore' })
}
