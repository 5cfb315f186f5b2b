// The bundle on a machine that has neither Node nor npm: a PATH of a few programs, SwiftShader for a GPU. It runs the bench
// and leaves figures, part by part.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { softwareDriver } from '../../sdk/webgpu/fixture.ts'
import { writeBundle } from './bundle.ts'

const PROGRAMS = ['bash', 'gzip', 'mktemp', 'rm', 'chmod', 'timeout', 'tee', 'dirname']

test('runs where nothing else is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    await writeBundle(join(folder, 'bundle'))
    for (const program of PROGRAMS) {
      const path = ['/usr/bin', '/bin'].map((bin) => join(bin, program)).find((each) => existsSync(each))
      symlinkSync(path!, join(folder, program))
    }
    const figures = join(folder, 'figures.json')
    // the time is no limit here: one number of streams takes what its shaders take to compile
    const options = ['--seconds', '900', '--models', 'lite', '--counts', '1', '--most', '1', '--threads', '1']
    const { stdout, status } = spawnSync('/bin/bash', [join(folder, 'bundle/run.sh'), figures, ...options], {
      env: { PATH: folder, VK_DRIVER_FILES: softwareDriver(), TMPDIR: folder },
      encoding: 'utf8',
    })
    assert.is(status, 0, stdout)
    const { adapter, models } = JSON.parse(readFileSync(figures, 'utf8'))
    assert.match(adapter, /swiftshader/i)
    const { rows, withinDeadline } = models.lite.f32
    for (const [precision, leastDb] of [
      ['f32', 80],
      ['f16', 45],
    ] as const) {
      const { variants } = models.lite[precision]
      const { parityDb } = variants.find(({ weights }: { weights: string }) => weights === 'f32')
      assert.ok(parityDb >= leastDb, `${precision}: ${parityDb} dB`)
    }
    assert.equal(
      rows.map(({ streams }: { streams: number }) => streams),
      [1],
    )
    assert.ok(rows[0].ratio > 0 && rows[0].p99Ms >= rows[0].p50Ms)
    assert.is(withinDeadline.tried.length, 1)
    assert.is(models.lite.f16.rows.length, 1)
    assert.match(readFileSync(`${figures}.log`, 'utf8'), /lite, f32[\s\S]*lite, f16/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
