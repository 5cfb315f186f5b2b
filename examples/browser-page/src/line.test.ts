// The simulated lines: G.711 against the levels and the SNR of the standard, the converter against tones.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Converter } from './converter.ts'
import { throughMuLaw } from './g711.ts'

const tone = (hertz: number, rate: number, count: number) =>
  Float64Array.from({ length: count }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate))

function convert(samples: Iterable<number>, ...rates: number[]): number[] {
  let now = [...samples]
  for (let i = 1; i < rates.length; i++) {
    const converter = new Converter(rates[i - 1], rates[i])
    const next: number[] = []
    for (const sample of now) converter.push(sample, (x) => next.push(x))
    now = next
  }
  return now
}

/** Amplitude of one frequency in the middle of the samples, and RMS of what else is there. */
function analyse(samples: readonly number[], hertz: number, rate: number): { amplitude: number; rest: number } {
  const middle = samples.slice(2000, 2000 + rate / 2) // whole periods
  let [cosine, sine] = [0, 0]
  for (const [i, x] of middle.entries()) {
    cosine += (2 / middle.length) * x * Math.cos((2 * Math.PI * hertz * i) / rate)
    sine += (2 / middle.length) * x * Math.sin((2 * Math.PI * hertz * i) / rate)
  }
  const rest = middle.map((x, i) => {
    const angle = (2 * Math.PI * hertz * i) / rate
    return x - cosine * Math.cos(angle) - sine * Math.sin(angle)
  })
  return {
    amplitude: Math.hypot(cosine, sine),
    rest: Math.sqrt(rest.reduce((sum, x) => sum + x * x, 0) / rest.length),
  }
}

test('mu-law: silence, the largest level, 255 levels, odd', () => {
  assert.is(throughMuLaw(0), 0)
  assert.is(throughMuLaw(1), 8031 / 8192) // ITU-T G.711, table 2a
  assert.is(throughMuLaw(-1), -8031 / 8192)
  const levels = new Set(Array.from({ length: 40001 }, (_, i) => throughMuLaw(i / 20000 - 1)))
  assert.is(levels.size, 255) // +0 and -0 are one
})

test('mu-law: 36 to 40 dB on tones of any usual level', () => {
  for (const db of [-5, -15, -25, -35]) {
    const samples = tone(997, 8000, 8000).map((x) => 2 * x * 10 ** (db / 20))
    const error = samples.map((x) => throughMuLaw(x) - x)
    const energy = (from: Float64Array) => from.reduce((sum, x) => sum + x * x, 0)
    const snr = 10 * Math.log10(energy(samples) / energy(error))
    assert.ok(snr > 34 && snr < 41, `${snr.toFixed(1)} dB at ${db} dB`)
  }
})

for (const rate of [48000, 44100, 16000])
  test(`converter, ${rate} Hz to 8 kHz and back: what fits passes unchanged, what does not is gone`, () => {
    const passed = analyse(convert(tone(1000, rate, 2 * rate), rate, 8000, rate), 1000, rate)
    assert.ok(Math.abs(passed.amplitude - 0.5) < 0.005, `amplitude ${passed.amplitude}`)
    assert.ok(passed.rest < 0.0005, `rest ${passed.rest}`)
    const out = convert(tone(6000, rate, 2 * rate), rate, 8000, rate).slice(2000)
    assert.ok(Math.max(...out.map(Math.abs)) < 0.001)
  })

test('converter: as many samples as the rates say', () => {
  assert.is(convert(new Float64Array(44100), 44100, 16000).length, 16000)
  assert.is(convert(new Float64Array(4000), 4000, 48000).length, 48000)
})

test.run()
