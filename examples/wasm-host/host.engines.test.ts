// The C host gives the bits of the SDK: every shipped model, mono and stereo, on x64, ARM64 and ARMv7; and refuses what it cannot play.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser, encodeSamples, MODELS, type ModelName } from '../../sdk/index.ts'
import { encodeWavHeader, type WavFormat } from '../../sdk/wav.ts'
import type { Architecture } from '../../tests/engines/engines.ts'
import { type BuiltHost, buildHost } from '../../tests/engines/toolchains.ts'
import { drawSamples } from '../../tests/golden/signal.ts'

/** No whole number of hops. */
const FRAMES = 9001
const folder = mkdtempSync(join(tmpdir(), 'wasm-host-'))
const modelFile = (name: string) => fileURLToPath(new URL(`../../models/${name}.ssm`, import.meta.url))
const test = suite('wasm host')
test.after(() => rmSync(folder, { recursive: true }))

function encodeWav(samples: Float32Array, sampleRate: number, channels: number): Uint8Array {
  const format: WavFormat = { sampleFormat: 's16', sampleRate, channels }
  const header = encodeWavHeader(format, 2 * samples.length)
  const bytes = new Uint8Array(header.length + 2 * samples.length)
  bytes.set(header)
  encodeSamples('s16', samples, samples.length, bytes.subarray(header.length))
  return bytes
}

/** Samples as a WAV file of 16 bits holds them. */
function drawPcm(count: number): Float32Array {
  return drawSamples(count, 500, 0.4).map((sample) => Math.round(sample * 32768) / 32768)
}

async function expectation(model: ModelName, channels: number): Promise<{ noisy: Uint8Array; clean: Uint8Array }> {
  using denoiser = await Denoiser.create({ model, channels })
  const samples = drawPcm(FRAMES * channels)
  const parts = [denoiser.process(samples), denoiser.flush()]
  const clean = Float32Array.from([...parts[0], ...parts[1]])
  const { inputRate, outputRate } = denoiser.model
  return { noisy: encodeWav(samples, inputRate, channels), clean: encodeWav(clean, outputRate, channels) }
}

function denoise({ emulator, program }: BuiltHost, model: string, noisy: Uint8Array | string) {
  const [input, output] = [join(folder, 'in.wav'), join(folder, 'out.wav')]
  if (typeof noisy !== 'string') writeFileSync(input, noisy)
  const [command, ...args] = [...emulator, program, model, typeof noisy === 'string' ? noisy : input, output]
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 })
  return { status, stderr, output: status === 0 ? new Uint8Array(readFileSync(output)) : undefined }
}

for (const architecture of ['x64', 'arm64', 'armv7'] satisfies Architecture[]) {
  test(`${architecture}: every model, the bits of the SDK`, async () => {
    const host = buildHost(architecture, folder)
    for (const model of Object.keys(MODELS) as ModelName[]) {
      for (const channels of model === 'lite' ? [1, 2] : [1]) {
        const { noisy, clean } = await expectation(model, channels)
        const { status, stderr, output } = denoise(host, modelFile(model), noisy)
        assert.is(status, 0, stderr)
        assert.ok(Buffer.from(output!).equals(clean), `${model}, ${channels} channels: other bits`)
      }
    }
  })
}

test('what it cannot play it refuses, in one line', async () => {
  const host = buildHost('x64', folder)
  const { noisy } = await expectation('lite', 1)
  const model = readFileSync(modelFile('lite'))
  const damaged = (name: string, bytes: Uint8Array) => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return path
  }
  const withField = (field: number, value: number) => {
    const bytes = Uint8Array.from(model)
    new DataView(bytes.buffer).setUint32(4 * field, value, true)
    return damaged(`field${field}.ssm`, bytes)
  }
  const refused: [string, Uint8Array | string, RegExp][] = [
    [withField(17, 0xffffffff), noisy, /field17\.ssm: a model that looks too far ahead\n$/],
    [withField(18, 0xffffffff), noisy, /field18\.ssm: a model that looks too far ahead\n$/],
    [modelFile('nano'), noisy, /16000 Hz, the model hears 4000 Hz; resample it first\n$/],
    [damaged('short.ssm', model.subarray(0, 5000)), noisy, /short\.ssm: a model file cut short\n$/],
    [damaged('none.ssm', noisy), noisy, /none\.ssm: not a model file\n$/],
    ['missing.ssm', noisy, /missing\.ssm: cannot be read\n$/],
    [modelFile('lite'), join(folder, 'missing.wav'), /missing\.wav: cannot be read\n$/],
    [modelFile('lite'), damaged('none.wav', model), /none\.wav: not a WAV file\n$/],
    [modelFile('lite'), encodeWav(new Float32Array(9 * 64), 16000, 9), /in\.wav: more channels than 8\n$/],
  ]
  for (const [path, input, message] of refused) {
    const { status, stderr } = denoise(host, path, input)
    assert.is(status, 1, stderr)
    assert.match(stderr, message)
  }
  assert.is(spawnSync(host.program).status, 2)
})

test('sizes that a header only claims: taken for no more than the file has, and nobody goes backwards, on 32 bits neither', async () => {
  const { noisy, clean } = await expectation('lite', 1)
  const [endless, backwards] = [Uint8Array.from(noisy), Uint8Array.from(noisy)]
  // as a recorder leaves it that writes to a pipe
  new DataView(endless.buffer).setUint32(40, 0xffffffff, true)
  // a chunk that is skipped: by -8 bytes, where that is what 32 bits mean
  backwards.set(Buffer.from('LIST\xf8\xff\xff\xff', 'latin1'), 36)
  for (const architecture of ['x64', 'armv7'] satisfies Architecture[]) {
    const host = buildHost(architecture, folder)
    const whole = denoise(host, modelFile('lite'), endless)
    assert.is(whole.status, 0, whole.stderr)
    assert.ok(Buffer.from(whole.output!).equals(clean))
    const { status, stderr } = denoise(host, modelFile('lite'), backwards)
    assert.is(status, 1, stderr)
    assert.match(stderr, /in\.wav: a WAV file cut short\n$/)
  }
})

test('a header whose hops are longer than a stack', async () => {
  const host = buildHost('x64', folder)
  const { noisy } = await expectation('lite', 1)
  const model = Uint8Array.from(readFileSync(modelFile('lite')))
  const header = new DataView(model.buffer)
  for (const field of [5, 7]) header.setUint32(4 * field, 3 << 20, true)
  header.setUint32(4 * 14, 1 << 26, true) // scratch
  const path = join(folder, 'long.ssm')
  writeFileSync(path, model)
  const { status, stderr } = denoise(host, path, noisy)
  assert.is(status, 0, stderr)
})

test('a program whose offsets lead outside stops with a trap and touches nothing else', async () => {
  const host = buildHost('x64', folder)
  const { noisy } = await expectation('lite', 1)
  const model = Uint8Array.from(readFileSync(modelFile('lite')))
  // the result of the first record, far outside (FORMAT.md, Records)
  new DataView(model.buffer).setUint32(128 + 5 * 4, 0x7fffff00, true)
  const path = join(folder, 'outside.ssm')
  writeFileSync(path, model)
  const { status, stderr } = denoise({ ...host, emulator: [] }, path, noisy)
  assert.is.not(status, 0)
  assert.match(stderr, /Out-of-bounds access/)
})

test.run()
