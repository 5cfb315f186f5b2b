// The package as installed by an outside project, in each Node from 20 to 26: the library and the command line.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ensureDesktops } from '../engines/engines.ts'
import { installOutside, pack, run } from './outside.ts'

const CLI = 'node_modules/attenuate-edge/dist/sdk/cli/index.js'
const CLIP = 'node_modules/attenuate-edge/examples/clip/noisy.wav'

const test = suite<{ folder: string; project: string }>('package in other Nodes')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'nodes-'))
  context.project = installOutside(context.folder, join(context.folder, pack(context.folder).filename))
  const { code } = transformSync(readFileSync(join(context.project, 'main.ts'), 'utf8'), { loader: 'ts' })
  writeFileSync(join(context.project, 'main.js'), code)
})
test.after(({ folder }) => rmSync(folder, { recursive: true }))

const expected = { samples: 48000, samplesIn: 48000, refused: 'DISPOSED' }
const cleaned = new Map<string, Buffer>()

for (const { name, program } of [{ name: `Node ${process.version}`, program: process.execPath }, ...ensureDesktops()]) {
  test(name, ({ project }) => {
    const { latencyMs, ...said } = JSON.parse(run(program, ['main.js'], project))
    assert.equal(said, expected)
    assert.ok(latencyMs > 16 && latencyMs < 25, latencyMs)
    run(program, [CLI, 'denoise', CLIP, 'clean.wav'], project)
    cleaned.set(name, readFileSync(join(project, 'clean.wav')))
  })
}

test('the same file from each', () => {
  const [first, ...others] = [...cleaned.values()]
  assert.is(others.length, 3)
  for (const other of others) assert.ok(first.equals(other))
})

test.run()
