// Programs of this checkout: every `npm run` that measures, fuzzes or writes explains itself where it is asked to and
// refuses in one line what it does not know, and does nothing else.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('..', import.meta.url))
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> }
/** The steps of `npm run build` take nothing. */
const programs = Object.entries(scripts).filter(
  ([name, line]) => line.includes('--import tsx') && !name.startsWith('build'),
)
const demos = Object.entries(scripts).filter(([name]) => name.startsWith('demo:'))
const test = suite('programs')

for (const [name, line] of [...programs, ...demos]) {
  test(`npm run ${name} -- --help`, async () => {
    const { code, said } = await run(line, '--help')
    assert.is(code, 0, said)
    assert.ok(said.includes(`npm run ${name}`), said)
  })

  test(`npm run ${name} -- --no-such-option`, async () => {
    const { code, said } = await run(line, '--no-such-option')
    assert.is(code, 1, said)
    assert.match(said, /^.*--no-such-option.*\n$/)
  })
}

async function run(line: string, option: string): Promise<{ code: number; said: string }> {
  const [, ...args] = line.split(' ')
  const child = spawn(process.execPath, [...args, option], { cwd: root, timeout: 20_000 })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
  const [code] = await once(child, 'close')
  return { code, said }
}

test.run()
