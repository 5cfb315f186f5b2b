// Sample formats: exact round trips, G.711 against values of the recommendation, clipping, no number.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeSamples, encodeSamples, SAMPLE_FORMATS, type SampleFormat, sampleBytes } from './pcm.ts'

function decode(format: SampleFormat, bytes: number[]): number[] {
  const out = new Float32Array(bytes.length / sampleBytes(format))
  decodeSamples(format, Uint8Array.from(bytes), out)
  return [...out]
}

function encode(format: SampleFormat, samples: number[]): number[] {
  const out = new Uint8Array(samples.length * sampleBytes(format))
  encodeSamples(format, Float32Array.from(samples), samples.length, out)
  return [...out]
}

test('every 8-bit code survives', () => {
  const codes = Array.from({ length: 256 }, (_, i) => i)
  assert.equal(encode('u8', decode('u8', codes)), codes)
  assert.equal(encode('alaw', decode('alaw', codes)), codes)
  // mu-law has two zeros: 0x7f is the negative one
  assert.equal(
    encode('mulaw', decode('mulaw', codes)),
    codes.map((code) => (code === 0x7f ? 0xff : code)),
  )
})

test('every 16-bit step and many 24-bit steps survive', () => {
  const steps = new Uint8Array(Int16Array.from({ length: 65536 }, (_, i) => i - 32768).buffer)
  assert.equal(encode('s16', decode('s16', [...steps])), [...steps])
  const triples = Array.from({ length: 3 * 5000 }, (_, i) => (i * 7919 + (i >> 3)) & 255)
  assert.equal(encode('s24', decode('s24', triples)), triples)
})

test('ends and middle of each format', () => {
  assert.equal(decode('u8', [0, 128, 255]), [-1, 0, 127 / 128])
  assert.equal(decode('s16', [0, 0x80, 0, 0, 0, 0x40]), [-1, 0, 0.5])
  assert.equal(decode('s24', [0, 0, 0x80, 0, 0, 0x40]), [-1, 0.5])
  assert.equal(decode('s32', [0, 0, 0, 0x80, 0, 0, 0, 0x40]), [-1, 0.5])
})

test('G.711 decoder values (ITU-T G.711, tables 1 and 2, scaled to 16 bits)', () => {
  const whole = (format: SampleFormat, codes: number[]) => decode(format, codes).map((value) => value * 32768)
  assert.equal(whole('mulaw', [0x00, 0x80, 0xff, 0x8f, 0x0f, 0xfe]), [-32124, 32124, 0, 16764, -16764, 8])
  assert.equal(whole('alaw', [0xaa, 0x2a, 0xd5, 0x55, 0x80]), [32256, -32256, 8, -8, 5504])
})

test('G.711 is monotonous and off by at most half an interval', () => {
  for (const format of ['mulaw', 'alaw'] as const) {
    const values = decode(
      format,
      Array.from({ length: 256 }, (_, i) => i),
    )
    let last = -1
    for (let step = -32768; step < 32768; step += 37) {
      const [found] = decode(format, encode(format, [step / 32768]))
      assert.ok(found >= last, `${format} ${step}`)
      last = found
      const best = Math.min(...values.map((value) => Math.abs(value - step / 32768)))
      // where intervals double their width, the decision value of the recommendation is not the middle between codes
      assert.ok(Math.abs(found - step / 32768) <= 2 * best + 16 / 32768, `${format} ${step}`)
    }
  }
})

test('beyond full scale is clipped, no number is silence', () => {
  assert.equal(encode('s16', [2, -2, Number.NaN]), [0xff, 0x7f, 0, 0x80, 0, 0])
  assert.equal(encode('s32', [1, -1]), [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0x80])
  assert.equal(encode('u8', [2, -2, Number.NaN]), [255, 0, 128])
})

test('float formats keep what they are given', () => {
  for (const format of SAMPLE_FORMATS.filter((name) => name.startsWith('f')))
    assert.equal(decode(format, encode(format, [0.1, -3])), [Math.fround(0.1), -3])
})

test.run()
