// Streams of three kinds around one denoiser: the bits of `process`, in chunks or bytes of any length; a slow reader stops
// the source; errors and early ends arrive where they belong.
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../quantize/specimens.ts'
import { drawSamples } from '../tests/golden/signal.ts'
import { Denoiser } from './index.ts'
import { decodeSamples, encodeSamples } from './pcm.ts'

const samples = drawSamples(9001, 7, 0.2)

async function expectation(input = samples): Promise<Float32Array> {
  using denoiser = await Denoiser.create({ model: 'lite' })
  return Float32Array.of(...denoiser.process(input), ...denoiser.flush())
}

function* cut<T extends Float32Array | Uint8Array>(all: T, seed = 1, longest = 700): Generator<T> {
  const random = seedRandom(seed)
  for (let at = 0; at < all.length; ) {
    const end = at + Math.floor(longest * random())
    yield all.slice(at, end) as T
    at = end
  }
}

async function collect<T>(source: AsyncIterable<ArrayLike<T>>): Promise<T[]> {
  const all: T[] = []
  for await (const chunk of source) for (let i = 0; i < chunk.length; i++) all.push(chunk[i])
  return all
}

function toBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(2 * values.length)
  encodeSamples('s16', values, values.length, bytes)
  return bytes
}

/** A source that counts what was taken of it. */
function counted<T>(chunks: Iterable<T>): { chunks: Generator<T>; taken: () => number } {
  let taken = 0
  function* count() {
    for (const chunk of chunks) {
      taken++
      yield chunk
    }
  }
  return { chunks: count(), taken: () => taken }
}

test('Web, Node and iterator give the bits of process, twice with one denoiser', async () => {
  const expected = [...(await expectation())]
  using denoiser = await Denoiser.create({ model: 'lite' })
  for (const seed of [1, 2]) {
    const web = (ReadableStream as unknown as { from(source: unknown): ReadableStream<Float32Array> }).from(
      cut(samples, seed),
    )
    assert.equal(await collect(web.pipeThrough(denoiser.stream()) as never), expected, 'Web')
    assert.equal(await collect(denoiser.iterate(cut(samples, seed))), expected, 'iterator')
    assert.equal(await collect(Readable.from(cut(samples, seed)).pipe(denoiser.nodeStream())), expected, 'Node')
  }
})

test('bytes of a format, cut anywhere', async () => {
  const bytes = toBytes(samples)
  const rounded = new Float32Array(samples.length)
  decodeSamples('s16', bytes, rounded)
  const expected = [...toBytes(await expectation(rounded))]
  using denoiser = await Denoiser.create({ model: 'lite' })
  const web = new Blob([bytes as BlobPart]).stream() as ReadableStream<Uint8Array>
  assert.equal(await collect(web.pipeThrough(denoiser.stream({ format: 's16' })) as never), expected, 'Web')
  assert.equal(await collect(denoiser.iterate(cut(bytes, 3), { format: 's16' })), expected, 'iterator')
  const node = Readable.from(cut(bytes, 4), { objectMode: false }).pipe(denoiser.nodeStream({ format: 's16' }))
  assert.equal(await collect(node), expected, 'Node')
})

test('one Buffer that is filled again for every chunk', async () => {
  const bytes = toBytes(samples.subarray(0, 2000))
  using denoiser = await Denoiser.create({ model: 'lite' })
  const expected = await collect(denoiser.iterate([bytes], { format: 's16' }))
  const block = Buffer.alloc(333)
  function* refill() {
    for (let at = 0; at < bytes.length; at += block.length) {
      const piece = bytes.subarray(at, at + block.length)
      block.set(piece)
      yield block.subarray(0, piece.length)
    }
  }
  assert.equal(await collect(denoiser.iterate(refill(), { format: 's16' })), expected)
})

test('frames of several channels are kept together', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', channels: 3 })
  const all = drawSamples(3 * 2000, 1, 0.2)
  const expected = toBytes(Float32Array.of(...denoiser.process(quantised(all)), ...denoiser.flush()))
  assert.equal(await collect(denoiser.iterate(cut(toBytes(all), 5, 20), { format: 's16' })), [...expected])
})

function quantised(values: Float32Array): Float32Array {
  const out = new Float32Array(values.length)
  decodeSamples('s16', toBytes(values), out)
  return out
}

test('Web: a reader that does not read stops the source', async () => {
  using denoiser = await Denoiser.create({ model: 'lite' })
  const { chunks, taken } = counted(Array.from({ length: 1000 }, () => new Float32Array(1280)))
  const source = new ReadableStream<Float32Array>(
    {
      pull(controller) {
        const next = chunks.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
    },
    { highWaterMark: 0 },
  )
  const reader = source.pipeThrough(denoiser.stream()).getReader()
  for (let read = 1; read <= 20; read++) {
    assert.ok(!(await reader.read()).done)
    await pause(5)
    assert.ok(taken() <= read + 1, `${taken()} chunks taken for ${read} read`)
  }
  await reader.cancel()
})

test('iterator: the source is not asked before the result is', async () => {
  using denoiser = await Denoiser.create({ model: 'lite' })
  const { chunks, taken } = counted(Array.from({ length: 100 }, () => new Float32Array(1280)))
  const results = denoiser.iterate(chunks)
  assert.is(taken(), 0)
  for (let read = 1; read <= 20; read++) {
    await results.next()
    assert.is(taken(), read)
  }
  await results.return()
  assert.ok(chunks.next().done, 'the source was closed')
})

test('Node: a reader that does not read stops the source', async () => {
  using denoiser = await Denoiser.create({ model: 'lite' })
  for (const options of [{}, { format: 's16', highWaterMark: 4096 } as const]) {
    const { chunks, taken } = counted(
      Array.from({ length: 1000 }, () => ('format' in options ? new Uint8Array(2560) : new Float32Array(1280))),
    )
    const isObjects = !('format' in options)
    const source = Readable.from(chunks, { objectMode: isObjects, highWaterMark: isObjects ? 1 : 4096 })
    const transform: Transform = source.pipe(denoiser.nodeStream(options))
    await pause(50)
    const ahead = taken()
    assert.ok(ahead < 10, `${ahead} chunks taken, none read`)
    await pause(50)
    assert.is(taken(), ahead)
    transform.resume()
    await new Promise((resolve) => transform.once('end', resolve))
    assert.is(taken(), 1000)
    denoiser.reset()
  }
})

test('an error of the denoiser is the error of the stream', async () => {
  using denoiser = await Denoiser.create({ model: 'lite', channels: 2 })
  const odd = () => [new Float32Array(3)]
  const failures = {
    web: () => collect(new Blob(['abc']).stream().pipeThrough(denoiser.stream() as never) as never),
    iterator: () => collect(denoiser.iterate(odd())),
    node: () => pipeline(Readable.from(odd()), denoiser.nodeStream(), async (out) => void (await collect(out))),
  }
  for (const [name, run] of Object.entries(failures))
    await run().then(
      () => assert.unreachable(name),
      ({ message }) => assert.match(message, /^OPTION_INVALID: chunk/, name),
    )
  await collect(denoiser.iterate([new Uint8Array(5)], { format: 's16' })).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, /^AUDIO_INVALID: bytes of a last frame cut short, 1; give a multiple of 4/),
  )
  assert.throws(() => denoiser.stream({ format: 'mp3' as never }), /^FORMAT_UNSUPPORTED: sample format, mp3/)
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

test.run()
