// The trained public network reduced by sensitivity: at least 38 dB network SNR for at most 80 MMAC/s of SSM, on the
// calibration clip and on speech and noise that calibration never heard. Needs ../shared and ffmpeg. About two minutes;
// REDUCTION_REPORT=1 prints the choice.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readCheckpoint } from './checkpoint.ts'
import { compileWithin } from './compile.ts'
import { execute } from './execution.ts'
import { formatReduction } from './report.ts'
import { measureSnrDb } from './snr.ts'

const WANTED_DB = 38
const MAX_SSM = 80e6
/** Other recordings are not met as exactly as those that were calibrated on. */
const MARGIN_DB = 4

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const weights = path('../shared/checkpoints/attenuate-retrained.pt')
const held = path('../shared/data/val')

/** 16 kHz mono, whole hops. */
function decode(file: string): Float32Array {
  const { stdout, status } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-f', 'f32le', '-ar', '16000', '-ac', '1', '-'],
    {
      maxBuffer: 1 << 28,
    },
  )
  assert.is(status, 0, `ffmpeg cannot read ${file}`)
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length))
}

/** Six seconds of speech with noise so many dB below it. */
function mix(speech: string, noise: string, snrDb: number): Float32Array {
  const [a, b] = [decode(`${held}/clean/${speech}.flac`), decode(`${held}/noise/${noise}.flac`)]
  const clean = a.subarray(16000, 16000 + 6 * 16000)
  const power = (x: Float32Array) => x.reduce((sum, value) => sum + value * value, 0) / x.length
  const gain = Math.sqrt(power(clean) / power(b)) * 10 ** (-snrDb / 20)
  return clean.map((value, i) => value + gain * b[i % b.length])
}

test('at least 38 dB at no more than 80 MMAC/s, by sensitivity', () => {
  assert.ok(existsSync(weights), `${weights} is missing`)
  const full = readCheckpoint(readFileSync(weights))
  const { report, checkpoint } = compileWithin(full, {
    targetSnrDb: WANTED_DB + MARGIN_DB,
    calibration: decode(path('examples/clip/noisy.wav')),
  })
  if (process.env.REDUCTION_REPORT) console.log(formatReduction(report!))
  assert.ok(report!.ssmMacsPerSecondAfter <= MAX_SSM, `${report!.ssmMacsPerSecondAfter} MAC/s`)
  assert.ok(report!.snrDb! >= WANTED_DB + MARGIN_DB)
  for (const [speech, noise, snrDb] of [
    ['ls_1688_00', 'babble', 5],
    ['so_0306_00', 'blanket_coffee-shop', 0],
    ['an4_fkai_00', 'max_car_engine', 10],
    ['so_2327_00', 'esc10_rain', 5],
  ] as const) {
    const samples = mix(speech, noise, snrDb)
    const [x, y] = [full, checkpoint].map(({ graph }) => execute(graph, samples).signals.get('output')!)
    const found = measureSnrDb(y, x)
    if (process.env.REDUCTION_REPORT) console.log(`${speech} in ${noise}: ${found.toFixed(1)} dB`)
    assert.ok(found >= WANTED_DB, `${speech} in ${noise}: ${found.toFixed(1)} dB`)
  }
})

test.run()
