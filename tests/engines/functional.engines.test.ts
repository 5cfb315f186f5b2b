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

const FILES = ['frames', 'pcm']
const root = fileURLToPath(new URL('../..', import.meta.url))
const test = suite('functional tests on boards')

test.before(async () => {
  const entryPoints = FILES.map((name) => join(root, 'sdk', `${name}.test.ts`))
  const common = { bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external' } as const
  await build({ ...common, entryPoints, outdir: join(root, 'sdk'), outExtension: { '.js': '.board.mjs' } })
})
test.after(() => {
  for (const name of FILES) rmSync(join(root, 'sdk', `${name}.test.board.mjs`), { force: true })
})

for (const { name, emulator, program } of ensureBoards()) {
  test(name, () => {
    for (const file of FILES) {
      const script = join(root, 'sdk', `${file}.test.board.mjs`)
      const [command, ...args] = [
        ...emulator,
        program,
        '--import',
        'data:text/javascript,console.log(process.arch)',
        script,
      ]
      const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 120_000 })
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
