// The signatures that users build on: docs/api as committed against what the built declarations say now. A change of them is
// seen in review, never by a user first.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('every exported signature is the committed one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'api-'))
  try {
    const made = run(process.execPath, ['scripts/api.mjs', '--to', folder])
    assert.is(made.status, 0, made.stdout + made.stderr)
    const { status, stdout, stderr } = run('git', ['diff', '--no-index', '--unified=2', 'docs/api', folder])
    const remedy = 'if that is meant: npm run api, commit docs/api, and a line in CHANGELOG.md'
    assert.is(status, 0, `exported signatures differ from docs/api; ${remedy}\n${stdout}${stderr}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function run(command: string, args: readonly string[]) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8' })
}

test.run()
