// Hostile files at the command line: one line that names file and value, exit code 1, nothing written, nothing run. The
// parsers' own tests have many more cases (quantize/pytorch.test.ts, tests/fuzz). Runs the built package (dist/).

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  archiveOf,
  floats,
  global,
  ordered,
  pickle,
  REDUCE,
  referenceState,
  tensorOps,
  torchSave,
  tuple,
  u32,
  unicode,
} from '../quantize/specimens.pytorch.ts'

const program = fileURLToPath(new URL('../dist/sdk/cli/index.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attenuate-hostile-'))
const marker = join(folder, 'was-run')
const checkpoint = (data: Uint8Array) => archiveOf({ 'x/data.pkl': data, 'x/data/0': floats([1]) })
const call = (module: string, name: string, argument: string) =>
  checkpoint(pickle(global(module, name), tuple(unicode(argument)), REDUCE))

const withoutOne = referenceState().state
withoutOne.delete('hid_ssms.0.1.log_dt')

const CASES: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['system', call('os', 'system', `touch ${marker}`), /PICKLE_REFUSED: global, os system/],
  ['eval', call('builtins', 'eval', `open('${marker}', 'w')`), /PICKLE_REFUSED: global, builtins eval/],
  ['load', call('torch', 'load', marker), /PICKLE_REFUSED: global, torch load/],
  [
    'inst',
    checkpoint(pickle([0x28, 0x69, ...global('os', 'system').slice(1)])),
    /PICKLE_REFUSED: opcode at byte 3, 0x69/,
  ],
  ['protocol', checkpoint(Uint8Array.from([0x80, 4, 0x4e, 0x2e])), /PICKLE_REFUSED: pickle protocol, 4/],
  ['deep', checkpoint(pickle(new Array(70_000).fill(0x28), [0x4e])), /PICKLE_INVALID: /],
  ['many', checkpoint(pickle([0x5d], new Array(400_000).fill([0x7d, 0x61]).flat())), /PICKLE_INVALID: too many ops/],
  ['long', checkpoint(pickle([0x58, ...u32(0xfffffff0)])), /PICKLE_INVALID: file ends inside a value/],
  [
    'huge',
    checkpoint(pickle(ordered, unicode('w'), tensorOps('0', 2 ** 30, [2 ** 30], [1]), [0x73])),
    /PICKLE_INVALID: elements up to tensor w, 1073741824/,
  ],
  [
    'zip',
    archiveOf({ 'x/data.pkl': deflateRawSync(new Uint8Array(1 << 24)) }, 8),
    /ZIP_INVALID: .*compressed, method 8/,
  ],
  ['key', torchSave(withoutOne), /TENSOR_MISSING: .*hid_ssms\.0\.1\.log_dt/],
  ['empty', new Uint8Array(0), /FILE_UNKNOWN/],
]

for (const [name, bytes, message] of CASES) {
  test(`compile ${name}.pt`, () => {
    const file = join(folder, `${name}.pt`)
    writeFileSync(file, bytes)
    const before = readdirSync(folder)
    const run = spawnSync(process.execPath, [program, 'compile', file, '-o', join(folder, `${name}.ssm`)], {
      encoding: 'utf8',
    })
    assert.match(run.stderr, message)
    assert.ok(run.stderr.includes(`${name}.pt`), run.stderr)
    assert.is(run.stderr.trimEnd().split('\n').length, 1, run.stderr)
    assert.is(run.status, 1)
    assert.is(run.stdout, '')
    assert.equal(readdirSync(folder), before)
    assert.not.ok(existsSync(marker))
  })
}

test.after(() => rmSync(folder, { recursive: true }))
test.run()
