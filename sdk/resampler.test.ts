// The resampler by impulse, tone and sweep: alignment, ripple, images and aliases at the rates people have; any pieces give the
// same bits; counts are exact; a snapshot goes on to the bit; memory is given back.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../quantize/specimens.ts'
import type { Core } from './core.ts'
import { shareCore } from './cores.ts'
import { nodeHost } from './host.node.ts'
import { Resampler } from './resampler.ts'
import { SnapshotReader, SnapshotWriter } from './snapshot.ts'

const OWNER = { sha256: '0'.repeat(64), numericVersion: 1 }
const RATES = [4000, 8000, 11025, 12345, 22050, 32000, 37800, 44100, 48000, 96000, 192000]
let core: Core

test.before(async () => {
  core = await shareCore(nodeHost)
})

/** All of `samples` and then silence, until `wanted` came out. */
function play(resampler: Resampler, samples: Float32Array, wanted: number, draw = () => 1): Float32Array {
  const out = new Float32Array(wanted)
  let made = 0
  const take = (count: number) => {
    out.set(resampler.result.subarray(0, Math.min(count, wanted - made)), made)
    made = Math.min(wanted, made + count)
  }
  for (let at = 0; at < samples.length; ) {
    const count = Math.min(samples.length - at, Math.floor(draw() * resampler.piece))
    const expected = resampler.readyAfter(count)
    const ready = resampler.push(samples, at, 1, count)
    assert.is(ready, expected)
    take(ready)
    at += count
  }
  while (made < wanted) take(resampler.pushSilence(16))
  return out
}

function tone(frequency: number, rate: number, seconds: number): Float32Array {
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => 0.5 * Math.cos((2 * Math.PI * frequency * i) / rate),
  )
}

/**
 * dB of what is not the tone of amplitude 0.5 at its own moment, and of what is not that tone at all; the tone's own gain
 * in dB, and how late it is. The ends are left out.
 */
function analyse(out: Float32Array, frequency: number, rate: number) {
  const [from, to] = [Math.floor(0.2 * out.length), Math.floor(0.8 * out.length)]
  let [cc, cs, ss, yc, ys] = [0, 0, 0, 0, 0]
  for (let i = from; i < to; i++) {
    const angle = (2 * Math.PI * frequency * i) / rate
    const [c, s] = [Math.cos(angle), Math.sin(angle)]
    cc += c * c
    cs += c * s
    ss += s * s
    yc += out[i] * c
    ys += out[i] * s
  }
  const determinant = cc * ss - cs * cs
  const a = (yc * ss - ys * cs) / determinant
  const b = (ys * cc - yc * cs) / determinant
  let rest = 0
  let beside = 0
  for (let i = from; i < to; i++) {
    const angle = (2 * Math.PI * frequency * i) / rate
    rest += (out[i] - 0.5 * Math.cos(angle)) ** 2
    beside += (out[i] - a * Math.cos(angle) - b * Math.sin(angle)) ** 2
  }
  return {
    gainDb: 20 * Math.log10(Math.hypot(a, b) / 0.5),
    restDb: 10 * Math.log10(rest / (to - from) / 0.125),
    besideDb: 10 * Math.log10(beside / (to - from) / 0.125),
    lateSamples: (Math.atan2(b, a) / (2 * Math.PI * frequency)) * rate,
  }
}

function rmsDb(out: Float32Array): number {
  const [from, to] = [Math.floor(0.2 * out.length), Math.floor(0.8 * out.length)]
  let sum = 0
  for (let i = from; i < to; i++) sum += out[i] * out[i]
  return 10 * Math.log10(sum / (to - from) / 0.125 + 1e-30)
}

const pairs = RATES.flatMap((rate): [number, number][] => [
  [rate, 16000],
  [16000, rate],
])

test('tones up to 0.45 of the lower rate come out as they went in: in time, within 0.02 dB, images 80 dB down', () => {
  for (const [from, to] of pairs) {
    const resampler = new Resampler(core, from, to)
    const nyquist = Math.min(from, to) / 2
    for (const share of [0.01, 0.2, 0.5, 0.77, 0.9]) {
      resampler.reset()
      const frequency = share * nyquist
      const out = play(resampler, tone(frequency, from, 0.3), Math.round(0.3 * to))
      const { gainDb, restDb } = analyse(out, frequency, to)
      assert.ok(Math.abs(gainDb) < 0.02, `${from} -> ${to}, ${frequency} Hz: ${gainDb} dB`)
      // the tone itself within 0.01 dB leaves -59 dB: what is in time and of the right size leaves less
      assert.ok(restDb < -80, `${from} -> ${to}, ${frequency} Hz: rest ${restDb} dB`)
    }
    resampler.dispose()
  }
})

test('tones above 0.55 of the lower rate are gone: 80 dB', () => {
  for (const [from, to] of pairs.filter(([from, to]) => from > to)) {
    const resampler = new Resampler(core, from, to)
    for (const share of [1.1, 1.3, 1.9, 2.4, 3.7].filter((share) => (share * to) / 2 < from / 2)) {
      resampler.reset()
      const out = play(resampler, tone((share * to) / 2, from, 0.3), Math.round(0.3 * to))
      assert.ok(rmsDb(out) < -80, `${from} -> ${to}, ${(share * to) / 2} Hz: ${rmsDb(out)} dB`)
    }
    resampler.dispose()
  }
})

test('minimum phase: the same gains, slow tones in time, sooner; an impulse is over soon after its moment', () => {
  for (const [from, to] of pairs) {
    const resampler = new Resampler(core, from, to, 'minimum')
    const linear = new Resampler(core, from, to)
    const nyquist = Math.min(from, to) / 2
    for (const share of [0.01, 0.2, 0.5, 0.77, 0.9]) {
      resampler.reset()
      const frequency = share * nyquist
      const out = play(resampler, tone(frequency, from, 0.3), Math.round(0.3 * to))
      const { gainDb, lateSamples, besideDb } = analyse(out, frequency, to)
      assert.ok(Math.abs(gainDb) < 0.02, `${from} -> ${to}, ${frequency} Hz: ${gainDb} dB`)
      assert.ok(besideDb < -80, `${from} -> ${to}, ${frequency} Hz: rest ${besideDb} dB`)
      // of the lower rate; towards the edge phases bend
      const late = (lateSamples * Math.min(from, to)) / to
      if (share < 0.1) assert.ok(Math.abs(late) < 0.01, `${from} -> ${to}: ${late} samples late`)
      else assert.ok(late > -0.01 && late < 3, `${from} -> ${to}, ${frequency} Hz: ${late} samples late`)
    }
    for (const share of [1.1, 1.3, 2.4, 3.7].filter((share) => share * to < from)) {
      resampler.reset()
      const out = play(resampler, tone((share * to) / 2, from, 0.3), Math.round(0.3 * to))
      assert.ok(rmsDb(out) < -80, `${from} -> ${to}, ${(share * to) / 2} Hz: ${rmsDb(out)} dB`)
    }
    const samples = new Float32Array(Math.round(from / 20))
    const at = Math.round(from / 40)
    samples[at] = 1
    resampler.reset()
    const out = play(resampler, samples, Math.floor(to / 20))
    const moment = (at * to) / from
    const before = out.subarray(0, Math.floor(moment - (4 * to) / Math.min(from, to)))
    assert.ok(
      before.every((x) => Math.abs(x) < 1e-4),
      `${from} -> ${to}: before the impulse there is nothing`,
    )
    assert.ok(resampler.readyAfter(from) > linear.readyAfter(from), `${from} -> ${to}: sooner`)
    resampler.dispose()
    linear.dispose()
  }
})

test('a sweep through everything: flat as far as it should be, gone beyond, nothing folded', () => {
  for (const [from, to] of [
    [48000, 16000],
    [44100, 16000],
    [16000, 48000],
    [16000, 8000],
  ])
    for (const phase of ['linear', 'minimum'] as const) {
      const resampler = new Resampler(core, from, to, phase)
      const seconds = 1
      const top = from / 2
      const samples = Float32Array.from({ length: from * seconds }, (_, i) => {
        const time = i / from
        return 0.5 * Math.sin(Math.PI * top * time * (time / seconds))
      })
      const out = play(resampler, samples, to * seconds)
      const lower = Math.min(from, to)
      // the level in 5 ms at the time of each frequency
      for (let frequency = 0.05 * top; frequency < 0.97 * top; frequency += 0.02 * top) {
        const place = Math.round((frequency / top) * seconds * to)
        const part = out.subarray(place - to * 0.0025, place + to * 0.0025)
        const db = 10 * Math.log10(part.reduce((sum, x) => sum + x * x, 0) / part.length / 0.125 + 1e-30)
        const what = `${from} -> ${to} ${phase}, ${frequency.toFixed(0)} Hz: ${db} dB`
        if (frequency < 0.44 * lower) assert.ok(Math.abs(db) < 0.6, what)
        if (frequency > 0.57 * lower) assert.ok(db < -70, what)
      }
      resampler.dispose()
    }
})

test('an impulse comes out around its own moment, as a symmetrical one', () => {
  for (const [from, to] of [
    [48000, 16000],
    [16000, 48000],
    [8000, 16000],
  ]) {
    const resampler = new Resampler(core, from, to)
    const samples = new Float32Array(from / 10)
    samples[from / 20] = 1
    const out = play(resampler, samples, to / 10)
    const centre = to / 20
    assert.is(
      out.reduce((most, x, i) => (Math.abs(x) > Math.abs(out[most]) ? i : most), 0),
      centre,
    )
    for (let i = 1; i < 200; i++)
      assert.ok(Math.abs(out[centre + i] - out[centre - i]) < 1e-7, `${from} -> ${to}, ${i}`)
    resampler.dispose()
  }
})

test('constant stays constant to 1e-6, for every phase', () => {
  for (const [from, to] of pairs) {
    const resampler = new Resampler(core, from, to)
    const out = play(resampler, new Float32Array(from / 5).fill(0.7), Math.floor(to / 5))
    for (let i = Math.floor(out.length / 3); i < out.length / 2; i++)
      assert.ok(Math.abs(out[i] - 0.7) < 1e-6, `${from} -> ${to}: ${out[i]}`)
    resampler.dispose()
  }
})

test('any pieces, the same bits; a reset one is as new', () => {
  for (const [from, to] of pairs) {
    const random = seedRandom(from + to)
    const samples = Float32Array.from({ length: 3000 }, () => random() - 0.5)
    const wanted = Math.ceil((3000 * to) / from)
    const resampler = new Resampler(core, from, to, from > to ? 'minimum' : 'linear')
    const whole = play(resampler, samples, wanted)
    for (let run = 0; run < 3; run++) {
      resampler.reset()
      assert.equal(play(resampler, samples, wanted, random), whole, `${from} -> ${to}`)
    }
    resampler.dispose()
  }
})

test('a snapshot goes on to the bit, from any place; impossible ones are refused', () => {
  for (const [from, to] of pairs) {
    const random = seedRandom(from)
    const samples = Float32Array.from({ length: 2000 }, () => random() - 0.5)
    for (const at of [0, 1, 7, 60, 200, 1999]) {
      const phase = at % 2 === 0 ? 'linear' : 'minimum'
      const [one, other] = [new Resampler(core, from, to, phase), new Resampler(core, from, to, phase)]
      play(one, samples.subarray(0, at), 0)
      const to_ = new SnapshotWriter()
      one.save(to_)
      const bytes = to_.seal(OWNER)
      play(other, samples, 0)
      const reader = new SnapshotReader(bytes, OWNER)
      other.load(reader)
      reader.end()
      const rest = samples.subarray(at)
      assert.equal(play(other, rest, 500), play(one, rest, 500), `${from} -> ${to} at ${at}`)
      one.dispose()
      other.dispose()
    }
  }
  const resampler = new Resampler(core, 48000, 16000)
  for (const [samplesIn, samplesOut] of [
    [3, 0],
    [0, -1e6],
    [0, 0.5],
    [1, 4000],
  ]) {
    const writer = new SnapshotWriter()
    writer.f64(samplesIn)
    writer.f64(samplesOut)
    assert.throws(() => resampler.load(new SnapshotReader(writer.seal(OWNER), OWNER)), /STATE_INVALID/)
  }
  resampler.dispose()
})

test('filters are shared, and memory is given back', () => {
  const before = core.usedBytes
  const first = new Resampler(core, 44100, 16000)
  const one = core.usedBytes - before
  const second = new Resampler(core, 44100, 16000)
  assert.ok(core.usedBytes - before - one < 3000, `${core.usedBytes - before - one} bytes for the second`)
  first.dispose()
  second.dispose()
  assert.is(core.usedBytes, before)
})

test.run()
