// `npm run build`: the core and the models, which know nothing of one another, side by side; then the package around them.
// Out: build/, models/*.ssm (in dist/models as the package ships them), dist/.

import { spawn } from 'node:child_process'
import { root } from './installed.mjs'

function run(script) {
  return new Promise((resolve, reject) => {
    const options = { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' }
    const child = spawn('npm', ['run', '--silent', script], options)
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`npm run ${script} failed`))))
  })
}

try {
  await Promise.all([run('build:wasm'), run('build:models')])
  await run('build:sdk')
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
