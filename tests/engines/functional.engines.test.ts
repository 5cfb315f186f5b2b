// The SDK's own functional tests, run by Node on emulated Cortex-A53, A72 and A7: whole test files, bundled with the sources they test.
// What whole models make there is compared to the bit in bits.engines.test.ts.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ensureBoards } from './engines.ts'

const FILES = ['frames', 'pcm', 'strength', 'snapshot']
const root = fileURLToPath(new URL('../..', import.meta.url))
/** The other process of snapshot.test.ts. */
const RESUME = join(root, 'tests', 'resume.board.mjs')
const test = suite('functional tests on boards')

test.before(async () => {
  const common = { bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external' } as const
  for (const script of [...FILES.map(scriptOf), RESUME])
    await build({ ...common, entryPoints: [script.replace('.board.mjs', '.ts')], outfile: script })
})
test.after(() => {
  for (const script of [...FILES.map(scriptOf), RESUME]) rmSync(script, { force: true })
})

/** Beside its source: tests name their files from there. */
function scriptOf(name: string): string {
  return join(root, 'sdk', `${name}.test.board.mjs`)
}

for (const { name, emulator, program } of ensureBoards()) {
  test(name, () => {
    for (const file of FILES) {
      const [command, ...before] = [...emulator, program]
      const args = [...before, '--import', 'data:text/javascript,console.log(process.arch)', scriptOf(file)]
      const env = { ...process.env, RESUME_COMMAND: JSON.stringify([command, ...before, RESUME]) }
      const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000, env })
      assert.is(status, 0, `${file}: ${stdout}\n${stderr}`)
      const [arch] = stdout.split('\n')
      const passed = stdout.match(/Passed:\s+(\d+)/)?.[1]
      console.log(`${name}, ${arch}: ${file}, ${passed} passed`)
      assert.is.not(arch, process.arch)
      assert.ok(Number(passed) > 0)
    }
  })
}

test.run()
