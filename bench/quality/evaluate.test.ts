// The command line end to end on a small synthetic source folder: table, JSON, WAVs, and errors that say what to do.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TaskResult } from './report.ts'
import { meanScores } from './scores.ts'
import { synthesiseNoise, synthesiseSpeech } from './syntheticSpeech.ts'
import { writeWav16 } from './wav.ts'

const folder = mkdtempSync(join(tmpdir(), 'quality-test-'))
const command = fileURLToPath(new URL('./evaluate.ts', import.meta.url))

const evaluate = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', command, ...args], {
    encoding: 'utf8',
    env: { ...process.env, PESQ_PATH: '', PEERS_MODULES: '', GTCRN_ONNX: '' },
  })

test.before(() => {
  for (const [kind, samples] of [
    ['clean', synthesiseSpeech(8, 1)],
    ['noise', synthesiseNoise(128000, 0.05, 2)],
  ] as const) {
    mkdirSync(join(folder, kind))
    writeFileSync(join(folder, kind, 'fan_00.wav'), writeWav16({ samples, sampleRate: 16000 }))
  }
})
test.after(() => rmSync(folder, { recursive: true }))

test('prints tables, writes JSON and WAVs, names what is absent', () => {
  const [json, wavs] = [join(folder, 'out.json'), join(folder, 'wavs')]
  const systems = 'noisy,spectral,gtcrn'
  const { status, stdout, stderr } = evaluate(
    ...['--sources', folder, '--systems', systems, '--tasks', 'denoise,noise', '--count', '5', '--clips', '1'],
    ...['--json', json, '--write', wavs],
  )
  assert.is(status, 0, stderr)
  assert.match(stdout, /Denoising \(5 clips\)/)
  assert.match(stderr, /left out: GTCRN/)
  const { results } = JSON.parse(readFileSync(json, 'utf8')) as { results: TaskResult[] }
  const [noisy, spectral] = results[0].systems.map(({ clips }) => meanScores(clips.map((c) => c.scores)))
  assert.ok(spectral.siSdr > noisy.siSdr + 3, `${spectral.siSdr} against ${noisy.siSdr}`)
  assert.is(readdirSync(join(wavs, 'denoise', 'spectral-subtraction')).length, 5)
})

test('a missing source folder and an unknown task are explained', () => {
  assert.match(evaluate('--sources', 'no/such/folder').stderr, /SOURCES_MISSING: .*pass --sources DIR/)
  assert.match(evaluate('--tasks', 'sing').stderr, /OPTION: --tasks sing; use some of denoise/)
})

test('help lists options and environment', () => {
  assert.match(evaluate('--help').stdout, /--systems LIST[\s\S]*PESQ_PATH/)
})

test.run()
