// WAV streams: every format there and back in pieces of any size, headers of other writers, damage.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../quantize/specimens.ts'
import { AttenuateError } from './errors.ts'
import { SAMPLE_FORMATS, sampleBytes } from './pcm.ts'
import { encodeWavHeader, type WavFormat, WavReader } from './wav.ts'

const FORMAT: WavFormat = { sampleFormat: 's16', sampleRate: 16000, channels: 1 }

function read(bytes: Uint8Array, piece = bytes.length || 1): { reader: WavReader; data: number[] } {
  const reader = new WavReader()
  const data: number[] = []
  for (let at = 0; at < bytes.length; at += piece) data.push(...reader.push(bytes.subarray(at, at + piece)))
  reader.end()
  return { reader, data }
}

function chunk(id: string, body: number[]): number[] {
  const size = [body.length & 255, body.length >> 8, 0, 0]
  return [...Buffer.from(id), ...size, ...body, ...(body.length % 2 ? [0] : [])]
}

function fmt(tag: number, channels: number, rate: number, frameBytes: number, bits: number): number[] {
  const words = Buffer.alloc(16)
  words.writeUInt16LE(tag, 0)
  words.writeUInt16LE(channels, 2)
  words.writeUInt32LE(rate, 4)
  words.writeUInt32LE(rate * frameBytes, 8)
  words.writeUInt16LE(frameBytes, 12)
  words.writeUInt16LE(bits, 14)
  return [...words]
}

function riff(...chunks: number[][]): Uint8Array {
  return Uint8Array.from([...Buffer.from('RIFF'), 0, 0, 1, 0, ...Buffer.from('WAVE'), ...chunks.flat()])
}

test('every format, rate and channel count, in pieces of any size', () => {
  for (const sampleFormat of SAMPLE_FORMATS) {
    for (const channels of [1, 2, 3, 8]) {
      const format = { sampleFormat, sampleRate: 4000 * channels * 3, channels }
      const body = Array.from({ length: 5 * channels * sampleBytes(sampleFormat) }, (_, i) => (i * 37) & 255)
      const bytes = Uint8Array.from([...encodeWavHeader(format, body.length), ...body, ...(body.length % 2 ? [0] : [])])
      assert.is(new DataView(bytes.buffer).getUint32(4, true), bytes.length - 8, 'RIFF size')
      for (const piece of [1, 2, 7, 100, bytes.length]) {
        const { reader, data } = read(bytes, piece)
        assert.equal({ ...reader.format, channelMask: 0 }, { ...format, channelMask: 0 })
        assert.is(reader.frames, 5)
        assert.equal(data, body)
      }
    }
  }
})

test('other chunks, odd ones too, before and after the data are passed over', () => {
  const bytes = riff(
    chunk('LIST', [1, 2, 3]),
    chunk('fmt ', [...fmt(1, 1, 8000, 2, 16), 0, 0]),
    chunk('bext', new Array(700).fill(9)),
    chunk('data', [1, 2, 3, 4]),
    chunk('cue ', [5, 6, 7]),
  )
  for (const piece of [1, 3, 64]) assert.equal(read(bytes, piece).data, [1, 2, 3, 4])
})

test('20 bits in 24, 12 bits in 16', () => {
  assert.is(read(riff(chunk('fmt ', fmt(1, 2, 8000, 6, 20)), chunk('data', []))).reader.format?.sampleFormat, 's24')
  assert.is(read(riff(chunk('fmt ', fmt(1, 1, 8000, 2, 12)), chunk('data', []))).reader.format?.sampleFormat, 's16')
})

test('a stream of unknown length goes on to its end', () => {
  const bytes = Uint8Array.from([...encodeWavHeader(FORMAT, undefined), 1, 2, 3, 4, 5])
  const { reader, data } = read(bytes, 3)
  assert.is(reader.frames, undefined)
  assert.equal(data, [1, 2, 3, 4], 'whole frames only')
})

test('a growable header has one length and carries sizes beyond 4 GB', () => {
  const big = 6 * 2 ** 30
  const [open, small, large] = [undefined, 10, big].map((size) => encodeWavHeader(FORMAT, size, true))
  assert.is(open.length, small.length)
  assert.is(open.length, large.length)
  const reader = new WavReader()
  reader.push(large)
  assert.is(reader.frames, big / 2)
  assert.is(String.fromCharCode(...large.subarray(0, 4)), 'RF64')
  assert.is(read(Uint8Array.from([...small, ...new Array(10).fill(1)])).reader.frames, 5)
})

test('5 GB go through in pieces, views of what came in; then the chunks behind them', () => {
  const reader = new WavReader()
  const gigabytes = 5 * 2 ** 30
  reader.push(encodeWavHeader(FORMAT, gigabytes))
  const piece = new Uint8Array(2 ** 24)
  let count = 0
  for (let left = gigabytes; left > 0; left -= piece.length) {
    const data = reader.push(piece)
    assert.ok(data.buffer === piece.buffer)
    count += data.length
  }
  assert.is(reader.push(Uint8Array.from(chunk('LIST', [1, 2, 3]))).length, 0)
  reader.end()
  assert.is(count, gigabytes)
  assert.is(reader.frames, gigabytes / 2)
})

test('extensible headers of more than two channels name no speakers they do not know', () => {
  const header = encodeWavHeader({ ...FORMAT, channels: 4 }, 0)
  assert.is(read(header).reader.format?.channelMask, 0)
})

test('damage and foreign formats: one documented error each', () => {
  const cases: [Uint8Array | number[], RegExp][] = [
    [[], /AUDIO_INVALID: no samples/],
    [riff(), /AUDIO_INVALID: no samples/],
    [Buffer.from('{"name": "no audio at all"}'), /AUDIO_INVALID: not a WAV file/],
    [Buffer.from('RIFX....WAVEfmt '), /FORMAT_UNSUPPORTED: big-endian/],
    [riff(chunk('data', [1])), /AUDIO_INVALID: WAV file has data before/],
    [riff(chunk('fmt ', [1, 0])), /AUDIO_INVALID: size of the WAV file's fmt chunk, 2/],
    [riff(chunk('fmt ', fmt(1, 0, 8000, 2, 16))), /AUDIO_INVALID: channels/],
    [riff(chunk('fmt ', fmt(1, 1, 0, 2, 16))), /AUDIO_INVALID: sample rate/],
    [riff(chunk('fmt ', fmt(2, 1, 8000, 2, 4))), /FORMAT_UNSUPPORTED: WAV encoding, tag 2/],
    [riff(chunk('fmt ', fmt(1, 1, 8000, 5, 40))), /FORMAT_UNSUPPORTED/],
    [riff(chunk('fmt ', fmt(1, 1, 8000, 2, 24))), /FORMAT_UNSUPPORTED/],
    [riff(chunk('fmt ', fmt(1, 2, 8000, 3, 16))), /FORMAT_UNSUPPORTED/],
    [riff(chunk('fmt ', fmt(0xfffe, 1, 8000, 2, 16))), /AUDIO_INVALID: extensible/],
  ]
  for (const [bytes, message] of cases) assert.throws(() => read(Uint8Array.from(bytes)), message)
})

test('one Buffer that is filled again for every piece', () => {
  const body = Array.from({ length: 60 }, (_, i) => i)
  const bytes = Uint8Array.from([...encodeWavHeader(FORMAT, body.length), ...body])
  const block = Buffer.alloc(7)
  const reader = new WavReader()
  const data: number[] = []
  for (let at = 0; at < bytes.length; at += block.length) {
    const piece = bytes.subarray(at, at + block.length)
    block.set(piece)
    data.push(...reader.push(block.subarray(0, piece.length)))
  }
  assert.equal(data, body)
})

test('random damage: documented errors or samples, whatever the pieces', () => {
  const random = seedRandom(11)
  for (let round = 0; round < 5000; round++) {
    const sampleFormat = SAMPLE_FORMATS[round % SAMPLE_FORMATS.length]
    const format = { sampleFormat, sampleRate: 8000, channels: 1 + (round % 4) }
    const bytes = Uint8Array.from([...encodeWavHeader(format, 64, round % 3 === 0), ...new Array(64).fill(3)])
    for (let hits = 1 + random() * 4; hits > 0; hits--)
      bytes[Math.floor(random() * Math.min(bytes.length, 90))] = random() * 256
    const cut = bytes.subarray(0, random() < 0.3 ? random() * bytes.length : bytes.length)
    const outcomes = [1, 13, bytes.length].map((piece) => {
      try {
        return read(cut, piece).data.join()
      } catch (error) {
        assert.instance(error, AttenuateError)
        return (error as Error).message
      }
    })
    assert.equal(new Set(outcomes).size, 1, `${outcomes}`)
  }
})

test.run()
