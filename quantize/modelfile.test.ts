// The decoder against damaged files: each check of FORMAT.md fires, and random damage gives documented errors only.
import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compileCheckpoint } from './compile.ts'
import { AttenuateError } from './errors.ts'
import { decodeModel, HEADER_BYTES, RECORD_BYTES, sealModel } from './modelfile.ts'
import { KINDS, measure, up } from './record.ts'
import { describeSpectral, describeUpsampler, fillNetwork, seedRandom } from './specimens.ts'

const good = compileCheckpoint(fillNetwork(describeSpectral(), 1))

/** The file with one word changed and the hash made right again. */
function withWord(at: number, change: (old: number) => number): Uint8Array {
  const bytes = good.slice()
  const view = new DataView(bytes.buffer)
  view.setUint32(at, change(view.getUint32(at, true)), true)
  return sealModel(bytes)
}

/** Offset of a word of the first record of a kind. */
function wordOf(kind: keyof typeof KINDS, word: number): number {
  const index = decodeModel(good).records.findIndex((record) => record.task.kind === kind)
  return HEADER_BYTES + RECORD_BYTES * index + 4 * word
}

function refuses(bytes: Uint8Array, pattern: RegExp): void {
  assert.throws(
    () => decodeModel(bytes),
    (error: unknown) => {
      assert.instance(error, AttenuateError)
      assert.ok(pattern.test((error as Error).message), `${(error as Error).message} against ${pattern}`)
      return true
    },
  )
}

test('the hash is SHA-256 over the file with its own place zero', () => {
  const bytes = good.slice()
  const stored = bytes.slice(96, 128)
  bytes.fill(0, 96, 128)
  assert.equal(new Uint8Array(createHash('sha256').update(bytes).digest()), stored)
})

test('a file that lies unaligned in a larger buffer decodes alike', () => {
  const larger = new Uint8Array(good.length + 7)
  larger.set(good, 3)
  assert.equal(decodeModel(larger.subarray(3, 3 + good.length)), decodeModel(good))
})

test('alignment', () => {
  const { records, weightsOffset, inputOffset, outputOffset, scratchBytes, stateBytes } = decodeModel(good)
  for (const record of records) {
    const all = [...record.weights, ...record.inputs, record.result, record.state, record.temporary]
    assert.ok(all.every((offset) => offset % 64 === 0))
  }
  for (const n of [weightsOffset, inputOffset, outputOffset, scratchBytes, stateBytes]) assert.is(n % 64, 0)
})

test('every kind of the format occurs in the specimen', () => {
  const kinds = new Set(decodeModel(good).records.map((record) => record.task.kind))
  for (const kind of Object.keys(KINDS)) assert.ok(kinds.has(kind as keyof typeof KINDS), kind)
})

test('container', () => {
  refuses(new Uint8Array(10), /^MODEL_TRUNCATED/)
  refuses(good.subarray(0, 200), /^MODEL_TRUNCATED: model file is cut short, 200 of/)
  refuses(new Uint8Array([...good, 0]), /^MODEL_INVALID: bytes after the end/)
  refuses(new Uint8Array(200), /^MODEL_INVALID: not a model file/)
  refuses(
    withWord(4, () => 2),
    /^MODEL_VERSION: format version of the model file, 2/,
  )
  const flipped = good.slice()
  flipped[flipped.length - 3] ^= 1
  refuses(flipped, /^MODEL_HASH/)
})

test('header', () => {
  refuses(
    withWord(12, (n) => n + 1),
    /offset of the weights/,
  )
  refuses(
    withWord(12, () => 0xffffffff),
    /MODEL_INVALID/,
  )
  refuses(
    withWord(16, () => 0),
    /input rate, 0/,
  )
  refuses(
    withWord(24, () => 8000),
    /hops do not match the rates/,
  )
  refuses(
    withWord(32, () => 64),
    /offset of the op records/,
  )
  refuses(
    withWord(40, (n) => n + 64),
    /offset of the card|beyond|outside/,
  )
  refuses(
    withWord(48, (n) => n + 1),
    /end of the card/,
  )
  refuses(
    withWord(52, () => 64),
    /state: beyond the 64 bytes/,
  )
  refuses(
    withWord(56, () => 512),
    /beyond the 512 bytes/,
  )
  refuses(
    withWord(56, () => 0x7fffffff),
    /scratch bytes/,
  )
  refuses(
    withWord(60, () => 2),
    /input samples: offset is no multiple of 4/,
  )
  refuses(
    withWord(64, () => 0xfffffffc),
    /output samples: beyond/,
  )
  refuses(
    withWord(84, () => 1),
    /header at 84, 1/,
  )
})

test('records', () => {
  refuses(
    withWord(wordOf('linear', 0), () => 99),
    /unknown kind, 99/,
  )
  refuses(
    withWord(wordOf('linear', 0), (w) => w | (7 << 16)),
    /number format, 7/,
  )
  refuses(
    withWord(wordOf('linear', 1), () => 0),
    /sizes/,
  )
  refuses(
    withWord(wordOf('linear', 1), () => 0xffff),
    /beyond the/,
  )
  refuses(
    withWord(wordOf('linear', 3), () => 0xfffffff0),
    /input: beyond/,
  )
  refuses(
    withWord(wordOf('linear', 4), () => 64),
    /second input/,
  )
  refuses(
    withWord(wordOf('linear', 5), () => 0x80000000),
    /result: beyond/,
  )
  refuses(
    withWord(wordOf('linear', 5), (w) => w + 2),
    /no multiple of 4/,
  )
  refuses(
    withWord(wordOf('linear', 7), () => 0),
    /weight block 0 is missing/,
  )
  refuses(
    withWord(wordOf('linear', 7), (w) => w + 4),
    /no multiple of 64/,
  )
  refuses(
    withWord(wordOf('linear', 7), () => 64),
    /outside of the weights/,
  )
  refuses(
    withWord(wordOf('linear', 9), () => 8192),
    /weight block 2 .*of a kind that has none|block 2 of a kind/,
  )
  refuses(
    withWord(wordOf('linear', 14), () => 5),
    /do not agree/,
  )
  refuses(
    withWord(wordOf('ssm', 6), () => 0),
    /state lies in the header/,
  )
  refuses(
    withWord(wordOf('ssm', 11), () => 0),
    /temporary/,
  )
  refuses(
    withWord(wordOf('ssm', 15), () => 12),
    /do not agree/,
  )
  refuses(
    withWord(wordOf('conv', 6), () => 0x7ffffff0),
    /state: beyond/,
  )
  refuses(
    withWord(wordOf('mul', 6), () => 64),
    /state of a kind that has none/,
  )
  refuses(
    withWord(wordOf('rfft', 14), () => 500),
    /do not agree/,
  )
  refuses(
    withWord(wordOf('overlap', 15), () => 0),
    /do not agree/,
  )
  refuses(
    withWord(wordOf('concat', 14), () => 3),
    /do not agree/,
  )
})

test('states must not overlap, results must not meet inputs, indices must stay inside', () => {
  const { records } = decodeModel(good)
  const conv = records.find((record) => record.task.kind === 'conv')!
  refuses(
    withWord(wordOf('ssm', 6), () => conv.state),
    /state overlaps that of record/,
  )
  const mul = records.find((record) => record.task.kind === 'mul')!
  refuses(
    withWord(wordOf('mul', 5), () => mul.inputs[0]),
    /result or temporary overlaps/,
  )
  const gather = records.find((record) => record.task.kind === 'gather')!
  refuses(
    withWord(gather.weights[0], () => 257),
    /index 0, 257/,
  )
  refuses(
    withWord(gather.weights[0], () => -2 >>> 0),
    /index 0, -2/,
  )
})

test('poles must decay', () => {
  const ssm = decodeModel(good).records.find(({ task }) => task.kind === 'ssm')!
  const imaginary = ssm.weights[0] + 4 * up(ssm.task.parameters[0])
  for (const [p, q] of [
    [0, 0],
    [-1e-9, 0],
    [2, 0],
    [1, 1],
    [Number.NaN, 0],
    [0.5, Number.POSITIVE_INFINITY],
  ]) {
    const bytes = good.slice()
    const view = new DataView(bytes.buffer)
    view.setFloat32(ssm.weights[0], p, true)
    view.setFloat32(imaginary, q, true)
    refuses(sealModel(bytes), /^MODEL_INVALID: record \d+ \(ssm\): pole 0 does not decay/)
  }
})

test('fuzz: 6000 damaged files, hash mended; what decodes stays inside its areas', () => {
  const random = seedRandom(17)
  const small = compileCheckpoint(fillNetwork(describeUpsampler(), 1))
  let accepted = 0
  for (let i = 0; i < 6000; i++) {
    const source = i % 3 === 0 ? good : small
    const bytes = damage(source, random)
    try {
      const model = decodeModel(bytes)
      accepted++
      for (const record of model.records) {
        const extent = measure(record.task, record.format)
        assert.ok(record.result + extent.resultBytes <= model.scratchBytes)
        assert.ok(record.state + extent.stateBytes <= model.stateBytes)
        for (const [k, offset] of record.weights.entries())
          assert.ok(offset === 0 || offset + extent.weightBytes[k] <= bytes.length)
      }
    } catch (error) {
      if (!(error instanceof AttenuateError)) throw error
      assert.ok(/^MODEL_[A-Z]+: /.test(error.message) && !error.message.includes('\n'), error.message)
    }
  }
  assert.ok(accepted > 50 && accepted < 4000, `${accepted} accepted`)
})

/** Changes one to three words of header or records, or any byte; cuts now and then. */
function damage(source: Uint8Array, random: () => number): Uint8Array {
  const bytes = source.slice()
  const view = new DataView(bytes.buffer)
  const headEnd = view.getUint32(36, true)
  for (let n = 1 + Math.floor(3 * random()); n > 0; n--) {
    if (random() < 0.2) bytes[Math.floor(random() * bytes.length)] = Math.floor(256 * random())
    else {
      const at = 4 * Math.floor((random() * headEnd) / 4)
      const choices = [
        0,
        1,
        63,
        64,
        0xffff,
        0x7fffffff,
        0xffffffff,
        view.getUint32(at, true) ^ (1 << Math.floor(32 * random())),
      ]
      view.setUint32(at, choices[Math.floor(random() * choices.length)] >>> 0, true)
    }
  }
  if (random() < 0.05) return bytes.subarray(0, Math.floor(random() * bytes.length))
  return sealModel(bytes)
}

test.run()
