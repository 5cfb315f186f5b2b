// The command line as a newcomer meets it: files and pipes in, files out, one clear line and exit code 1 for whatever is
// wrong, and never half a file. Runs the built package (dist/).
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sealModel } from '../quantize/modelfile.ts'
import { readSafetensors, writeSafetensors } from '../quantize/safetensors.ts'
import { encodeSamples, type SampleFormat, sampleBytes } from '../sdk/pcm.ts'
import { encodeWavHeader, WavReader } from '../sdk/wav.ts'
import { drawSamples } from './golden/signal.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = join(root, 'dist/sdk/cli/index.js')
const checkpoint = join(root, 'tests/golden/spectral.safetensors')
const MODEL = join(root, 'models/lite.ssm')

interface Place {
  folder: string
}
const test = suite<Place>('command line')

test.before.each((place) => {
  place.folder = mkdtempSync(join(tmpdir(), 'attenuate-'))
})
test.after.each((place) => {
  rmSync(place.folder, { recursive: true })
})

function attenuate(args: string[], input?: Uint8Array) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    input: input ?? '',
    maxBuffer: 1 << 26,
  })
  return { status, stdout, stderr: stderr.toString() }
}

/** One line on standard error, exit code 1, nothing on standard output, nothing new in the folder. */
function assertRefused({ folder }: Place, args: string[], message: RegExp, input?: Uint8Array): void {
  const before = readdirSync(folder)
  const { status, stdout, stderr } = attenuate(args, input)
  assert.match(stderr, message)
  assert.is(stderr.trimEnd().split('\n').length, 1, stderr)
  assert.is(status, 1)
  assert.is(stdout.length, 0)
  assert.equal(readdirSync(folder), before)
}

function wav(
  samples: Float32Array,
  sampleFormat: SampleFormat = 's16',
  channels = 1,
  known = true,
  sampleRate = 16000,
): Uint8Array {
  const body = new Uint8Array(samples.length * sampleBytes(sampleFormat))
  encodeSamples(sampleFormat, samples, samples.length, body)
  const format = { sampleFormat, sampleRate, channels }
  return Uint8Array.from([...encodeWavHeader(format, known ? body.length : undefined), ...body])
}

function parse(bytes: Uint8Array) {
  const reader = new WavReader()
  return { data: reader.push(bytes), format: reader.format!, frames: reader.frames }
}

test('denoise: same length, rate and encoding; the noise goes', ({ folder }) => {
  const out = join(folder, 'clean.wav')
  const { status, stdout, stderr } = attenuate(['denoise', join(root, 'examples/clip/noisy.wav'), out])
  assert.is(status, 0, stderr)
  assert.is(stdout.length, 0)
  assert.match(stderr, /latency +16\.0 ms \(256 samples\)/)
  const [before, after] = [parse(readFileSync(join(root, 'examples/clip/noisy.wav'))), parse(readFileSync(out))]
  assert.equal(after.format, before.format)
  assert.is(after.data.length, before.data.length)
  // the first 0.7 s are street noise alone
  const energy = (bytes: Uint8Array) =>
    new Int16Array(Uint8Array.from(bytes.subarray(0, 2 * 11200)).buffer).reduce(
      (sum, sample) => sum + sample * sample,
      0,
    )
  assert.ok(energy(after.data) < energy(before.data) / 30, `${energy(after.data) / energy(before.data)}`)
  assert.equal(readdirSync(folder), ['clean.wav'])
})

test('denoise: pipes give the bytes of files, unknown lengths too', ({ folder }) => {
  const bytes = wav(drawSamples(9000, 7, 0.1))
  const input = join(folder, 'in.wav')
  const output = join(folder, 'out.wav')
  writeFileSync(input, bytes)
  assert.is(attenuate(['denoise', input, output]).status, 0)
  const expected = readFileSync(output)
  assert.ok(attenuate(['denoise', '-', '-'], bytes).stdout.equals(expected))
  const open = attenuate(['denoise', '-', '-'], wav(drawSamples(9000, 7, 0.1), 's16', 1, false)).stdout
  assert.equal(parse(open).data, parse(expected).data)
  assert.is(attenuate(['denoise', '-', output], wav(drawSamples(9000, 7, 0.1), 's16', 1, false)).status, 0)
  const grown = parse(readFileSync(output))
  assert.is(grown.frames, 9000)
  assert.equal(grown.data, parse(expected).data)
})

test('denoise: every encoding and channel count comes back as itself', ({ folder }) => {
  for (const [format, channels] of [
    ['u8', 1],
    ['s24', 2],
    ['s32', 1],
    ['f32', 3],
    ['f64', 1],
    ['mulaw', 1],
    ['alaw', 2],
  ] as const) {
    const bytes = wav(drawSamples(1200 * channels, 7, 0.1), format, channels)
    const output = join(folder, 'out.wav')
    const { status, stderr } = attenuate(['denoise', '-', output, '--model', MODEL], bytes)
    assert.is(status, 0, stderr)
    const found = parse(readFileSync(output))
    assert.is(found.format.sampleFormat, format)
    assert.is(found.format.channels, channels)
    assert.is(found.frames, 1200)
  }
})

test('denoise: rates from 4 to 192 kHz come back as themselves, nano too', ({ folder }) => {
  for (const [rate, model] of [
    [4000, 'base'],
    [8000, 'nano'],
    [11025, 'hq'],
    [44100, 'base'],
    [48000, 'lite'],
    [192000, 'lite'],
  ] as const) {
    const bytes = wav(drawSamples(rate + 17, 5, 0.2), 's16', 1, true, rate)
    writeFileSync(join(folder, 'in.wav'), bytes)
    const { status, stderr } = attenuate(['denoise', join(folder, 'in.wav'), join(folder, 'out.wav'), '-m', model])
    assert.is(status, 0, stderr)
    const after = parse(readFileSync(join(folder, 'out.wav')))
    assert.equal(after.format, { sampleFormat: 's16', sampleRate: rate, channels: 1 })
    assert.is(after.data.length, 2 * (rate + 17))
  }
})

test('denoise: a recording cut short is denoised as far as it goes, and that is said', ({ folder }) => {
  const bytes = wav(drawSamples(32000, 7, 0.1))
  const cut = bytes.subarray(0, bytes.length - 44161)
  const [input, output, line] = [join(folder, 'in'), join(folder, 'out.wav'), /cut short: 0\.62 of 2\.00 s$/m]
  const { status, stderr } = attenuate(['denoise', '-', output], cut)
  assert.is(status, 0, stderr)
  assert.match(stderr, line)
  assert.is(parse(readFileSync(output)).frames, 9919)
  const told = attenuate(['denoise', '-', output, '--json'], cut)
  assert.match(told.stderr, line)
  assert.is(JSON.parse(told.stdout.toString()).missingSeconds, 22081 / 16000)
  mkdirSync(input)
  writeFileSync(join(input, 'cut.wav'), cut)
  writeFileSync(join(input, 'whole.wav'), bytes)
  const each = attenuate(['denoise', input, join(folder, 'clean'), '--json'])
  assert.is(each.status, 0, each.stderr)
  assert.match(each.stderr, /^[^\n]*cut\.wav: cut short: 0\.62 of 2\.00 s\n$/)
})

test('denoise: through a link to the file that it names, into a pipe that stays one', async ({ folder }) => {
  const names = ['in.wav', 'plain.wav', 'file.wav', 'link.wav', 'pipe.wav']
  const [input, plain, file, link, pipe] = names.map((name) => join(folder, name))
  writeFileSync(input, wav(drawSamples(3000, 7, 0.1)))
  writeFileSync(file, 'old')
  symlinkSync(file, link)
  assert.is(spawnSync('mkfifo', [pipe]).status, 0)
  const reader = spawn('cat', [pipe])
  const parts: Buffer[] = []
  reader.stdout.on('data', (part) => parts.push(part))
  try {
    for (const output of [plain, link, pipe]) assert.is(attenuate(['denoise', input, output, '-m', MODEL]).status, 0)
    assert.ok(lstatSync(link).isSymbolicLink())
    assert.ok(lstatSync(pipe).isFIFO())
    await once(reader, 'close')
  } finally {
    reader.kill()
  }
  for (const bytes of [readFileSync(file), Buffer.concat(parts)]) assert.ok(readFileSync(plain).equals(bytes))
})

test('denoise: without samples there is no real-time factor', ({ folder }) => {
  const output = join(folder, 'out.wav')
  const { status, stderr } = attenuate(['denoise', '-', output], wav(new Float32Array(0)))
  assert.is(status, 0, stderr)
  assert.match(stderr, /real-time factor +- wall, - CPU, - denoiser alone/)
  const report = JSON.parse(attenuate(['denoise', '-', output, '--json'], wav(new Float32Array(0))).stdout.toString())
  for (const key of ['realTimeFactor', 'realTimeFactorCpu', 'realTimeFactorCore']) assert.is(report[key], null, key)
  mkdirSync(join(folder, 'in'))
  writeFileSync(join(folder, 'in/empty.wav'), wav(new Float32Array(0)))
  const each = attenuate(['denoise', join(folder, 'in'), join(folder, 'clean')])
  assert.match(each.stderr, /empty\.wav: 0\.00 s, silence to silence dBFS\n$/)
})

test('denoise --raw: the samples of the same WAV file, in every format; a last frame cut short is left out', ({
  folder,
}) => {
  for (const [raw, format, channels] of [
    ['s16le,16000', 's16', 1],
    ['f32le,48000,2', 'f32', 2],
    ['mulaw,8000', 'mulaw', 1],
    ['S24LE, 44100, 3', 's24', 3],
  ] as const) {
    const rate = Number(raw.split(',')[1])
    const bytes = wav(drawSamples(4000 * channels, 7, 0.1), format, channels, true, rate)
    const expected = parse(attenuate(['denoise', '-', '-', '-m', MODEL], bytes).stdout).data
    const samples = parse(bytes).data
    const { status, stdout, stderr } = attenuate(['denoise', '--raw', raw, '-', '-', '-m', MODEL], samples)
    assert.is(status, 0, stderr)
    assert.ok(stdout.equals(expected), raw)
  }
  const cut = attenuate(['denoise', '--raw', 's16le,16000', '-', '-', '-m', MODEL], new Uint8Array(801))
  assert.is(cut.stdout.length, 800)
  const input = join(folder, 'in.raw')
  writeFileSync(input, new Uint8Array(3200))
  assert.is(attenuate(['denoise', '--raw', 's16le,16000', input, join(folder, 'out.raw')]).status, 0)
  assert.is(readFileSync(join(folder, 'out.raw')).length, 3200)
})

test('denoise --raw: what it cannot be', (place) => {
  const refused: [string, RegExp][] = [
    ['s16le', /OPTION_INVALID: --raw, s16le; use FORMAT,RATE/],
    ['s16be,16000', /FORMAT_UNSUPPORTED: format of --raw, s16be; use one of u8, s16le/],
    ['s16le,16k', /RATE_UNSUPPORTED: rate of --raw, 16k; use 4000..192000/],
    ['s16le,16000,9', /CHANNELS_UNSUPPORTED: channels of --raw, 9; use 1..8/],
  ]
  for (const [raw, message] of refused) assertRefused(place, ['denoise', '--raw', raw, '-', '-'], message)
})

test('denoise: a folder, into the same places below another; what fails is named and stops nothing', ({ folder }) => {
  const [input, output] = [join(folder, 'in'), join(folder, 'in/clean')]
  mkdirSync(join(input, 'deep/er'), { recursive: true })
  const files = { 'a.wav': 3000, 'deep/B.WAV': 2000, 'deep/er/c.wave': 1000 }
  for (const [file, samples] of Object.entries(files))
    writeFileSync(join(input, file), wav(drawSamples(samples, 7, 0.1)))
  writeFileSync(join(input, 'notes.txt'), 'no audio')
  for (let run = 0; run < 2; run++) {
    const { status, stdout, stderr } = attenuate(['denoise', input, output, '-m', MODEL])
    assert.is(status, 0, stderr)
    assert.is(stdout.length, 0)
    assert.is(stderr.trimEnd().split('\n').length, 3, 'a line for each, the results of the first run left alone')
    for (const [file, samples] of Object.entries(files))
      assert.is(parse(readFileSync(join(output, file))).frames, samples)
    assert.not(existsSync(join(output, 'notes.txt')))
  }
  const alone = attenuate(['denoise', join(input, 'deep/B.WAV'), '-', '-m', MODEL]).stdout
  assert.ok(readFileSync(join(output, 'deep/B.WAV')).equals(alone))
  rmSync(output, { recursive: true })
  writeFileSync(join(input, 'deep/broken.wav'), 'RIFF')
  const { status, stdout, stderr } = attenuate(['denoise', input, join(folder, 'other'), '-m', MODEL, '--json'])
  assert.is(status, 1)
  assert.match(stderr, /broken\.wav: AUDIO_INVALID: .*\n.*files that were not denoised, 1 of 4/)
  const reports = JSON.parse(stdout.toString())
  assert.is(reports.length, 4)
  assert.match(reports.find((report: object) => 'error' in report).input, /broken\.wav$/)
  assert.is(readdirSync(join(folder, 'other/deep')).length, 2, 'no half of a file')
})

test('denoise: more broken files in a folder than a process may hold open: each is closed', ({ folder }) => {
  const [input, output] = [join(folder, 'in'), join(folder, 'out')]
  mkdirSync(input)
  for (let i = 0; i < 80; i++) writeFileSync(join(input, `a${i}.wav`), 'this is text')
  writeFileSync(join(input, 'z.wav'), wav(drawSamples(4000, 7, 0.1)))
  const line = 'ulimit -n 64 && exec "$0" "$@"'
  const { stderr } = spawnSync('sh', ['-c', line, process.execPath, program, 'denoise', input, output, '-m', 'lite'])
  assert.match(stderr.toString(), /files that were not denoised, 80 of 81/)
  assert.ok(existsSync(join(output, 'z.wav')))
})

test('denoise: folders that cannot be', (place) => {
  const { folder } = place
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  assertRefused(place, ['denoise', empty, join(folder, 'out')], /AUDIO_INVALID: no WAV files in the folder, .*empty/)
  assertRefused(place, ['denoise', folder, folder], /OPTION_INVALID: output of a folder, .*give another folder/)
  assertRefused(place, ['denoise', folder, '-'], /OPTION_INVALID: output of a folder, -/)
  assertRefused(place, ['denoise', '--raw', 'u8,8000', empty, empty], /OPTION_INVALID: --raw with a folder/)
  writeFileSync(join(empty, 'a.wav'), wav(drawSamples(100, 7, 0.1)))
  assertRefused(place, ['denoise', empty, join(folder, 'empty'), '-m', 'none'], /OPTION_INVALID: output of a folder/)
})

test('denoise: what is wrong with every file of a folder is said once, and no folder is made', (place) => {
  const [input, existing, clean] = ['in', 'there.wav', 'clean'].map((name) => join(place.folder, name))
  mkdirSync(join(input, 'sub'), { recursive: true })
  for (const file of ['a.wav', 'sub/b.wav']) writeFileSync(join(input, file), wav(drawSamples(100, 7, 0.1)))
  writeFileSync(existing, 'precious')
  assertRefused(place, ['denoise', input, clean, '-m', 'foo'], /^attenuate: LOAD_FAILED: model .*foo; .*lite/)
  assertRefused(place, ['denoise', input, clean, '-m', existing], /^attenuate: .*there\.wav: MODEL_TRUNCATED/)
  assertRefused(place, ['denoise', input, clean, '--input-gain', '300'], /^attenuate: OPTION_INVALID: inputGainDb, 300/)
  const ofItsOwn = ['-m', 'nano', '--high-band', 'pass']
  assertRefused(place, ['denoise', input, clean, ...ofItsOwn], /^attenuate: OPTION_INVALID: highBand pass with a model/)
  const notAFolder = /^attenuate: OPTION_INVALID: cannot be written \(\w+\), .*there\.wav.*; choose another place/
  assertRefused(place, ['denoise', input, existing], notAFolder)
  assertRefused(place, ['denoise', input, join(existing, 'sub')], notAFolder)
  mkdirSync(clean)
  writeFileSync(join(clean, 'sub'), 'precious')
  const { status, stderr } = attenuate(['denoise', input, clean])
  assert.is(status, 1)
  assert.match(stderr, /sub.b\.wav: OPTION_INVALID: cannot be written \(\w+\), .*sub;.*\n.*not denoised, 1 of 2/)
})

test('denoise: one file into a folder, as cp does it: one that is there, or whose name ends in a slash', (place) => {
  const [input, there] = ['a.wav', 'there'].map((name) => join(place.folder, name))
  writeFileSync(input, wav(drawSamples(1000, 7, 0.1)))
  mkdirSync(there)
  for (const output of [there, `${there}/`, `${place.folder}/new/er/`]) {
    const { status, stderr } = attenuate(['denoise', input, output, '-m', MODEL])
    assert.is(status, 0, stderr)
    assert.equal(readdirSync(output), ['a.wav'])
    assert.is(parse(readFileSync(join(output, 'a.wav'))).frames, 1000)
    rmSync(join(output, 'a.wav'))
  }
  assertRefused(place, ['denoise', '-', there], /OPTION_INVALID: output of standard input is a folder, .*there; name/)
  assertRefused(place, ['denoise', input, `${input}/`], /OPTION_INVALID: cannot be written \(\w+\), .*a\.wav/)
  assertRefused(place, ['denoise', input, join(place.folder, 'x/'), '-m', 'none'], /LOAD_FAILED: model/)
  assertRefused(place, ['denoise', there, there], /OPTION_INVALID: output of a folder, .*there/)
})

test('the input is never written over, by whatever name', (place) => {
  const { folder } = place
  const [file, linked] = [join(folder, 'a.wav'), join(folder, 'linked')]
  const bytes = wav(drawSamples(1000, 7, 0.1))
  writeFileSync(file, bytes)
  symlinkSync(folder, linked, 'junction')
  const same = /^attenuate: OPTION_INVALID: output is the input, .*; give another file/
  for (const output of [file, relative(process.cwd(), file), join(linked, 'a.wav'), folder, `${folder}/`])
    assertRefused(place, ['denoise', file, output], same)
  assertRefused(place, ['denoise', folder, linked], /^attenuate: OPTION_INVALID: output of a folder, .*linked/)
  assertRefused(place, ['compare', MODEL, file, '-o', file], same)
  assertRefused(place, ['compile', file, '-o', file], same)
  assertRefused(place, ['compile', file, '-o', 'm.ssm', '--write-checkpoint', file], same)
  assertRefused(place, ['inspect', file, '--html', file], same)
  assertRefused(place, ['replay', file, '-o', file], same)
  assert.equal(new Uint8Array(readFileSync(file)), bytes)
})

test('denoise: high band, linked channels and presets reach the denoiser', ({ folder }) => {
  const samples = drawSamples(2 * 24_000, 7, 0.1)
  const bytes = wav(samples, 'f32', 2, true, 48000)
  const play = (...options: string[]) =>
    parse(attenuate(['denoise', '-', '-', '-m', MODEL, ...options], bytes).stdout).data
  const [plain, follow, pass, drop, linked, natural] = [
    play(),
    play('--high-band', 'follow'),
    play('--high-band', 'pass'),
    play('--high-band', 'drop'),
    play('--linked'),
    play('-p', 'natural'),
  ]
  assert.equal(plain, follow)
  const different = new Set([plain, pass, drop, linked, natural].map((data) => Buffer.from(data).toString('base64')))
  assert.is(different.size, 5)
  assert.equal(readdirSync(folder), [])
})

test('bench: a table of this machine, or JSON and nothing else', () => {
  const table = attenuate(['bench', 'lite', 'nano', '--rounds', '1'])
  assert.is(table.status, 0, table.stderr)
  const lines = table.stdout.toString().trimEnd().split('\n')
  assert.is(lines.length, 4)
  assert.match(lines[1], /model +Hz +real-time factor +streams\/core +hop ms +p50 us +p95 +p99 +worst/)
  const { status, stdout, stderr } = attenuate(['bench', MODEL, '--rounds', '1', '--rate', '48000', '--json'])
  assert.is(status, 0, stderr)
  assert.is(stderr, '')
  const [row] = JSON.parse(stdout.toString()).models
  assert.is(row.sampleRate, 48000)
  assert.is(row.hopMs, 8)
  const { p50Us, p95Us, p99Us, worstUs, realTimeFactor, streamsPerCore } = row
  assert.ok(0 < p50Us && p50Us <= p95Us && p95Us <= p99Us && p99Us <= worstUs)
  assert.is(streamsPerCore, Math.floor(0.8 / realTimeFactor))
})

test('bench: options that cannot be', (place) => {
  assertRefused(place, ['bench', '--rounds', '0'], /OPTION_INVALID: --rounds, 0; use 1..1000/)
  assertRefused(place, ['bench', 'lite', '--rate', '1'], /RATE_UNSUPPORTED/)
  assertRefused(place, ['bench', 'no-such-model'], /LOAD_FAILED: .*no-such-model/)
})

test('denoise: strength 0 leaves the bytes', ({ folder }) => {
  const bytes = wav(drawSamples(5000, 7, 0.1))
  const output = join(folder, 'out.wav')
  assert.is(attenuate(['denoise', '-', output, '--strength', '0'], bytes).status, 0)
  assert.equal(new Uint8Array(readFileSync(output)), bytes)
})

test('denoise --json: a report and nothing else', ({ folder }) => {
  const { stdout, stderr } = attenuate(
    ['denoise', '-', join(folder, 'out.wav'), '--json'],
    wav(drawSamples(16000, 0, 0.1)),
  )
  const report = JSON.parse(stdout.toString())
  assert.is(stderr, '')
  assert.is(report.seconds, 1)
  assert.is(report.latencySamples, 256)
  assert.ok(report.realTimeFactor > 0 && report.realTimeFactorCpu > 0)
})

test('denoise: what is no WAV file, or cannot be read or written', (place) => {
  const { folder } = place
  const out = join(folder, 'out.wav')
  const text = join(folder, 'text.wav')
  writeFileSync(text, 'this is text, however it is called')
  assertRefused(place, ['denoise', text, out], /text\.wav: AUDIO_INVALID: not a WAV file/)
  assertRefused(place, ['denoise', '-', out], /-: AUDIO_INVALID: no samples/)
  assertRefused(
    place,
    ['denoise', join(folder, 'none.wav'), out],
    /LOAD_FAILED: cannot be read \(ENOENT\), .*none\.wav/,
  )
  const silence = wav(new Float32Array(100))
  assertRefused(place, ['denoise', '-', join(folder, 'no', 'x.wav')], /cannot be written \(ENOENT\).*x\.wav/, silence)
  assertRefused(place, ['denoise', '-', '-', '--json'], /OPTION_INVALID: --json/, silence)
  assertRefused(place, ['denoise', '-', out], /CHANNELS_UNSUPPORTED: channels, 9/, wav(new Float32Array(900), 's16', 9))
})

test('errors: in front stands the file that is wrong, whatever it is called, and nothing else', (place) => {
  const [input, text, lost, out] = ['in.wav', 'a', 'lost', 'out.wav'].map((name) => join(place.folder, name))
  writeFileSync(input, wav(new Float32Array(99)))
  writeFileSync(text, 'this is text, however it is called')
  const noModel = /^attenuate: LOAD_FAILED: model cannot be read \(ENOENT\), .*lost;/
  assertRefused(place, ['denoise', input, out, '-m', lost], noModel)
  assertRefused(place, ['denoise', input, join(lost, 'x.wav')], /^attenuate: OPTION_INVALID: cannot be written/)
  assertRefused(place, ['denoise', input, out, '-m', text], /^attenuate: [^:]*a: MODEL_TRUNCATED/)
  assertRefused(place, ['denoise', input, out, '--input-gain', '300'], /^attenuate: OPTION_INVALID: inputGainDb, 300/)
  assertRefused(place, ['compare', input, text, '-o', out], /^attenuate: [^:]*a: AUDIO_INVALID: not a WAV file/)
  assertRefused(place, ['bench', text], /^attenuate: [^:]*a: MODEL_TRUNCATED/)
  const { stderr } = spawnSync(process.execPath, [program, 'denoise', 'a', out], { cwd: place.folder })
  assert.match(stderr.toString(), /^attenuate: a: AUDIO_INVALID: not a WAV file/)
})

test('denoise: a failure in mid-file leaves the old output alone', (place) => {
  const output = join(place.folder, 'out.wav')
  writeFileSync(output, 'precious')
  assertRefused(place, ['denoise', '-', output, '--model', checkpoint], /MODEL_INVALID/, wav(new Float32Array(99)))
  assert.is(readFileSync(output, 'utf8'), 'precious')
})

test('models: truncated, corrupt, of another version, no model at all', (place) => {
  const { folder } = place
  const model = join(folder, 'm.ssm')
  const good = new Uint8Array(readFileSync(MODEL))
  const args = ['denoise', '-', join(folder, 'out.wav'), '--model', model]
  const silence = wav(new Float32Array(99))
  const refuse = (bytes: Uint8Array, message: RegExp) => {
    writeFileSync(model, bytes)
    assertRefused(place, args, message, silence)
    assertRefused(place, ['inspect', model], message)
  }
  refuse(good.subarray(0, 50), /m\.ssm: MODEL_TRUNCATED: .*50 bytes/)
  refuse(good.subarray(0, good.length - 1), /m\.ssm: MODEL_TRUNCATED/)
  refuse(Uint8Array.from([...good, 0]), /m\.ssm: MODEL_INVALID: bytes after the end/)
  refuse(
    good.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)),
    /m\.ssm: MODEL_HASH/,
  )
  refuse(sealModel(good.map((byte, i) => (i === 4 ? 9 : byte))), /m\.ssm: MODEL_VERSION: .*, 9; use version 1/)
  refuse(new TextEncoder().encode('x'.repeat(500)), /m\.ssm: MODEL_INVALID: not a model file/)
  assertRefused(place, ['denoise', '-', join(folder, 'o.wav'), '-m', 'huge'], /LOAD_FAILED: .*huge; .*lite/, silence)
})

test('compile: a model that runs, and the report', ({ folder }) => {
  const output = join(folder, 'm.ssm')
  const { status, stdout, stderr } = attenuate(['compile', checkpoint, '-o', output, '--json'])
  assert.is(status, 0, stderr)
  const report = JSON.parse(stdout.toString())
  assert.is(report.fileBytes, readFileSync(output).length)
  const text = attenuate(['inspect', output]).stdout.toString()
  assert.match(text, new RegExp(`latency +${report.latencySamples} samples`))
  assert.is(attenuate(['denoise', '-', join(folder, 'o.wav'), '-m', output], wav(new Float32Array(99))).status, 0)
})

test('compile: a missing, a misshapen tensor, no checkpoint', (place) => {
  const { folder } = place
  const damaged = join(folder, 'damaged.safetensors')
  const args = ['compile', damaged, '-o', join(folder, 'm.ssm')]
  const damage = (change: (tensors: ReturnType<typeof readSafetensors>['tensors']) => void) => {
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(checkpoint)))
    change(tensors)
    writeFileSync(damaged, writeSafetensors(tensors, { attenuate: metadata.get('attenuate')! }, 'F32'))
  }
  const name = [...readSafetensors(new Uint8Array(readFileSync(checkpoint))).tensors.keys()].find((key) =>
    key.endsWith('.A'),
  )!
  damage((tensors) => tensors.delete(name))
  assertRefused(place, args, new RegExp(`damaged\\.safetensors: TENSOR_MISSING: .*${name}`))
  damage((tensors) => tensors.set(name, { shape: [3, 2], data: new Float64Array(6) }))
  assertRefused(place, args, new RegExp(`damaged\\.safetensors: TENSOR_SHAPE: .*${name}.*\\(3,2\\)`))
  writeFileSync(damaged, 'no checkpoint')
  assertRefused(place, args, /damaged\.safetensors: FILE_UNKNOWN/)
  assert.not.ok(existsSync(join(folder, 'm.ssm')))
})

test('compare: a figure with both signals', ({ folder }) => {
  const [a, b, figure] = ['a.wav', 'b.wav', 'f.png'].map((name) => join(folder, name))
  const tone = Float32Array.from({ length: 32000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 2000 * i) / 16000))
  writeFileSync(a, wav(tone))
  writeFileSync(b, wav(new Float32Array(32000)))
  const { status, stdout, stderr } = attenuate(['compare', a, b, '-o', figure, '--json'])
  assert.is(status, 0, stderr)
  const [first, second] = JSON.parse(stdout.toString())
  assert.ok(Math.abs(first.rmsDb - 20 * Math.log10(0.5 / Math.SQRT2)) < 0.01)
  assert.is(second.rmsDb, null) // silence: JSON knows no infinity
  const { width, height, data } = PNG.sync.read(readFileSync(figure))
  const brightness = (x: number, y: number) => data[4 * (y * width + x)] + data[4 * (y * width + x) + 1]
  const column = Array.from({ length: height }, (_, y) => brightness(600, y))
  // the tone is a bright line at a quarter of the upper panel's height, the lower panel is dark
  assert.ok(Math.max(...column.slice(230, 244)) > 300, 'bright at 2 kHz')
  assert.ok(Math.max(...column.slice(60, 200)) < 120, 'dark above')
  assert.ok(Math.max(...column.slice(400, 600)) < 120, 'dark below')
})

test('compare: levels alone need no figure', (place) => {
  const file = join(place.folder, 'a.wav')
  writeFileSync(file, wav(drawSamples(8000, 7, 0.1)))
  const { status, stdout, stderr } = attenuate(['compare', file, file, '--json'])
  assert.is(status, 0, stderr)
  assert.is(JSON.parse(stdout.toString())[1].seconds, 0.5)
  assert.equal(readdirSync(place.folder), ['a.wav'])
  assertRefused(place, ['compare', file, file], /OPTION_INVALID: --output, missing; name the figure .*--json/)
})

test('standard output takes one thing', (place) => {
  const file = join(place.folder, 'a.wav')
  writeFileSync(file, wav(new Float32Array(100)))
  const both = (one: string, other: string) =>
    new RegExp(`OPTION_INVALID: ${one} and ${other} on standard output, -; name a file for ${other}`)
  assertRefused(place, ['denoise', file, '-', '--json'], both('--json', 'the audio'))
  assertRefused(place, ['compare', file, file, '-o', '-', '--json'], both('--json', '--output'))
  assertRefused(place, ['compile', checkpoint, '-o', '-', '--json'], both('--json', '--output'))
  assertRefused(
    place,
    ['compile', checkpoint, '-o', '-', '--write-checkpoint', '-'],
    both('--output', '--write-checkpoint'),
  )
  assertRefused(place, ['replay', file, '-i', '-', '--json'], both('--json', '--input'))
  assertRefused(place, ['inspect', MODEL, '--svg', '-'], both('the inspection', '--svg'))
})

test('devices: what would do nothing is refused, and what it needs is named', (place) => {
  assertRefused(place, ['devices', '--fresh'], /OPTION_INVALID: --fresh without --probe, true; add --probe/)
  assertRefused(place, ['devices', '--max-load', '3'], /OPTION_INVALID: --max-load without --probe, 3/)
  assertRefused(
    place,
    ['devices', '--fits', '--max-latency', '40'],
    /OPTION_INVALID: --max-latency without --probe, 40/,
  )
  assertRefused(place, ['devices', '--fits', '--probe'], /OPTION_INVALID: --fits with --probe/)
})

test('help and misuse', (place) => {
  for (const args of [['--help'], ['denoise', '--help']]) {
    const { status, stdout } = attenuate(args)
    assert.is(status, 0)
    assert.match(stdout.toString(), /Usage: attenuate/)
  }
  assert.match(attenuate(['--version']).stdout.toString(), /^\d+\.\d+\.\d+\n$/)
  for (const args of [
    ['denoise'],
    ['denoise', 'a', 'b', '--strength', '3'],
    ['fly'],
    ['denoise', 'a', 'b', '--nonsense'],
  ]) {
    const { status, stderr } = attenuate(args)
    assert.is(status, 1)
    assert.match(stderr, /error: /)
  }
  assert.equal(readdirSync(place.folder), [])
})

test('help that nobody reads to its end is no fault', async () => {
  const child = spawn(process.execPath, [program, 'denoise', '--help'])
  child.stdout.destroy()
  let said = ''
  child.stderr.on('data', (piece) => (said += piece))
  const [code] = await once(child, 'close')
  assert.is(said, '')
  assert.is(code, 0)
})

test('a report that standard output does not take: one line says why', () => {
  if (!existsSync('/dev/full')) return
  const full = openSync('/dev/full', 'w')
  for (const args of [['inspect', MODEL], ['devices', '--json'], ['--help']]) {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { stdio: ['ignore', full, 'pipe'] })
    assert.is(status, 1)
    assert.match(String(stderr), /^attenuate: ENOSPC: no space left on device, write\n$/)
  }
  closeSync(full)
})

test.run()
