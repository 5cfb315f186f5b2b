// Snapshots: exact wherever they are taken and in another process; bound to model, build, version and channels; nothing
// else is accepted, and a refused one leaves the stream as it was. Lost hops: like silence, at a cost that does not grow.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../quantize/compile.ts'
import { measureSnrDb } from '../quantize/snr.ts'
import { seedRandom } from '../quantize/specimens.ts'
import { drawSamples } from '../tests/golden/signal.ts'
import { AttenuateError, Denoiser, type DenoiserOptions } from './index.ts'
import { crc32, modelOfSnapshot } from './snapshot.ts'

const MAX_BYTES = 24 * 1024
/** What runs tests/resume.ts; another command where this process itself runs in an emulator (tests/engines). */
const RESUME: string[] = JSON.parse(
  process.env.RESUME_COMMAND ?? JSON.stringify([process.execPath, '--import', 'tsx', file('tests/resume.ts')]),
)
const NETWORKS = ['paper-centred', 'residual', 'spectral', 'unequal']
const models = new Map(NETWORKS.map((name) => [name, compile(readFileSync(file(`tests/golden/${name}.safetensors`)))]))

function file(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

function create(name: string, options: DenoiserOptions = {}): Promise<Denoiser> {
  return Denoiser.create({ model: models.get(name) ?? name, ...options })
}

function finish(denoiser: Denoiser, samples: Float32Array): Float32Array {
  const out = denoiser.process(samples)
  return Float32Array.of(...out, ...denoiser.flush())
}

function bitsOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

function assertSame(found: Float32Array, expected: Float32Array, what: string): void {
  assert.is(Buffer.compare(bitsOf(found), bitsOf(expected)), 0, what)
}

test('CRC-32 of the check string', () => {
  assert.is(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
})

for (const name of [...NETWORKS, 'lite'])
  test(`${name}: a stream goes on to the bit from a snapshot taken anywhere`, async () => {
    const random = seedRandom(11)
    const options = { channels: 2, strengthDb: name === 'unequal' ? Number.NEGATIVE_INFINITY : -20 }
    const samples = drawSamples(2 * 3001, 7, 0.2)
    const [original, other] = [await create(name, options), await create(name, options)]
    for (let round = 0; round < 12; round++) {
      original.reset()
      const cut = 2 * Math.floor(3000 * random())
      original.process(samples.subarray(0, cut))
      if (round % 3 === 1 && name !== 'unequal') original.strengthDb = -3 - round
      const snapshot = original.snapshot()
      const expected = finish(original, samples.subarray(cut))
      other.process(samples.subarray(0, 2 * Math.floor(900 * random()))) // whatever it did before
      other.restore(snapshot)
      assert.is(other.strengthDb, original.strengthDb)
      assertSame(finish(other, samples.subarray(cut)), expected, `cut at ${cut}`)
      assert.is(other.stats().samplesOut, original.stats().samplesOut)
      assert.is(other.stats().outputDb, original.stats().outputDb)
    }
    original.dispose()
    other.dispose()
  })

test('comfort noise goes on at the level it was set to', async () => {
  using original = await create('lite')
  using other = await create('lite')
  const samples = drawSamples(8000, 7, 0.2)
  original.comfortNoiseDb = -30
  original.process(samples.subarray(0, 4000))
  other.restore(original.snapshot())
  assert.is(other.comfortNoiseDb, -30)
  const rest = samples.subarray(4000)
  assertSame(other.process(rest), original.process(rest), 'filled up')
})

test('a snapshot of base and lite is at most 24 KB, wherever in a hop and whatever was heard', async () => {
  for (const model of ['base', 'lite']) {
    using denoiser = await Denoiser.create({ model })
    const random = seedRandom(2)
    let largest = 0
    for (let run = 0; run < 60; run++) {
      denoiser.process(drawSamples(1 + Math.floor(1000 * random()), run, 10 ** (-3 * random())))
      // a sample short of a whole hop is the most that waits
      const { inputHop } = denoiser.model
      denoiser.process(drawSamples(inputHop - 1 - (denoiser.stats().samplesIn % inputHop), run, 0.1))
      largest = Math.max(largest, denoiser.snapshot().length)
    }
    assert.ok(largest <= MAX_BYTES, `${model}: ${largest} bytes`)
  }
})

test('a snapshot goes on in another process', async () => {
  const denoiser = await create('lite')
  const samples = drawSamples(16000, 7, 0.2)
  denoiser.process(samples.subarray(0, 7777))
  const snapshot = denoiser.snapshot()
  const length = new Uint8Array(Uint32Array.of(snapshot.length).buffer)
  const { stdout, stderr, status } = spawnSync(RESUME[0], [...RESUME.slice(1), file('models/lite.ssm')], {
    input: Buffer.concat([length, snapshot, bitsOf(samples.slice(7777))]),
    maxBuffer: 1 << 24,
  })
  assert.is(status, 0, stderr.toString())
  const expected = finish(denoiser, samples.subarray(7777))
  assertSame(new Float32Array(new Uint8Array(stdout).buffer), expected, 'other process')
  denoiser.dispose()
})

test('what belongs elsewhere or is damaged is refused, and the stream stays what it was', async () => {
  const denoiser = await create('spectral')
  const samples = drawSamples(3000, 7, 0.2)
  denoiser.process(samples.subarray(0, 1000))
  const snapshot = denoiser.snapshot()
  const changed = (at: number, value: number, sealed = true) => {
    const bytes = snapshot.slice()
    const view = new DataView(bytes.buffer)
    view.setUint32(at, value, true)
    if (sealed) view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true)
    return bytes
  }
  const other = await create('residual')
  const stereo = await create('spectral', { channels: 2 })
  const firstFloat = snapshot.length - 4 - 600
  const refused: [Uint8Array, RegExp][] = [
    [other.snapshot(), /snapshot of another model, .*restore it with the model that made it/],
    [stereo.snapshot(), /channels, 2/],
    [new Uint8Array(10), /shorter than its header, 10 bytes/],
    [changed(0, 1), /magic/],
    [changed(4, 99), /version, 99/],
    [changed(12, 0x10001), /of other arithmetic/],
    [snapshot.subarray(0, -1), /length/],
    [changed(firstFloat, 12345, false), /check sum/],
    [changed(firstFloat, 0x7fc00000), /value, NaN|samples/],
  ]
  for (const [bytes, message] of refused)
    assert.throws(
      () => denoiser.restore(bytes),
      (error: Error) =>
        error instanceof AttenuateError && error.code === 'STATE_INVALID' && message.test(error.message),
      `${message}`,
    )
  assert.throws(() => denoiser.restore('x' as never), /OPTION_INVALID: snapshot/)
  const expected = await create('spectral')
  expected.process(samples.subarray(0, 1000))
  assertSame(finish(denoiser, samples.subarray(1000)), finish(expected, samples.subarray(1000)), 'after refusals')
  for (const each of [denoiser, other, stereo, expected]) each.dispose()
})

test('random damage under a correct check sum: a stream or STATE_INVALID, never anything else', async () => {
  const denoiser = await create('spectral', { strengthDb: -10 })
  denoiser.process(drawSamples(1000, 7, 0.2))
  const snapshot = denoiser.snapshot()
  const random = seedRandom(Number(process.env.FUZZ_SEED ?? 3))
  const until = performance.now() + 1000 * Number(process.env.FUZZ_SECONDS ?? 0)
  const counts = { taken: 0, refused: 0 }
  for (let cases = 0; cases < 200 || performance.now() < until; cases++) {
    const bytes = snapshot.slice()
    for (let n = 0; n < 1 + 4 * random(); n++) bytes[Math.floor(bytes.length * random())] = 256 * random()
    new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true)
    try {
      denoiser.restore(bytes)
      counts.taken++
    } catch (error) {
      assert.is((error as AttenuateError).code, 'STATE_INVALID', String(error))
      counts.refused++
    }
    const out = denoiser.process(drawSamples(700, 0, 0.1))
    assert.ok(out.length <= 1024)
    denoiser.flush()
  }
  assert.ok(counts.taken > 50 && counts.refused > 10, JSON.stringify(counts))
  denoiser.dispose()
})

test('the model a snapshot needs', async () => {
  const denoiser = await create('spectral')
  assert.is(modelOfSnapshot(denoiser.snapshot()), denoiser.model.sha256)
  denoiser.dispose()
})

for (const name of [...NETWORKS, 'lite'])
  test(`${name}: advance moves in and out by the same time`, async () => {
    const denoiser = await create(name)
    const { inputHop, outputHop } = denoiser.model
    const samples = drawSamples(20 * inputHop + 5, 7, 0.2)
    for (const [at, hops] of [
      [0, 1],
      [0, 100],
      [3 * inputHop + 2, 2],
      [7 * inputHop, 1_000_000],
    ]) {
      denoiser.reset()
      const before = denoiser.process(samples.subarray(0, at)).length
      denoiser.advance(hops)
      const after = finish(denoiser, samples.subarray(at)).length
      const total = Math.ceil(((samples.length + hops * inputHop) * outputHop) / inputHop)
      // what the gap would have said is left out, but for the lag of which some belonged before it
      const { lagSamples } = denoiser.model
      const heardBefore = Math.floor(at / inputHop) * outputHop
      const dropped = Math.min(Math.max(0, lagSamples - heardBefore), hops * outputHop)
      assert.is(before + after, total - hops * outputHop + dropped, `${hops} hops at ${at}`)
      assert.is(denoiser.stats().lostHops, hops)
    }
    denoiser.dispose()
  })

test('lite: after a long gap the stream is as after as much silence, and the gap cost as much as a short one', async () => {
  const samples = drawSamples(16000, 7, 0.2)
  const [jumped, silent] = [await create('lite'), await create('lite')]
  const hop = jumped.model.inputHop
  const skip = 64 * hop
  for (const hops of [20, 200, 2000]) {
    for (const stream of [jumped, silent]) {
      stream.reset()
      stream.process(samples.subarray(0, skip))
    }
    jumped.advance(hops)
    silent.process(new Float32Array(hops * hop))
    const tail = samples.subarray(skip)
    const snrDb = measureSnrDb(jumped.process(tail), silent.process(tail))
    assert.ok(snrDb > 15, `${hops} hops: ${snrDb.toFixed(1)} dB`)
    if (process.env.VERBOSE) console.log(hops, snrDb)
  }
  const cost = (hops: number) => {
    const started = performance.now()
    jumped.advance(hops)
    return performance.now() - started
  }
  const least = (hops: number) => Math.min(...Array.from({ length: 7 }, () => cost(hops)))
  assert.ok(least(4e9) < 20 * least(1000) + 50) // hop by hop it would be four million times as much
  for (const stream of [jumped, silent]) stream.dispose()
})

test('advance refuses what is no number of hops', async () => {
  const denoiser = await create('spectral')
  for (const hops of [-1, 0.5, Number.NaN, 2 ** 33])
    assert.throws(() => denoiser.advance(hops), /OPTION_INVALID: hops to advance/)
  denoiser.dispose()
})

test.run()
