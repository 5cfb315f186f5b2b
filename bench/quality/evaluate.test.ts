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
  const [json, wavs] = [join(folder, 'new', 'out.json'), join(folder, 'wavs')]
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

test('what is wrong with options and sources is said in one line', () => {
  const bad = mkdtempSync(join(folder, 'bad-'))
  mkdirSync(join(bad, 'clean'))
  const path = join(bad, 'clean', 'x.wav')
  const told = (...args: string[]) => {
    const { status, stderr } = evaluate(...args)
    assert.is(status, 1, stderr)
    assert.is(stderr.trimEnd().split('\n').length, 1, stderr)
    return stderr
  }
  writeFileSync(path, 'no sound')
  assert.match(told('--sources', bad), new RegExp(`^error: WAV_HEADER: not a RIFF/WAVE file.*\\(${path}\\)`))
  writeFileSync(path, writeWav16({ samples: new Float32Array(0), sampleRate: 16000 }))
  assert.match(told('--sources', bad), new RegExp(`^error: SOURCE_EMPTY: no samples in ${path}`))
  assert.match(told('--sources', 'no/such/folder'), /^error: SOURCES_MISSING: .*pass --sources DIR/)
  assert.match(told('--tasks', 'sing'), /^error: .*sing; use some of denoise/)
  assert.match(told('--count', 'x'), /^error: .*--count.*whole number/)
  assert.match(told('--sing'), /^error: unknown option '--sing'/)
})

test('help lists options and environment', () => {
  assert.match(evaluate('--help').stdout, /--systems <list>[\s\S]*PESQ_PATH/)
})

test.run()
