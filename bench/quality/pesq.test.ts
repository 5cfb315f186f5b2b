// PESQ bridge: without a build every score is NaN; with one, clean speech scores the maximum and failures are explained.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { measurePesq } from './pesq.ts'
import { synthesiseSpeech } from './syntheticSpeech.ts'

const clean = synthesiseSpeech(3, 1)
const before = { PESQ_PATH: process.env.PESQ_PATH, PESQ_PYTHON: process.env.PESQ_PYTHON }

test.after.each(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

test('is NaN without PESQ_PATH', () => {
  delete process.env.PESQ_PATH
  assert.ok(Number.isNaN(measurePesq([{ clean, enhanced: clean }])[0]))
})

test('an interpreter that does not start is reported', () => {
  process.env.PESQ_PATH = 'no/such/folder'
  process.env.PESQ_PYTHON = 'no-such-python'
  assert.throws(() => measurePesq([{ clean, enhanced: clean }]), /PESQ_FAILED/)
})

if (before.PESQ_PATH)
  test('clean speech scores 4.64', () => {
    assert.ok(measurePesq([{ clean, enhanced: clean }])[0] > 4.6)
  })

test.run()
