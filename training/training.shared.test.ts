// The Python part checks itself: every *_test.py of this folder, a process each. Needs a python3 with torch and numpy.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../', import.meta.url))
const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import numpy, torch']).status === 0,
)

for (const file of readdirSync(fileURLToPath(new URL('.', import.meta.url)))) {
  if (!file.endsWith('_test.py')) continue
  const name = file.slice(0, -'.py'.length)
  test(`training.${name}`, () => {
    assert.ok(python, 'no python3 with numpy and torch: apt-get install python3-torch')
    const { status, stdout, stderr } = spawnSync(python, ['-m', `training.${name}`], { cwd: root, encoding: 'utf8' })
    assert.is(status, 0, `${stdout}${stderr}`)
    const checks = readFileSync(new URL(file, import.meta.url), 'utf8').match(/^def test_/gm)
    assert.ok(checks)
    assert.is(stdout.match(/^ok /gm)?.length, checks.length)
  })
}

test('every program explains itself, and does nothing else', () => {
  const isProgram = (file: string) =>
    file.endsWith('.py') &&
    !file.endsWith('_test.py') &&
    /__main__/.test(readFileSync(new URL(file, import.meta.url), 'utf8'))
  for (const file of readdirSync(fileURLToPath(new URL('.', import.meta.url))).filter(isProgram)) {
    const args = ['-m', `training.${file.slice(0, -'.py'.length)}`, '--help']
    const { status, stdout, stderr } = spawnSync(python!, args, { cwd: root, encoding: 'utf8' })
    assert.is(status, 0, `${file}: ${stderr}`)
    assert.match(stdout, /^usage: /, file)
  }
})

test.run()
