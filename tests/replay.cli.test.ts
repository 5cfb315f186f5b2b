// `attenuate replay`: a recording made in this process plays again to the bit in another; what is wrong with one is said in
// one line. Runs the built package (dist/).

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser } from '../sdk/index.ts'
import { decodeRecording, encodeRecording } from '../sdk/recording.ts'
import { drawSamples } from './golden/signal.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = join(root, 'dist/sdk/cli/index.js')
const folder = mkdtempSync(join(tmpdir(), 'attenuate-replay-'))
const at = (name: string) => join(folder, name)

function attenuate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr: stderr.trimEnd() }
}

test('the same bits in another process, as WAV', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', recordSeconds: 5, channels: 2 })
  const samples = drawSamples(30_000, 3, 0.2)
  const out = [denoiser.process(samples.subarray(0, 16_000)), denoiser.conceal(500)]
  denoiser.strengthDb = -12
  out.push(denoiser.process(samples.subarray(16_000)), denoiser.flush())
  writeFileSync(at('good.atnr'), denoiser.recording())

  const { status, stdout, stderr } = attenuate(
    'replay',
    at('good.atnr'),
    '-o',
    at('out.wav'),
    '-i',
    at('in.wav'),
    '--json',
  )
  assert.is(status, 0, stderr)
  const report = JSON.parse(stdout)
  assert.is(report.isIdentical, true)
  assert.is(report.model, 'lite')
  assert.is(report.calls, 3)
  const expected = Buffer.concat(
    out.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  )
  assert.ok(readFileSync(at('out.wav')).subarray(-expected.length).equals(expected))
  assert.ok(readFileSync(at('in.wav')).subarray(-samples.byteLength).equals(Buffer.from(samples.buffer)))
})

test('other bits are told, with exit code 1', () => {
  const recording = decodeRecording(new Uint8Array(readFileSync(at('good.atnr'))))
  recording.stretches[0].samples[5000] += 0.01
  writeFileSync(at('other.atnr'), encodeRecording(recording))
  const { status, stderr } = attenuate('replay', at('other.atnr'))
  assert.is(status, 1)
  assert.match(stderr, 'NOT the bits of the recording')
})

test('one line for what is no recording, is missing, or needs a model that is not there', () => {
  const good = readFileSync(at('good.atnr'))
  writeFileSync(at('cut.atnr'), good.subarray(0, 4000))
  writeFileSync(at('text.atnr'), 'not a recording, but long enough to hold a header')
  const recording = decodeRecording(new Uint8Array(good))
  const foreign = recording.stretches.map((stretch) => {
    const snapshot = stretch.snapshot.slice()
    snapshot.fill(7, 16, 48)
    return { ...stretch, snapshot }
  })
  writeFileSync(at('foreign.atnr'), encodeRecording({ ...recording, stretches: foreign }))
  for (const [name, message] of [
    ['cut.atnr', /cut\.atnr: STATE_INVALID: recording: length, 4000 of \d+ bytes/],
    ['text.atnr', /text\.atnr: STATE_INVALID: recording: not a recording: magic/],
    ['absent.atnr', /LOAD_FAILED: cannot be read \(ENOENT\), .*absent\.atnr/],
    ['foreign.atnr', /foreign\.atnr: STATE_INVALID: recording of a model that is not shipped: SHA-256, 0707.*--model/],
  ] as const) {
    const { status, stderr } = attenuate('replay', at(name), '-o', at('none.wav'))
    assert.is(status, 1)
    assert.match(stderr, message)
    assert.is(stderr.split('\n').length, 1, stderr)
    assert.not.ok(existsSync(at('none.wav')))
  }
})

test.after(() => rmSync(folder, { recursive: true }))
test.run()
