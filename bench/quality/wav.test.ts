// WAV: round trips in both formats, saturation, channel choice, and refusals.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readWav, writeWav16, writeWavFloat } from './wav.ts'

const samples = Float32Array.of(0, 0.5, -0.25, 0.123, -1)

test('float round trip is exact', () => {
  assert.equal(readWav(writeWavFloat({ samples, sampleRate: 16000 })), { samples, sampleRate: 16000 })
})

test('16-bit round trip is within half a step, full scale saturates', () => {
  const read = readWav(writeWav16({ samples: Float32Array.of(...samples, 1.5), sampleRate: 8000 }))
  assert.is(read.sampleRate, 8000)
  for (const [i, v] of samples.entries()) assert.ok(Math.abs(read.samples[i] - v) <= 0.5 / 32768)
  assert.is(read.samples[5], 32767 / 32768)
})

test('takes the first of several channels and skips unknown chunks', () => {
  const mono = writeWav16({ samples, sampleRate: 16000 })
  const stereo = new Uint8Array(12 + 10 + 24 + 8 + 8)
  const view = new DataView(stereo.buffer)
  stereo.set(mono.subarray(0, 12))
  stereo.set(new TextEncoder().encode('LIST'), 12)
  view.setUint32(16, 2, true)
  stereo.set(mono.subarray(12, 36), 22)
  view.setUint16(32, 2, true) // channels
  stereo.set(new TextEncoder().encode('data'), 46)
  view.setUint32(50, 0xffffffff, true) // as a streaming encoder writes it
  view.setInt16(54, 16384, true)
  view.setInt16(56, -1, true)
  view.setInt16(58, -16384, true)
  assert.equal([...readWav(stereo).samples], [0.5, -0.5])
})

test('refuses what it cannot read', () => {
  assert.throws(() => readWav(new Uint8Array(100)), /WAV_HEADER/)
  const wav = writeWav16({ samples, sampleRate: 16000 })
  assert.throws(() => readWav(wav.subarray(0, 30)), /WAV_DATA|Invalid|Offset/)
  new DataView(wav.buffer).setUint16(20, 2, true) // ADPCM
  assert.throws(() => readWav(wav), /WAV_FORMAT: format 2/)
})

test.run()
