// Baselines: spectral subtraction does what it says, our adapter aligns, absent peers are reported and not thrown.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rmsDb } from '../level.ts'
import { measureSiSdr } from '../metrics/sisdr.ts'
import { synthesiseNoise, synthesiseSpeech } from '../syntheticSpeech.ts'
import { openCommand } from './command.ts'
import { openGtcrn } from './gtcrn.ts'
import { alignOutput } from './ours.ts'
import { importPeer, requirePeer } from './packages.ts'
import { overSubtraction, subtractSpectrum } from './spectral.ts'

test('spectral subtraction lowers steady noise by 10 to 20 dB', () => {
  const noise = synthesiseNoise(64000, 0.05, 1)
  const cleaned = subtractSpectrum(noise)
  const attenuation = rmsDb(noise.subarray(32000)) - rmsDb(cleaned.subarray(32000))
  assert.ok(attenuation > 10 && attenuation < 20, `${attenuation} dB`)
})

test('spectral subtraction raises SI-SDR of speech in white noise by over 3 dB', () => {
  const clean = synthesiseSpeech(6, 2)
  const noise = synthesiseNoise(clean.length, 0.02, 3)
  const noisy = clean.map((v, i) => v + noise[i])
  assert.ok(measureSiSdr(clean, subtractSpectrum(noisy)) > measureSiSdr(clean, noisy) + 3)
})

test('over-subtraction follows Berouti et al.', () => {
  assert.is(overSubtraction(0), 4)
  assert.is(overSubtraction(20), 1)
  assert.is(overSubtraction(40), 1)
  assert.is(overSubtraction(-20), 4.75)
})

test('alignOutput drops the latency across chunks and pads a short tail', () => {
  const parts = [Float32Array.of(9, 9), Float32Array.of(9, 1, 2), new Float32Array(0), Float32Array.of(3, 4, 5)]
  assert.equal([...alignOutput(parts, 3, 4)], [1, 2, 3, 4])
  assert.equal([...alignOutput(parts, 3, 7)], [1, 2, 3, 4, 5, 0, 0])
})

test('a command gets folders of WAVs and its output is cut to length', async () => {
  const clips = [synthesiseNoise(500, 0.1, 1), synthesiseNoise(700, 0.1, 2)]
  const copy = `node -e "const [i, o] = process.argv.slice(-2); fs.cpSync(i, o, { recursive: true })"`
  assert.equal(await openCommand(copy).enhanceAll?.(clips), clips)
})

test('a command that writes nothing is an error', async () => {
  try {
    await openCommand('echo').enhance(synthesiseNoise(500, 0.1, 1))
    assert.unreachable('no error')
  } catch (error) {
    assert.match((error as Error).message, /COMMAND_FAILED: echo/)
  }
})

test('packages that are not installed are undefined', async () => {
  assert.is(requirePeer('no-such-package-at-all'), undefined)
  assert.is(await importPeer('no-such-package-at-all/index.js'), undefined)
})

test('GTCRN without its model says which variable to set', async () => {
  const { GTCRN_ONNX: before } = process.env
  process.env.GTCRN_ONNX = 'no/such/file.onnx'
  const opening = await openGtcrn()
  if (before === undefined) delete process.env.GTCRN_ONNX
  else process.env.GTCRN_ONNX = before
  assert.ok('absent' in opening && /GTCRN_ONNX/.test(opening.absent))
})

test.run()
