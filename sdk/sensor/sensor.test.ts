// The sensor's path against golden vectors (training/golden_codec.py): codec, packets, decimator, the C encoder; then the
// receiver: every way in which packets go astray.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../../quantize/specimens.ts'
import { drawSamples } from '../../tests/golden/signal.ts'
import { Denoiser, type NibbleOrder, type SensorLaw, SensorReceiver } from '../index.ts'
import { crc32 } from '../snapshot.ts'
import { BLOCK_BYTES, BLOCK_SAMPLES, decodeBlock, encodeBlock } from './codec.ts'
import { LOW_PASS } from './decimator.ts'
import { SensorEncoder } from './encoder.ts'
import { decodePacket, encodePacket, PACKET_BYTES } from './packet.ts'

const golden = JSON.parse(readFileSync(new URL('../../tests/golden/codec.json', import.meta.url), 'utf8'))
const { levels, codec, linear, packets } = golden

/** Block `i` at its level, as the generator draws it. */
function drawBlock(i: number): Float32Array {
  return drawSamples(BLOCK_SAMPLES, codec.offset + i * BLOCK_SAMPLES, levels[i])
}

function encoded(samples: Float32Array, law: SensorLaw, nibbleOrder: NibbleOrder = 'low-first'): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES)
  encodeBlock(samples, block, { law, nibbleOrder })
  return block
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** int16 at 16 kHz of the packet vectors. */
function drawPcm(): Int16Array {
  const samples = drawSamples(packets.samples, packets.offset, 1)
  return Int16Array.from(samples, (value) =>
    Math.max(-32768, Math.min(32767, roundEven(value * packets.level * 32767))),
  )
}

function roundEven(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + (floor & 1) : Math.round(value)
}

test('gains and nibbles of both laws are those of training/codec.py', () => {
  for (const [i] of levels.entries()) {
    const block = encoded(drawBlock(i), 'mulaw')
    assert.is(block[0], codec.gains[i], `gain of block ${i}`)
    assert.is(hex(block.subarray(1)), codec.nibbles[i], `nibbles of block ${i}`)
    assert.is(hex(encoded(drawBlock(i), 'linear').subarray(1)), linear.nibbles[i], `linear block ${i}`)
  }
})

test('decoded samples are those of training/codec.py', () => {
  let sum = 0
  for (const [i] of levels.entries()) {
    const block = Uint8Array.of(codec.gains[i], ...Buffer.from(codec.nibbles[i], 'hex'))
    const samples = new Float32Array(BLOCK_SAMPLES)
    decodeBlock(block, samples)
    if (i === 0) assert.equal([...samples], codec.decoded)
    for (const value of samples) sum += Math.abs(value)
  }
  assert.ok(Math.abs(sum / codec.decodedSum - 1) < 1e-6)
})

test('nibble order is only an order; a decoded block encodes to itself', () => {
  const random = seedRandom(2)
  for (const law of ['mulaw', 'linear'] as const)
    for (let round = 0; round < 50; round++) {
      const samples = Float32Array.from({ length: 64 }, () => (2 * random() - 1) * 10 ** (-4 * random()))
      const low = encoded(samples, law)
      const high = encoded(samples, law, 'high-first')
      assert.equal(
        [...high.subarray(1)],
        [...low.subarray(1)].map((byte) => ((byte & 15) << 4) | (byte >> 4)),
      )
      const [a, b] = [new Float32Array(64), new Float32Array(64)]
      decodeBlock(low, a, { law })
      decodeBlock(high, b, { law, nibbleOrder: 'high-first' })
      assert.equal(a, b)
    }
})

test('the error of each sample is at most half an interval of the law, the loudest is heard', () => {
  for (let round = 0; round < 20; round++) {
    const samples = drawSamples(64, 64 * round, 0.5)
    const block = encoded(samples, 'linear')
    const back = new Float32Array(64)
    decodeBlock(block, back, { law: 'linear' })
    const step = 2 ** (-block[0] / 8) / 8
    for (let i = 0; i < 64; i++) assert.ok(Math.abs(back[i] - samples[i]) <= step / 2 + 1e-7)
  }
})

test('overload is clipped; what is no sample is silence', () => {
  const bad = [Number.NaN, Number.POSITIVE_INFINITY, 1e30, -65537]
  const mixed = (values: readonly number[], period: number) =>
    Float32Array.from({ length: 64 }, (_, i) => values[i % period] ?? 0)
  assert.equal(encoded(mixed(bad, 8), 'mulaw'), encoded(new Float32Array(64), 'mulaw'))
  const block = encoded(mixed([...bad, 2, -2, 65536, 0], 8), 'mulaw')
  assert.is(block[0], 0)
  assert.equal([...block.subarray(1, 5)], [0x88, 0x88, 0x0f, 0x8f])
})

test('one sample that is none is one sample of silence, decimated too', () => {
  const spoiled = drawSamples(16 * 256, 3, 0.3)
  const clean = spoiled.slice()
  for (const [i, value] of [Number.NaN, Number.NEGATIVE_INFINITY, 1e30].entries()) {
    spoiled[1000 + 300 * i] = value
    clean[1000 + 300 * i] = 0
  }
  assert.equal(new SensorEncoder().push(spoiled), new SensorEncoder().push(clean))
})

test('the decimator is the textbook filter', () => {
  for (const [i, tap] of packets.taps.entries()) assert.ok(Math.abs(LOW_PASS[12 * i] - tap) < 1e-15)
  const gainAt = (hz: number) => {
    let [re, im] = [0, 0]
    for (const [k, tap] of LOW_PASS.entries()) {
      re += tap * Math.cos((2 * Math.PI * hz * k) / 16000)
      im += tap * Math.sin((2 * Math.PI * hz * k) / 16000)
    }
    return 20 * Math.log10(Math.hypot(re, im))
  }
  for (let hz = 0; hz <= 1700; hz += 50) assert.ok(Math.abs(gainAt(hz)) < 0.02, `${hz} Hz`)
  for (let hz = 2000; hz <= 8000; hz += 37) assert.ok(gainAt(hz) < -58, `${hz} Hz: ${gainAt(hz)}`)
})

test('the encoder in TypeScript sends the golden packets, in any chunks', () => {
  const pcm = Float32Array.from(drawPcm(), (value) => value / 32768)
  const random = seedRandom(4)
  for (const next of [() => pcm.length, () => 1, () => Math.floor(300 * random())]) {
    const encoder = new SensorEncoder()
    const sent: string[] = []
    for (let at = 0; at < pcm.length; ) {
      const end = at + next()
      sent.push(...encoder.push(pcm.subarray(at, end)).map(hex))
      at = end
    }
    assert.equal(sent, packets.bytes)
    assert.equal(encoder.flush(), [])
  }
})

/** Far more than a program takes to begin. */
const PATIENCE_MS = 20_000

/** What a program says of some input as long as more may follow. */
async function saidMeanwhile(program: string, input: Uint8Array): Promise<Uint8Array> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const patience = setTimeout(() => child.stdin.end(), PATIENCE_MS)
  child.stdin.write(input)
  const [said] = await once(child.stdout, 'data')
  clearTimeout(patience)
  assert.not(child.stdin.writableEnded, 'said only when its input had ended')
  child.stdin.end()
  return said
}

test('the encoder in C sends the golden packets, each as soon as it is full', async () => {
  const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)
  assert.ok(compiler, 'no C compiler: install gcc and libc6-dev')
  const folder = mkdtempSync(join(tmpdir(), 'sensor-'))
  try {
    const source = (name: string) => fileURLToPath(new URL(`../../examples/sensor/${name}`, import.meta.url))
    const program = join(folder, 'sensor')
    const flags = ['-std=c99', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-o', program]
    const built = spawnSync(compiler, [...flags, source('main.c'), source('encoder.c'), '-lm'])
    assert.is(built.status, 0, String(built.stderr))
    const { stdout, status } = spawnSync(program, { input: new Uint8Array(drawPcm().buffer) })
    assert.is(status, 0)
    const sent = packets.bytes.map((_: string, i: number) =>
      hex(stdout.subarray(i * PACKET_BYTES, (i + 1) * PACKET_BYTES)),
    )
    assert.equal(sent, packets.bytes)
    assert.is(stdout.length, packets.bytes.length * PACKET_BYTES)
    const first = new Uint8Array(drawPcm().slice(0, 4 * BLOCK_SAMPLES).buffer)
    assert.is(hex(await saidMeanwhile(program, first)), packets.bytes[0])
    const lines = readFileSync(source('encoder.c'), 'utf8').trimEnd().split('\n').length
    assert.ok(lines <= 60, `${lines} lines`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('sequence numbers wrap, flush fills up with silence', () => {
  const encoder = new SensorEncoder({ sampleRate: 4000, law: 'linear', nibbleOrder: 'high-first' })
  const sent = encoder.push(new Float32Array(65536 * 64 + 10))
  assert.is(sent.length, 65536)
  const samples = new Float32Array(64)
  assert.is(decodePacket(sent[65535], samples), 65535)
  const [last] = encoder.flush()
  assert.is(decodePacket(last, samples), 0)
  assert.is(last[0], 0x13)
  assert.throws(() => new SensorEncoder({ sampleRate: 8000 }), /RATE_UNSUPPORTED: sample rate of a sensor, 8000 Hz/)
})

const COUNT = 60
const speech = drawSamples(COUNT * BLOCK_SAMPLES, 7, 0.3)
const sentPackets = Array.from({ length: COUNT }, (_, i) =>
  encodePacket(speech.subarray(64 * i, 64 * (i + 1)), (65500 + i) % 65536),
)

/** What the packets say, `lost` ones concealed, through the denoiser itself. */
async function expectation(lost: readonly number[] = []): Promise<Float32Array> {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const parts: number[] = []
  const samples = new Float32Array(64)
  for (const [i, packet] of sentPackets.entries()) {
    decodePacket(packet, samples)
    parts.push(...(lost.includes(i) ? denoiser.conceal(64) : denoiser.process(samples)))
  }
  return Float32Array.of(...parts, ...denoiser.flush())
}

const NONE = { played: 0, lost: 0, concealed: 0, late: 0, duplicates: 0, reordered: 0, waiting: 0, restarts: 0 }

async function receive(order: readonly number[], options = {}) {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser, options)
  const parts: number[] = []
  for (const i of order) parts.push(...receiver.take(sentPackets[i]))
  parts.push(...receiver.flush())
  return { out: Float32Array.from(parts), stats: receiver.stats() }
}

const inOrder = Array.from({ length: COUNT }, (_, i) => i)

test('packets in order: 16 ms at 16 kHz for each, across the wrap of the sequence', async () => {
  const { out, stats } = await receive(inOrder)
  assert.is(out.length, COUNT * 256)
  assert.equal(out, await expectation())
  assert.equal(stats, { ...NONE, received: COUNT, played: COUNT })
})

test('lost packets are concealed in their place', async () => {
  const lost = [5, 20, 21, 22, 40]
  const { out, stats } = await receive(inOrder.filter((i) => !lost.includes(i)))
  assert.equal(out, await expectation(lost))
  assert.equal(stats, { ...NONE, received: COUNT - 5, played: COUNT - 5, lost: 5, concealed: 5 })
})

test('the model is told of a loss: it says something else than to silence', async () => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  denoiser.process(speech.subarray(0, 2048))
  const before = denoiser.snapshot()
  const concealed = denoiser.conceal(256)
  denoiser.restore(before)
  const silent = denoiser.process(new Float32Array(256))
  assert.is(concealed.length, silent.length)
  assert.not.equal(concealed, silent)
})

test('packets twice and late are counted and left out', async () => {
  const { out, stats } = await receive([0, 1, 2, 2, 4, 3, 1, ...inOrder.slice(5)])
  assert.equal(out, await expectation([3]))
  assert.equal(stats, {
    ...NONE,
    received: COUNT + 2,
    played: COUNT - 1,
    lost: 1,
    concealed: 1,
    late: 1,
    duplicates: 2,
  })
})

test('one Buffer that every packet is read into', async () => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser, { waitPackets: 2 })
  const block = Buffer.alloc(PACKET_BYTES)
  const parts: number[] = []
  for (const i of [0, 2, 1, 3, 6, 5, 4, ...inOrder.slice(7)]) {
    block.set(sentPackets[i])
    parts.push(...receiver.take(block))
  }
  assert.equal(Float32Array.of(...parts, ...receiver.flush()), await expectation())
})

test('waiting for a packet brings order, and gives up in time', async () => {
  const shuffled = [0, 2, 1, 3, 6, 5, 4, ...inOrder.slice(7)]
  const { out, stats } = await receive(shuffled, { waitPackets: 2 })
  assert.equal(out, await expectation())
  assert.equal(stats, { ...NONE, received: COUNT, played: COUNT, reordered: 3 })
  const missing = await receive(
    inOrder.filter((i) => i !== 10),
    { waitPackets: 2 },
  )
  assert.equal(missing.out, await expectation([10]))
  // the end does not wait
  const short = await receive([0, 2, 3], { waitPackets: 8 })
  assert.is(short.out.length, 4 * 256)
})

test('a long gap is concealed, then silent, and takes its time', async () => {
  const gap = inOrder.slice(10, 40)
  const { out, stats } = await receive(
    inOrder.filter((i) => !gap.includes(i)),
    { concealPackets: 4 },
  )
  assert.is(out.length, COUNT * 256)
  assert.equal(stats, { ...NONE, received: 30, played: 30, lost: 30, concealed: 4 })
  const silence = out.subarray(15 * 256, 38 * 256)
  assert.ok(silence.every((value) => value === 0))
  // where hops meet there is no larger step than within them
  for (let hop = 2; hop < COUNT - 1; hop++) {
    const [before, after] = [stepWithin(out, hop - 1), stepWithin(out, hop)]
    const between = Math.abs(out[256 * hop] - out[256 * hop - 1])
    assert.ok(between <= Math.max(before, after), `a step of ${between} before hop ${hop}`)
  }
})

function stepWithin(out: Float32Array, hop: number): number {
  let step = 0
  for (let i = 256 * hop + 1; i < 256 * (hop + 1); i++) step = Math.max(step, Math.abs(out[i] - out[i - 1]))
  return step
}

test('a sender that began again is followed', async () => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser)
  for (const packet of sentPackets.slice(0, 20)) receiver.take(packet)
  const samples = new Float32Array(64)
  const out = receiver.take(encodePacket(samples, 30000))
  assert.is(out.length, 256)
  assert.is(receiver.take(encodePacket(samples, 30001)).length, 256)
  assert.equal(receiver.stats(), { ...NONE, received: 22, played: 22, restarts: 1 })
})

/** Loss, disorder and repetition, seeded. */
function disturbed(): number[] {
  const random = seedRandom(5)
  const order = inOrder.filter(() => random() > 0.1)
  for (let i = 1; i < order.length; i++) if (random() < 0.2) order.splice(i - 1, 2, order[i], order[i - 1])
  return order.flatMap((i) => (random() < 0.1 ? [i, i] : [i]))
}

test('a snapshot after any packet: the stream goes on to the bit, counters too', async () => {
  const order = disturbed()
  const options = { waitPackets: 3 }
  const whole = await receive(order, options)
  for (const count of ['lost', 'duplicates', 'reordered'] as const) assert.ok(whole.stats[count] > 0, count)
  for (let cut = 0; cut <= order.length; cut += 7) {
    using denoiser = await Denoiser.create({ model: 'nano' })
    const first = new SensorReceiver(denoiser, options)
    const parts = order.slice(0, cut).map((i) => [...first.take(sentPackets[i])])
    const snapshot = first.snapshot()
    using other = await Denoiser.create({ model: 'nano' })
    const second = new SensorReceiver(other, options)
    second.restore(snapshot)
    parts.push(...order.slice(cut).map((i) => [...second.take(sentPackets[i])]), [...second.flush()])
    assert.equal(Float32Array.from(parts.flat()), whole.out, `cut at ${cut}`)
    assert.equal(second.stats(), whole.stats)
  }
})

test('a forged, damaged or foreign snapshot is refused and changes nothing', async () => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser, { waitPackets: 2 })
  for (const i of [0, 1, 2, 4, 3, 6]) receiver.take(sentPackets[i])
  const before = receiver.snapshot()
  const forged = (at: number, value: number) => {
    const bytes = before.slice()
    const view = new DataView(bytes.buffer)
    view.setUint32(at, value, true)
    view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true)
    return bytes
  }
  using lite = await Denoiser.create({ model: 'lite' })
  const FIELDS_AT = 48
  const refused: [Uint8Array, RegExp][] = [
    [denoiser.snapshot(), /^STATE_INVALID: snapshot: not of a receiver/],
    [lite.snapshot(), /^STATE_INVALID: snapshot of another model/],
    [before.subarray(0, -1), /^STATE_INVALID: snapshot: length/],
    [before.map((byte, i) => (i === 60 ? byte ^ 1 : byte)), /^STATE_INVALID: snapshot: check sum/],
    [forged(FIELDS_AT + 4, 65537), /^STATE_INVALID: snapshot: sequence number, 65537/],
    [forged(FIELDS_AT + 72, 257), /^STATE_INVALID: snapshot: places given up, 257/],
    [forged(FIELDS_AT + 76, 3), /^STATE_INVALID: snapshot: packets that wait, 3/],
    [forged(FIELDS_AT + 80, 0), /^STATE_INVALID: snapshot: packet that waits, 0/],
    [forged(FIELDS_AT + 116, 0xffffffff), /^STATE_INVALID: snapshot: bytes missing/],
  ]
  for (const [snapshot, message] of refused) {
    assert.throws(() => receiver.restore(snapshot), message)
    assert.equal(receiver.snapshot(), before)
  }
  assert.throws(() => denoiser.restore(before), /^STATE_INVALID: snapshot of another stream: channels/)
})

test('a packet of another format, wrong options and denoisers: documented errors', async () => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser)
  const broken = (at: number, value: number) => sentPackets[0].map((byte, i) => (i === at ? value : byte))
  const refused: [unknown, RegExp][] = [
    [new Uint8Array(35), /^PACKET_INVALID: packet: length, 35; expected 36/],
    [broken(0, 0x20), /^PACKET_INVALID: packet: version, 2/],
    [broken(0, 0x14), /^PACKET_INVALID: packet: format, 0x14/],
    [broken(1, 128), /^PACKET_INVALID: packet: gain, 128/],
    ['x', /^OPTION_INVALID: packet, string/],
  ]
  for (const [packet, message] of refused) assert.throws(() => receiver.take(packet as Uint8Array), message)
  assert.is(receiver.take(sentPackets[0]).length, 0) // nano's lag
  assert.throws(() => new SensorReceiver(denoiser, { concealPackets: 65 }), /^OPTION_INVALID: concealPackets, 65/)
  using lite = await Denoiser.create({ model: 'lite' })
  assert.throws(() => new SensorReceiver(lite), /^RATE_UNSUPPORTED: denoiser for a sensor, 16000 Hz/)
})

test('random packets: samples or PACKET_INVALID, never anything else', async () => {
  using denoiser = await Denoiser.create({ model: 'nano' })
  const receiver = new SensorReceiver(denoiser, { waitPackets: 3 })
  const random = seedRandom(Number(process.env.FUZZ_SEED ?? 1))
  const until = performance.now() + 1000 * Number(process.env.FUZZ_SECONDS ?? 1)
  let sequence = 0
  let refused = 0
  while (performance.now() < until) {
    sequence = random() < 0.02 ? Math.floor(65536 * random()) : (sequence + Math.floor(4 * random())) & 65535
    const packet = Uint8Array.from({ length: random() < 0.02 ? Math.floor(50 * random()) : 36 }, () => 256 * random())
    if (packet.length > 3)
      packet.set([random() < 0.05 ? packet[0] : 0x10 | (packet[0] & 3), packet[1] & 127, sequence & 255, sequence >> 8])
    try {
      const out = receiver.take(packet)
      assert.ok(out.length <= 1100 * 256)
      assert.ok(out.every((value) => Number.isFinite(value)))
    } catch (error) {
      assert.is((error as { code?: string }).code, 'PACKET_INVALID', String(error))
      refused++
    }
  }
  assert.ok(refused > 0)
})

test.run()
