// Pools: streams that come and go, arrive raggedly, are reset and frozen, on threads of WASM and on a GPU that is lost in the
// middle, give what each stream gives alone.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeModel } from '../../quantize/modelfile.ts'
import { measureSnrDb } from '../../quantize/snr.ts'
import { seedRandom } from '../../quantize/specimens.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import { ParsedModel } from '../model.ts'
import { joined } from '../pieces.ts'
import type { PoolOptions } from './creation.ts'
import { denoisedAlone, openSoftwareGpu, readGolden } from './fixture.ts'
import { ThreadHand } from './hand.node.ts'
import { DenoiserPool, type PoolStream } from './index.ts'

const model = readGolden('residual')
const HOP = decodeModel(model).inputHop
const SAMPLES = drawSamples(200_000, 0, 0.3)

/** A stream with all that went in and came out since it began. */
interface Caller {
  stream: PoolStream
  from: number
  count: number
  out: Float32Array[]
}

/** `operations` random ones; every stream that ends is compared with the same samples through a denoiser of its own. */
async function live(options: PoolOptions, operations: number, seed: number, leastDb: number): Promise<DenoiserPool> {
  const random = seedRandom(seed)
  const pool = await DenoiserPool.create({ model, ...options })
  const callers: Caller[] = []
  let compared = 0
  const check = async ({ from, count, out }: Caller, flushed: boolean) => {
    const found = joined(out)
    const expected = await denoisedAlone(model, SAMPLES.subarray(from, from + count), flushed)
    assert.is(found.length, expected.length, 'samples')
    if (expected.length === 0) return
    const snr = measureSnrDb(found, expected)
    assert.ok(snr >= leastDb, `stream of ${count} samples: ${snr} dB`)
    compared++
  }
  const open = (): Caller => ({ stream: pool.add(), from: Math.floor(random() * 1e5), count: 0, out: [] })
  for (let i = 0; i < operations; i++) {
    const which = Math.floor(random() * callers.length)
    const caller = callers[which]
    const dice = random()
    if (caller === undefined || dice < 0.15) callers.push(open())
    else if (dice < 0.25) {
      caller.stream.end()
      await pool.drain()
      caller.out.push(caller.stream.read())
      await check(caller, true)
      caller.stream.remove()
      callers.splice(which, 1)
    } else if (dice < 0.35) {
      await check(caller, false)
      caller.stream.reset()
      Object.assign(caller, { from: Math.floor(random() * 1e5), count: 0, out: [] })
    } else if (dice < 0.42) {
      const bytes = await caller.stream.snapshot()
      caller.out.push(caller.stream.read())
      caller.stream.remove()
      caller.stream = pool.add(bytes)
    } else if (dice < 0.5) caller.stream.masked = !caller.stream.masked
    // a stream that was masked has samples waiting: they come when it is not
    for (const each of callers) {
      if (random() < 0.5) continue
      const count = Math.floor(random() * 2.5 * HOP)
      each.stream.write(SAMPLES.subarray(each.from + each.count, each.from + each.count + count))
      each.count += count
    }
    for (const each of callers) if (each === caller) each.stream.masked = false
    await pool.drain()
    for (const each of callers) each.out.push(each.stream.read())
  }
  assert.ok(compared > operations / 20, `${compared} streams compared`)
  return pool
}

test('what is no sample is silence in a pool too', async () => {
  const pool = await DenoiserPool.create({ model, backend: 'wasm', threads: 1 })
  const spoiled = SAMPLES.slice(0, 40 * HOP)
  const clean = spoiled.slice()
  for (const [i, value] of [Number.NaN, Number.POSITIVE_INFINITY, 1e30, -65537].entries()) {
    spoiled[500 + 300 * i] = value
    clean[500 + 300 * i] = 0
  }
  const [a, b] = [pool.add(), pool.add()]
  a.write(spoiled)
  b.write(clean)
  await pool.drain()
  assert.equal(a.read(), b.read())
  pool.dispose()
})

test('a snapshot is taken up at once: its bytes may be used again', async () => {
  const pool = await DenoiserPool.create({ model, backend: 'wasm', threads: 1 })
  const original = pool.add()
  original.write(SAMPLES.subarray(0, 20 * HOP))
  await pool.drain()
  original.read()
  const bytes = Buffer.from(await original.snapshot())
  const other = pool.add(bytes)
  bytes.fill(0)
  for (const stream of [original, other]) stream.write(SAMPLES.subarray(20 * HOP, 40 * HOP))
  await pool.drain()
  assert.equal(other.read(), original.read())
  pool.dispose()
})

test('a pool that ends lets go of all who wait', async () => {
  for (const threads of [1, 2]) {
    const pool = await DenoiserPool.create({ model, backend: 'wasm', threads })
    const [removed, kept] = [pool.add(), pool.add()]
    for (const stream of [removed, kept]) stream.write(SAMPLES.subarray(0, 20 * HOP))
    const hop = pool.hop()
    const snapshots = [removed.snapshot(), kept.snapshot()]
    removed.remove()
    pool.dispose()
    assert.is(await hop, 2)
    for (const snapshot of snapshots)
      await snapshot.then(
        () => assert.unreachable(),
        ({ message }) => assert.match(message, /^DISPOSED: stream, removed/),
      )
  }
})

test('a core that cannot be opened is refused at once, whatever the threads; a thread that died says what of', async () => {
  const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)
  for (const threads of [1, 2])
    await DenoiserPool.create({ model, backend: 'wasm', threads, wasm }).then(
      () => assert.unreachable(),
      ({ message }) => assert.match(message, /^LOAD_FAILED: WASM module imports no env.memory/),
    )
  const parsed = ParsedModel.parse(model)
  const hand = new ThreadHand(await WebAssembly.compile(wasm), parsed, { index: 0, hands: 1 })
  for (let ask = 0; ask < 2; ask++)
    await hand.readState(0).then(
      () => assert.unreachable(),
      ({ message }) => assert.match(message, /LOAD_FAILED/),
    )
})

test('1000 random operations on threads of WASM: to the bit', async () => {
  const pool = await live({ backend: 'wasm', threads: 2 }, 1000, 1, Number.POSITIVE_INFINITY)
  pool.dispose()
})

test('1000 random operations on a GPU', async () => {
  const pool = await live({ backend: 'webgpu', gpu: await openSoftwareGpu() }, 1000, 2, 80)
  assert.is(pool.report.dispatchesPerHop, 1)
  pool.dispose()
})

test.run()
