// The pure parts of training/collect.py (levels, silence, joining, what is kept out by its sound), checked by its own script.
// Needs a python3 with numpy, which comes with the PyTorch of training/README.md.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../../', import.meta.url))
const CHECKS = 9
const python = ['/usr/bin/python3', 'python3'].find((name) => spawnSync(name, ['-c', 'import numpy']).status === 0)

test('the collector of training audio passes its checks', () => {
  assert.ok(python, 'needs a python3 with numpy: apt install python3-numpy')
  const { status, stdout, stderr } = spawnSync(python!, ['-m', 'training.collect_test'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.is(status, 0, stderr)
  assert.is(stdout.match(/^ok /gm)?.length, CHECKS)
})

test.run()
