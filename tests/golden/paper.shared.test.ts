// The public network at full size, 20 s of noisy speech at four levels: compiled from its .pt and run by the core, against
// the float64 reference, which maps the .pt by itself (training/golden_paper.py). Needs ../shared and a python3 with torch.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../quantize/compile.ts'
import { measureSwingSnrDb, openBuild, playWhole } from './hops.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const weights = join(root, '../shared/checkpoints/attenuate-retrained.pt')
const clip = join(root, 'examples/clip/noisy.wav')
const RATE = 16000
const SAMPLES = 20 * RATE + 123
const OFFSET = 7
const EDGE = 2000
const NEEDED_DB = 80
const WAV_HEADER_BYTES = 44

const folder = mkdtempSync(join(tmpdir(), 'golden-paper-'))
const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import numpy, torch']).status === 0,
)

for (const levelDb of [-60, -40, -20, 0]) {
  test(`full size at ${levelDb} dBFS`, () => {
    assert.ok(existsSync(weights), `${weights} is missing`)
    assert.ok(python, 'no python3 with numpy and torch: install python3-torch')
    const module = openBuild('simd')
    assert.ok(module, 'no core in build/: run `npm run build:wasm`')
    const samples = readClip(levelDb)
    const expected = runReference(samples)
    const found = playWhole(module, compile(readFileSync(weights)), samples, new Set())
    assert.is(found.length, expected.length)
    for (const [from, to] of windows(expected.length)) {
      const snrDb = measureSwingSnrDb(found.subarray(from, to), expected.subarray(from, to))
      if (process.env.GOLDEN_REPORT) console.log(`${levelDb} dBFS\t${from}..${to}\t${snrDb.toFixed(1)} dB`)
      assert.ok(snrDb >= NEEDED_DB, `samples ${from} to ${to}: ${snrDb.toFixed(1)} dB, ${NEEDED_DB} needed`)
    }
  })
}

test.after(() => rmSync(folder, { recursive: true }))
test.run()

/** The bundled clip over and over from sample OFFSET on, its peak at `levelDb`, in whole 16-bit values. */
function readClip(levelDb: number): Float32Array {
  const bytes = readFileSync(clip)
  const count = (bytes.length - WAV_HEADER_BYTES) >> 1
  const given = Float64Array.from({ length: count }, (_, i) => bytes.readInt16LE(WAV_HEADER_BYTES + 2 * i))
  const peak = given.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const gain = (32767 * 10 ** (levelDb / 20)) / peak
  return Float32Array.from({ length: SAMPLES }, (_, i) => Math.round(given[(i + OFFSET) % count] * gain) / 32768)
}

function runReference(samples: Float32Array): Float64Array {
  const header = Buffer.alloc(WAV_HEADER_BYTES)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + 2 * samples.length, 4)
  header.write('WAVEfmt ', 8)
  for (const [at, value] of [
    [16, 16],
    [24, RATE],
    [28, 2 * RATE],
    [40, 2 * samples.length],
  ])
    header.writeUInt32LE(value, at)
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ])
    header.writeUInt16LE(value, at)
  header.write('data', 36)
  const data = Buffer.from(Int16Array.from(samples, (x) => 32768 * x).buffer)
  writeFileSync(join(folder, 'noisy.wav'), Buffer.concat([header, data]))
  const words = ['-m', 'training.golden', '--paper', weights, '--clip', join(folder, 'noisy.wav'), '--out', folder]
  const run = spawnSync(python as string, words, { cwd: root, encoding: 'utf8' })
  assert.is(run.status, 0, run.stderr)
  const bytes = readFileSync(join(folder, 'output.f64'))
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** First and last samples on their own, then every second. */
function windows(length: number): [number, number][] {
  const seconds = Array.from({ length: Math.floor(length / RATE) }, (_, i): [number, number] => [
    i * RATE,
    (i + 1) * RATE,
  ])
  return [[0, EDGE], [length - EDGE, length], ...seconds]
}
