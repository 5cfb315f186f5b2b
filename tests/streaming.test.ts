// The streaming object against the plain run of whole hops (tests/golden/hops.ts): whatever the chunks, the channels, the
// neighbours in memory and the history, the output is the same to the bit.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../quantize/compile.ts'
import { decodeModel } from '../quantize/modelfile.ts'
import { seedRandom } from '../quantize/specimens.ts'
import { measureGarbage, play } from '../sdk/fixture.ts'
import { Denoiser, type DenoiserOptions } from '../sdk/index.ts'
import { joined } from '../sdk/pieces.ts'
import { openBuild, playWhole } from './golden/hops.ts'
import { drawSamples } from './golden/signal.ts'

const NETWORKS = ['paper-centred', 'paper-causal', 'residual', 'spectral', 'unequal']
const CHUNKS = [1, 127, 128, 480, 4096]
const LENGTH = 6007

const models = new Map(NETWORKS.map((name) => [name, compile(readFileSync(golden(`${name}.safetensors`)))]))
const core = openBuild('simd')!

function golden(file: string): URL {
  return new URL(`golden/${file}`, import.meta.url)
}

function create(name: string, options: DenoiserOptions = {}): Promise<Denoiser> {
  return Denoiser.create({ model: models.get(name)!, ...options })
}

function playPlain(name: string, samples: Float32Array): Float32Array {
  return playWhole(core, models.get(name)!, samples, new Set())
}

function assertSame(found: Float32Array, expected: Float32Array, what: string): void {
  assert.is(found.length, expected.length, `${what}: length`)
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length)
  const [a, b] = [bits(found), bits(expected)]
  const differs = a.findIndex((value, i) => value !== b[i])
  assert.is(differs, -1, `${what}: first difference at ${differs}`)
}

test('the core is built', () => {
  assert.ok(core, 'no core in build/: run `npm run build:wasm`')
})

for (const name of NETWORKS) {
  test(`${name}: chunks of any length give the bits of whole hops`, async () => {
    const samples = drawSamples(LENGTH, 7, 0.1)
    const expected = playPlain(name, samples)
    assert.ok(expected.some((value) => Math.abs(value) > 1e-4))
    const denoiser = await create(name)
    for (const chunk of CHUNKS)
      assertSame(
        play(denoiser, samples, () => chunk),
        expected,
        `chunks of ${chunk}`,
      )
    const random = seedRandom(5)
    for (let round = 0; round < 5; round++)
      assertSame(
        play(denoiser, samples, () => Math.floor(random() * 700)),
        expected,
        'random chunks',
      )
    denoiser.dispose()
  })

  test(`${name}: any length in, that length out`, async () => {
    const denoiser = await create(name)
    const { inputHop, outputHop } = denoiser.model
    for (const length of [0, 1, inputHop - 1, inputHop, inputHop + 1, 2000]) {
      const samples = drawSamples(length, 3, 0.1)
      const out = play(denoiser, samples, () => 333)
      assert.is(out.length, Math.ceil((length * outputHop) / inputHop))
      assertSame(out, playPlain(name, samples), `${length} samples`)
    }
    denoiser.dispose()
  })

  test(`${name}: reset equals new, in the middle of a hop too`, async () => {
    const samples = drawSamples(3001, 0, 0.3)
    const denoiser = await create(name)
    denoiser.process(drawSamples(1234, 99, 1))
    denoiser.reset()
    assertSame(
      play(denoiser, samples, () => 100),
      playPlain(name, samples),
      'after reset',
    )
    denoiser.dispose()
  })

  test(`${name}: streams in one memory do not disturb each other`, async () => {
    const inputs = [0, 50, 999].map((offset) => drawSamples(3000, offset, 0.2))
    const streams = await Promise.all(inputs.map(() => create(name)))
    const found = streams.map(() => [] as Float32Array[])
    for (let at = 0; at < 3000; at += 300) {
      for (const [i, stream] of streams.entries()) found[i].push(stream.process(inputs[i].subarray(at, at + 300)))
      // memory grows under the feet of those that run
      if (at === 900) for (let i = 0; i < 20; i++) (await create(name)).process(new Float32Array(10))
    }
    for (const [i, stream] of streams.entries()) {
      found[i].push(stream.flush())
      assertSame(joined(found[i]), playPlain(name, inputs[i]), `stream ${i}`)
      stream.dispose()
    }
  })

  test(`${name}: interleaved channels are streams of their own`, async () => {
    const inputs = [0, 70, 140].map((offset) => drawSamples(2000, offset, 0.2))
    const samples = Float32Array.from({ length: 6000 }, (_, i) => inputs[i % 3][Math.floor(i / 3)])
    const denoiser = await create(name, { channels: 3 })
    const out = play(denoiser, samples, () => 111)
    for (const [c, input] of inputs.entries())
      assertSame(
        out.filter((_, i) => i % 3 === c),
        playPlain(name, input),
        `channel ${c}`,
      )
    denoiser.dispose()
  })

  test(`${name}: run(0, k) and run(k, end) are one hop, for every k`, () => {
    const file = models.get(name)!
    const { records, inputHop } = decodeModel(file)
    const samples = drawSamples(6 * inputHop, 7, 0.3)
    const expected = joined(runHops(file, samples, [records.length]))
    for (let k = 1; k < records.length; k++)
      assertSame(joined(runHops(file, samples, [k, records.length])), expected, `k = ${k}`)
  })
}

/** Whole hops through the ABI, each in steps that end at the given records. */
function runHops(file: Uint8Array, samples: Float32Array, stops: readonly number[]): Float32Array[] {
  const model = decodeModel(file)
  const memory = new WebAssembly.Memory({ initial: 64 })
  const abi = new WebAssembly.Instance(core, { env: { memory } }).exports as unknown as {
    heapBase(): number
    reset(program: number, state: number): void
    run(program: number, state: number, scratch: number, from: number, to: number): void
  }
  const program = Math.ceil(abi.heapBase() / 64) * 64
  const scratch = program + Math.ceil(file.length / 64) * 64
  const state = scratch + Math.ceil(model.scratchBytes / 64) * 64
  new Uint8Array(memory.buffer).set(file, program)
  abi.reset(program, state)
  const out: Float32Array[] = []
  for (let at = 0; at < samples.length; at += model.inputHop) {
    new Float32Array(memory.buffer, scratch + model.inputOffset).set(samples.subarray(at, at + model.inputHop))
    let from = 0
    for (const to of stops) {
      abi.run(program, state, scratch, from, to)
      from = to
    }
    out.push(new Float32Array(memory.buffer, scratch + model.outputOffset, model.outputHop).slice())
  }
  return out
}

test('strength 0 is the input to the bit, at the latency of the model', async () => {
  for (const name of NETWORKS.filter((each) => each !== 'unequal')) {
    const denoiser = await create(name, { strengthDb: 0 })
    const samples = drawSamples(3000, 7, 0.5)
    assertSame(
      play(denoiser, samples, () => 77),
      samples,
      name,
    )
    denoiser.dispose()
  }
})

test('strength changes sound continuous and reach both ends', async () => {
  const denoiser = await create('spectral')
  const samples = drawSamples(16000, 7, 0.5)
  const wet = playPlain('spectral', samples)
  const out: Float32Array[] = []
  for (let at = 0; at < samples.length; at += 100) {
    if (at === 8000) denoiser.strengthDb = 0
    out.push(denoiser.process(samples.subarray(at, at + 100)))
  }
  out.push(denoiser.flush())
  const all = joined(out)
  assertSame(all.subarray(0, 7000), wet.subarray(0, 7000), 'before')
  assertSame(all.subarray(9000), samples.subarray(9000), 'after')
  denoiser.dispose()
})

for (const options of [{}, { channels: 2, linked: true }, { sampleRate: 48000 }] as const)
  test(`what is no sample is silence: ${JSON.stringify(options)}`, async () => {
    using denoiser = await create('spectral', options)
    const spoiled = drawSamples(24000, 7, 0.3)
    const clean = spoiled.slice()
    for (const [i, value] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -65537].entries()) {
      spoiled[3000 + 700 * i] = value
      clean[3000 + 700 * i] = 0
    }
    const expected = play(denoiser, clean, () => 480)
    denoiser.reset()
    assertSame(
      play(denoiser, spoiled, () => 480),
      expected,
      'zeros instead',
    )
  })

test('96 dB above full scale is a sample still', async () => {
  using denoiser = await create('residual', { strengthDb: 0 })
  const samples = Float32Array.from({ length: 4000 }, (_, i) => (i % 700 === 500 ? 65536 : 0))
  assertSame(
    play(denoiser, samples, () => 128),
    samples,
    'bypassed',
  )
})

test('processInto allocates nothing over 100,000 calls', async () => {
  // V8 boxes every time stamp of its own clock (32 bytes per call), so this one has none
  using denoiser = await create('spectral', { now: () => 0 })
  const chunk = drawSamples(16, 0, 0.1)
  const out = new Float32Array(256)
  const grown = measureGarbage(100_000, () => denoiser.processInto(chunk, out))
  // what the measurement itself allocates; one object per call would be a megabyte and more
  assert.ok(grown < 100_000, `${grown} bytes`)
})

test('10,000 lives and 1,000 concurrent streams in flat memory', async () => {
  const first = await create('spectral')
  const { memoryBytes, stateBytes } = first.stats()
  for (let i = 0; i < 10_000; i++) {
    const denoiser = first.sibling()
    denoiser.dispose()
    denoiser.dispose()
  }
  assert.is(first.stats().memoryBytes, memoryBytes)
  const streams = Array.from({ length: 1000 }, () => first.sibling())
  assert.is(first.stats().memoryBytes, memoryBytes + 1000 * Math.ceil(stateBytes / 64) * 64)
  const samples = drawSamples(300, 7, 0.1)
  const expected = playPlain('spectral', samples)
  for (const stream of streams) stream.process(samples)
  for (const stream of [streams[0], streams[500], streams[999]]) {
    const rest = stream.flush()
    assertSame(rest, expected.subarray(expected.length - rest.length), 'one of many')
  }
  for (const stream of streams) stream.dispose()
  assert.is(first.stats().memoryBytes, memoryBytes)
  first.dispose()
})

test('the last stream of a model frees it', async () => {
  const keeper = await create('residual')
  const { memoryBytes } = keeper.stats()
  const denoiser = await create('paper-centred')
  const sibling = denoiser.sibling({ channels: 2 })
  denoiser.dispose()
  assert.ok(keeper.stats().memoryBytes > memoryBytes)
  assert.is(sibling.process(new Float32Array(2 * 256)).length, 0)
  sibling.dispose()
  assert.is(keeper.stats().memoryBytes, memoryBytes)
  keeper.dispose()
})

test('use after dispose, wrong options: documented errors', async () => {
  const denoiser = await create('spectral', { channels: 2 })
  assert.throws(() => denoiser.process(new Float32Array(3)), /OPTION_INVALID: chunk length, 3; use whole frames of 2/)
  assert.throws(() => denoiser.process([1, 2] as never), /OPTION_INVALID: chunk/)
  assert.throws(
    () => denoiser.processInto(new Float32Array(8192), new Float32Array(1)),
    /OPTION_INVALID: out is too short/,
  )
  const room = new Float32Array(1024)
  assert.throws(
    () => denoiser.processInto(room.subarray(0, 512), room.subarray(256)),
    /OPTION_INVALID: out overlaps chunk, 1024; give other memory/,
  )
  denoiser.processInto(room.subarray(0, 512), room.subarray(512))
  assert.throws(() => denoiser.readyAfter('x' as never), /OPTION_INVALID: samples, string; give a number/)
  assert.throws(() => {
    denoiser.strengthDb = 3
  }, /OPTION_INVALID: strengthDb, 3/)
  denoiser.dispose()
  assert.throws(() => denoiser.process(new Float32Array(2)), /DISPOSED/)
  assert.throws(() => denoiser.flush(), /DISPOSED/)
  assert.throws(() => denoiser.reset(), /DISPOSED/)
  const refused: [DenoiserOptions, RegExp][] = [
    [{ channels: 0 }, /CHANNELS_UNSUPPORTED: channels, 0/],
    [{ channels: 9 }, /CHANNELS_UNSUPPORTED: channels, 9/],
    [{ strengthDb: 1 }, /OPTION_INVALID: strengthDb, 1/],
    [{ model: 'no-such-model' }, /LOAD_FAILED: .*no-such-model/],
    [{ model: 7 as never }, /OPTION_INVALID: model/],
    [{ model: new Uint8Array(10) }, /MODEL_TRUNCATED/],
    [{ wasm: new Uint8Array(10) }, /ENVIRONMENT_UNSUPPORTED/],
  ]
  for (const [options, message] of refused)
    await create('spectral', options).then(
      () => assert.unreachable(`${message}`),
      (error) => assert.match(error.message, message),
    )
})

test('an aborted creation rejects with the reason', async () => {
  const signal = AbortSignal.abort(new Error('changed my mind'))
  await create('spectral', { signal }).then(
    () => assert.unreachable(),
    (error) => assert.is(error.message, 'changed my mind'),
  )
})

test.run()
