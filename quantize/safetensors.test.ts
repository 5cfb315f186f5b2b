// The container: round trips in every number type, and that damaged files give documented errors only.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AttenuateError } from './errors.ts'
import { decodeBrain, decodeHalf, encodeHalf, readSafetensors, writeSafetensors } from './safetensors.ts'
import { drawNormal, seedRandom } from './specimens.ts'
import type { Tensors } from './tensor.ts'
import { decodeUtf8, encodeUtf8 } from './text.ts'

function someTensors(): Tensors {
  const random = seedRandom(3)
  const draw = (...shape: number[]) => {
    const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => drawNormal(random))
    return { shape, data }
  }
  return new Map([
    ['b.weight', draw(3, 5)],
    ['a', draw()],
    ['empty', draw(0, 4)],
    ['c', draw(2, 3, 4)],
  ])
}

/** A file from a header given as JSON text. */
function fileOf(header: string, dataBytes: number, length = encodeUtf8(header).length): Uint8Array {
  const text = encodeUtf8(header)
  const bytes = new Uint8Array(8 + text.length + dataBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length % 2 ** 32, true)
  view.setUint32(4, Math.floor(length / 2 ** 32), true)
  bytes.set(text, 8)
  return bytes
}

function refuses(bytes: Uint8Array, pattern: RegExp): void {
  assert.throws(
    () => readSafetensors(bytes),
    (error: unknown) => error instanceof AttenuateError && pattern.test(error.message),
    String(pattern),
  )
}

test('round trip', () => {
  const tensors = someTensors()
  for (const [dtype, tolerance] of [
    ['F64', 0],
    ['F32', 2 ** -24],
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
  ] as const) {
    const back = readSafetensors(writeSafetensors(tensors, { note: 'späß' }, dtype))
    assert.is(back.metadata.get('note'), 'späß')
    assert.is(back.tensors.size, tensors.size)
    for (const [name, { shape, data }] of tensors) {
      const copy = back.tensors.get(name)!
      assert.equal(copy.shape, shape)
      for (const [i, x] of data.entries())
        assert.ok(Math.abs(copy.data[i] - x) <= tolerance * Math.abs(x) + 1e-9 * tolerance)
    }
  }
})

test('equal tensors give equal bytes whatever their order', () => {
  const tensors = someTensors()
  const reversed = new Map([...tensors].reverse())
  assert.equal(writeSafetensors(tensors), writeSafetensors(reversed))
})

test('half and bfloat16: known values', () => {
  const known: [number, number][] = [
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [2 ** -24, 1],
    [2 ** -14, 0x0400],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [0.333251953125, 0x3555],
  ]
  for (const [value, bits] of known) {
    assert.is(decodeHalf(bits), value)
    assert.is(encodeHalf(value), bits)
  }
  assert.is(encodeHalf(1 + 2 ** -11), 0x3c00, 'a tie goes to even')
  assert.is(encodeHalf(1 + 3 * 2 ** -11), 0x3c02)
  assert.is(decodeBrain(0x3f80), 1)
  for (let bits = 0; bits < 0x7c00; bits++) assert.is(encodeHalf(decodeHalf(bits)), bits)
})

test('UTF-8 without TextDecoder', () => {
  for (const text of ['', 'plain 100%', 'ä€𝄞', '%41']) {
    assert.is(decodeUtf8(encodeUtf8(text)), text)
    assert.equal(encodeUtf8(text), new TextEncoder().encode(text))
  }
  assert.equal(encodeUtf8('a\ud800b'), new TextEncoder().encode('a\ud800b'))
  assert.is(decodeUtf8(Uint8Array.of(0x61, 0xff)), undefined)
})

test('damaged containers name what is wrong', () => {
  const entry = (dtype: string, shape: string, offsets: string) =>
    `"x":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`
  refuses(new Uint8Array(5), /^SAFETENSORS_INVALID: file shorter/)
  refuses(fileOf('{}', 0, 2 ** 40), /header larger than/)
  refuses(fileOf('{}', 0, 1000), /header longer than the file, 1000 of 2/)
  refuses(fileOf('{', 0), /header is not JSON/)
  refuses(fileOf('[]', 0), /not an object/)
  refuses(fileOf('null', 0), /not/)
  refuses(fileOf('{"__metadata__":{"a":1}}', 0), /__metadata__/)
  refuses(fileOf(`{${entry('I64', '[1]', '[0,8]')}}`, 8), /tensor x: number type not supported, I64/)
  refuses(fileOf(`{${entry('F32', '[-1]', '[0,4]')}}`, 4), /tensor x: shape is not valid, \(-1\)/)
  refuses(fileOf(`{${entry('F32', '[1.5]', '[0,4]')}}`, 4), /tensor x: shape/)
  refuses(fileOf(`{${entry('F32', '[2]', '[0,4]')}}`, 4), /tensor x: 2 F32 needs 8 bytes, 4/)
  refuses(fileOf(`{${entry('F32', '[1]', '[4,8]')}}`, 4), /tensor x: data outside/)
  refuses(fileOf(`{${entry('F32', '[1]', '[4,8]')}}`, 8), /tensor x: leaves a gap before it, offset 4/)
  refuses(fileOf(`{${entry('F32', '[1000000000,1000000000]', '[0,4]')}}`, 4), /needs 4000000000000000000 bytes/)
  refuses(fileOf(`{${entry('F32', '[1]', '[0,4]')}}`, 12), /bytes after the last tensor, 8/)
  refuses(
    fileOf(`{${entry('F32', '[1]', '[0,4]')},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
    /tensor y: overlaps/,
  )
})

test('fuzz: 4000 mutated files give a result or a documented error', () => {
  const random = seedRandom(11)
  const good = writeSafetensors(someTensors(), { attenuate: '{}' })
  let refused = 0
  for (let i = 0; i < 4000; i++) {
    const bytes = mutate(good, random)
    try {
      readSafetensors(bytes)
    } catch (error) {
      if (!(error instanceof AttenuateError)) throw error
      assert.ok(!error.message.includes('\n'))
      refused++
    }
  }
  assert.ok(refused > 1000, `${refused} refused`)
})

/** Flips, overwrites or cuts a few bytes, mostly in the header. */
function mutate(good: Uint8Array, random: () => number): Uint8Array {
  const bytes = good.slice()
  for (let n = 1 + Math.floor(3 * random()); n > 0; n--) {
    const at = Math.floor(random() ** 2 * bytes.length)
    bytes[at] =
      random() < 0.5
        ? bytes[at] ^ (1 << Math.floor(8 * random()))
        : '0123456789-{}[]":,eE'.charCodeAt(Math.floor(20 * random()))
  }
  return random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
}

test.run()
