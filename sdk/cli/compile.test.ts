// `attenuate compile` as a process: targets reached and printed, refusals in one line that leave nothing behind. Runs the
// built package (dist/).
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { describeNetwork } from '../../quantize/attenuate.ts'
import { type Checkpoint, makeCheckpoint, writeCheckpoint } from '../../quantize/checkpoint.ts'
import { fillNetwork } from '../../quantize/specimens.ts'
import { encodeSamples } from '../pcm.ts'
import { encodeWavHeader } from '../wav.ts'

const program = fileURLToPath(new URL('../../dist/sdk/cli/index.js', import.meta.url))
const clip = fileURLToPath(new URL('../../examples/clip/noisy.wav', import.meta.url))

interface Place {
  folder: string
}
const test = suite<Place>('attenuate compile')

test.before.each((place) => {
  place.folder = mkdtempSync(join(tmpdir(), 'attenuate-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true }))

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'compile', ...args])
  return { status, stdout: stdout.toString(), stderr: stderr.toString() }
}

function small(seed = 1): Checkpoint {
  const json = describeNetwork(['encoder', 'neck', 'decoder'], { channels: [3, 4], factors: [4, 2], order: 24 })
  return fillNetwork(json, seed, true)
}

function save({ folder }: Place, checkpoint: Pick<Checkpoint, 'text' | 'tensors'>, name = 'c.safetensors'): string {
  const path = join(folder, name)
  writeFileSync(path, writeCheckpoint(checkpoint))
  return path
}

/** 16-bit mono. */
function saveWav({ folder }: Place, samples: Float32Array, sampleRate = 16000, name = 'c.wav'): string {
  const body = new Uint8Array(2 * samples.length)
  encodeSamples('s16', samples, samples.length, body)
  const path = join(folder, name)
  writeFileSync(
    path,
    Buffer.concat([encodeWavHeader({ sampleFormat: 's16', sampleRate, channels: 1 }, body.length), body]),
  )
  return path
}

/** Some of the bundled clip. */
function speech(): Float32Array {
  const bytes = readFileSync(clip)
  return Float32Array.from({ length: 9600 }, (_, i) => bytes.readInt16LE(44 + 2 * (20000 + i)) / 32768)
}

test('a target SNR, a limit of MACs, a tolerance: reached, and the choice is printed', (place) => {
  const checkpoint = save(place, small())
  const wav = saveWav(place, speech())
  const model = join(place.folder, 'm.ssm')
  const bySnr = run(checkpoint, '-o', model, '--target-snr', '30', '--calibration', wav, '--json')
  assert.is(bySnr.status, 0, bySnr.stderr)
  const { reduction, macsPerSecond } = JSON.parse(bySnr.stdout)
  assert.ok(reduction.snrDb >= 30)
  assert.is(macsPerSecond, reduction.macsPerSecondAfter)
  const limit = (reduction.macsPerSecondAfter + 50e3) / 1e6
  const byMacs = run(checkpoint, '-o', model, '--macs', `${limit}M`, '--calibration', wav, '--json')
  assert.is(byMacs.status, 0, byMacs.stderr)
  assert.ok(JSON.parse(byMacs.stdout).macsPerSecond <= limit * 1e6)
  const orders = (...args: string[]) =>
    JSON.parse(run(checkpoint, '-o', model, '--tolerance', '0.1', '--json', ...args).stdout).reduction.layers
  const plain = orders()
  assert.equal(orders('--format', 'int8'), plain, 'how weights are stored decides nothing')
  assert.not.equal(orders('--format', 'int8', '--calibration', wav), plain)
  assert.equal(orders('--calibration', wav), orders('--format', 'int8', '--calibration', wav))
  const byTolerance = run(checkpoint, '-o', model, '--tolerance', '0.01')
  assert.is(byTolerance.status, 0, byTolerance.stderr)
  assert.match(byTolerance.stderr, /down0_ssm +(complex|real poles|FIR|original).* 24 +-> \d+ /)
  assert.match(byTolerance.stderr, /SSMs +[\d.]+ -> [\d.]+ MMAC\/s/)
})

test('--report: every number format against the trained network; the reduced one as a checkpoint', (place) => {
  const checkpoint = save(place, small(4))
  const wav = saveWav(place, speech())
  const [model, reduced] = ['m.ssm', 'r.safetensors'].map((name) => join(place.folder, name))
  const args = [checkpoint, '-o', model, '--target-snr', '30', '--calibration', wav]
  const found = run(...args, '--clean', wav, '--report', '--write-checkpoint', reduced, '--json')
  assert.is(found.status, 0, found.stderr)
  const { formats, reduction, macsPerSecond } = JSON.parse(found.stdout)
  const names = formats.map(({ name }: { name: string }) => name)
  assert.equal(names.slice(0, 3), ['trained', 'reduced', 'int8'])
  assert.ok(names.includes('int4'))
  const [trained, float, int8] = formats
  assert.is(trained.snrDb, undefined)
  assert.ok(
    Math.abs(float.snrDb - reduction.snrDb) < 0.1,
    `${float.snrDb} of the core, ${reduction.snrDb} of the graph`,
  )
  assert.ok(int8.bytes < float.bytes && float.macsPerSecond === macsPerSecond)
  for (const { siSdrDb, stoi, name } of formats) assert.ok(Number.isFinite(siSdrDb) && stoi <= 1, name)
  assert.ok(int8.snrAtLevelsDb.length === 4 && int8.snrDb > 10)
  const text = run(reduced, '-o', model, '--json')
  assert.is(JSON.parse(text.stdout).macsPerSecond, macsPerSecond)
  const wrong = run(...args, '--report', '--clean', clip)
  assert.match(
    wrong.stderr,
    /^attenuate: .*noisy\.wav: AUDIO_INVALID: samples, \d+; give the clean original, 9600 samples/,
  )
})

test('refusals: one line, exit code 1, no model', (place) => {
  const model = join(place.folder, 'm.ssm')
  const checkpoint = save(place, small())
  const silence = saveWav(place, new Float32Array(9600))
  const noisy = saveWav(place, speech(), 16000, 'n.wav')
  const unstable = small()
  unstable.tensors.get('down1_ssm.A')!.data[4] = -1e4
  const broken = small()
  broken.tensors.get('up0_ssm.C')!.data[3] = Number.NaN
  const cases: [string[], RegExp][] = [
    [[checkpoint, '--target-snr', '30', '--calibration', silence], /AUDIO_INVALID: calibration audio is silent/],
    [[checkpoint, '--macs', '1k', '--calibration', noisy], /TARGET_IMPOSSIBLE: .*; at least \d+ are needed/],
    [[checkpoint, '--target-snr', '400', '--calibration', noisy], /OPTION_INVALID: target SNR in dB, 400/],
    [[checkpoint, '--target-snr', '30', '--tolerance', '0.1'], /OPTION_INVALID: more than one/],
    [[checkpoint, '--tolerance', '2'], /OPTION_INVALID: tolerance, 2/],
    [[checkpoint, '--clean', noisy], /OPTION_INVALID: --clean without --report, .*n\.wav; add --report/],
    [[checkpoint, '--mixed-snr', '20'], /OPTION_INVALID: --mixed-snr without --format mixed or --report, 20/],
    [[checkpoint, '--mixed-snr', '20', '--format', 'int8'], /OPTION_INVALID: --mixed-snr without --format mixed/],
    [[checkpoint, '--calibration', noisy], /OPTION_INVALID: --calibration without --target-snr, .*n\.wav/],
    [[checkpoint, '--target-snr', '30', '--calibration', checkpoint], /c\.safetensors: AUDIO_INVALID: not a WAV file/],
    [
      [save(place, unstable, 'u.safetensors')],
      /u\.safetensors: TENSOR_VALUE: node down1_ssm: decay per step of pole 2/,
    ],
    [
      [save(place, broken, 'n.safetensors'), '--tolerance', '0.1'],
      /TENSOR_VALUE: node up0_ssm: up0_ssm\.C at element 3/,
    ],
  ]
  const before = readdirSync(place.folder)
  for (const [args, message] of cases) {
    const { status, stderr, stdout } = run(...args, '-o', model)
    assert.match(stderr, message)
    assert.is(stderr.trimEnd().split('\n').length, 1, stderr)
    assert.is(status, 1)
    assert.is(stdout, '')
    assert.equal(readdirSync(place.folder), before)
  }
})

test('two results in one file, or over a recording that was given: refused; where one cannot be written, neither is', (place) => {
  const checkpoint = save(place, small())
  const noisy = saveWav(place, speech())
  const [model, lost] = [join(place.folder, 'm.ssm'), join(place.folder, 'none', 'z')]
  const before = readdirSync(place.folder)
  const cases: [string[], RegExp][] = [
    [
      ['-o', model, '--write-checkpoint', join(place.folder, '.', 'm.ssm')],
      /--output and --write-checkpoint in one file/,
    ],
    [['-o', noisy, '--calibration', noisy, '--format', 'int8'], /OPTION_INVALID: output is the input, .*c\.wav/],
    [
      ['-o', model, '--report', '--clean', noisy, '--write-checkpoint', noisy],
      /OPTION_INVALID: output is the input, .*c\.wav/,
    ],
    [['-o', model, '--write-checkpoint', lost], /OPTION_INVALID: cannot be written \(ENOENT\), .*z/],
  ]
  const recording = readFileSync(noisy)
  for (const [args, message] of cases) {
    const { status, stderr } = run(checkpoint, ...args)
    assert.match(stderr, message)
    assert.is(status, 1)
    assert.equal(readdirSync(place.folder), before)
    assert.ok(readFileSync(noisy).equals(recording))
  }
})

test('blamed is what is wrong: the calibration, the output or the option, not the checkpoint', (place) => {
  const checkpoint = save(place, small())
  const text = join(place.folder, 'text.wav')
  writeFileSync(text, 'this is text, however it is called')
  const [model, lost] = [join(place.folder, 'm.ssm'), join(place.folder, 'none', 'z')]
  const cases: [string[], RegExp][] = [
    [['-o', lost], /^attenuate: OPTION_INVALID: cannot be written \(ENOENT\), .*z;/],
    // before there is work to lose: the calibration is not even read
    [
      ['-o', lost, '--calibration', text, '--format', 'int8'],
      /^attenuate: OPTION_INVALID: cannot be written \(ENOENT\)/,
    ],
    [
      ['-o', model, '--write-checkpoint', place.folder, '--calibration', text, '--format', 'int8'],
      /^attenuate: OPTION_INVALID: cannot be written \(EISDIR\)/,
    ],
    [
      ['-o', model, '--calibration', lost, '--format', 'int8'],
      /^attenuate: LOAD_FAILED: cannot be read \(ENOENT\), .*z;/,
    ],
    [
      ['-o', model, '--calibration', text, '--format', 'int8'],
      /^attenuate: [^:]*text\.wav: AUDIO_INVALID: not a WAV file/,
    ],
    [['-o', model, '--tolerance', '2'], /^attenuate: OPTION_INVALID: tolerance, 2/],
    [['-o', model, '--causal', 'neck'], /^attenuate: OPTION_INVALID: causal parts of a checkpoint/],
  ]
  for (const [args, message] of cases) {
    const { status, stderr } = run(checkpoint, ...args)
    assert.match(stderr, message)
    assert.is(status, 1)
  }
})

test('audio of another rate is resampled; options that are no numbers are refused', (place) => {
  const port = { rate: 4000, hop: 16 }
  const text = JSON.stringify({
    version: 1,
    name: 'slow',
    input: port,
    output: port,
    graph: [
      { name: 'group', op: 'reshape', in: ['input'], shape: [4, 1, 4] },
      { name: 'x', op: 'ssm', in: ['group'], channels: 4, order: 12 },
      { name: 'output', op: 'reshape', in: ['x'], shape: [16, 1, 1] },
    ],
  })
  const checkpoint = save(place, makeCheckpoint(text, fillNetwork(JSON.parse(text)).tensors))
  const found = run(checkpoint, '-o', join(place.folder, 'm.ssm'), '--target-snr', '30', '--json')
  assert.is(found.status, 0, found.stderr)
  assert.ok(JSON.parse(found.stdout).reduction.snrDb >= 30)
  for (const args of [
    ['--macs', 'many'],
    ['--target-snr', ''],
  ])
    assert.is(run(checkpoint, '-o', 'm.ssm', ...args).status, 1)
})

test.run()
