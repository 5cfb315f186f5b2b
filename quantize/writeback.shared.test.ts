// A reduced network written back: training/ loads it, computes the same and has a gradient for every tensor, with weights
// rounded to integers too; the compiler reads it again as the same function. Needs a python3 with torch.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeNetwork } from './attenuate.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { compileWithReport } from './compile.ts'
import { execute } from './execution.ts'
import { measureSnrDb } from './snr.ts'
import { drawNormal, fillNetwork, seedRandom } from './specimens.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import numpy, torch']).status === 0,
)
const SCRIPT = `
import sys, numpy as np, torch
from training.network import from_checkpoint
network = from_checkpoint(sys.argv[1])
y = network(torch.from_numpy(np.fromfile(sys.argv[2], np.float32))[None])
y.square().mean().backward()
missing = [name for name, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
assert not missing, missing
y.detach().numpy()[0].tofile(sys.argv[3])
for form in ('int8', 'int4'):
    network.format = form
    network.zero_grad()
    z = network(torch.from_numpy(np.fromfile(sys.argv[2], np.float32))[None])
    z.square().mean().backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for n, p in network.named_parameters() if n.endswith('/C')), form
    z.detach().numpy()[0].tofile(sys.argv[3] + '.' + form)
`

const folder = mkdtempSync(join(tmpdir(), 'writeback-'))
test.after(() => rmSync(folder, { recursive: true }))

function readSamples(file: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(file)).buffer)
}

test('reduced, written, trained further, compiled again', () => {
  assert.ok(python, 'no python3 with numpy and torch: install python3-torch')
  const random = seedRandom(2)
  const samples = Float32Array.from({ length: 4096 }, () => 0.1 * drawNormal(random))
  const forms = new Set<string>()
  for (const [seed, tolerance] of [
    [1, 0.03],
    [2, 0.003],
    [3, 0.2],
  ]) {
    const json = describeNetwork(['encoder', 'neck', 'decoder'], { channels: [3, 6], factors: [4, 2], order: 32 })
    const bytes = writeCheckpoint(fillNetwork(json, seed, true))
    const { checkpoint, report } = compileWithReport(bytes, { tolerance })
    for (const { form } of report!.layers) forms.add(form)
    const [file, input, output] = ['c.safetensors', 'x.f32', 'y.f32'].map((name) => join(folder, name))
    writeFileSync(file, writeCheckpoint(checkpoint))
    writeFileSync(input, new Uint8Array(samples.buffer))
    const { status, stderr } = spawnSync(python!, ['-c', SCRIPT, file, input, output], { cwd: root })
    assert.is(status, 0, stderr.toString())
    const wanted = execute(checkpoint.graph, samples).signals.get('output')!
    const trained = readSamples(output)
    assert.ok(measureSnrDb(trained, wanted) > 90, `training: ${measureSnrDb(trained, wanted)} dB`)
    const [int8, int4] = ['.int8', '.int4'].map((form) => measureSnrDb(readSamples(output + form), wanted))
    assert.ok(int8 > 20 && int4 < int8 - 10, `rounded while training: int8 ${int8} dB, int4 ${int4} dB`)
    const again = execute(readCheckpoint(readFileSync(file)).graph, samples).signals.get('output')!
    assert.ok(measureSnrDb(again, wanted) > 100, `compiler: ${measureSnrDb(again, wanted)} dB`)
  }
  assert.ok(forms.size >= 3, [...forms].join(', '))
})

test.run()
