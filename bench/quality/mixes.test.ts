// Mixes: reproducible, balanced, at the wanted SNR and level, never clipped, every file used.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { activeLevelDb, peak, rmsDb } from './level.ts'
import { DEFAULT_PLAN, makeMixes, speakerOf } from './mixes.ts'
import { classifyNoise } from './noiseClasses.ts'
import { readSources } from './sources.ts'
import { synthesiseNoise, synthesiseSpeech } from './syntheticSpeech.ts'

const click = Float32Array.from({ length: 160000 }, (_, i) => (i % 40000 === 100 ? 0.9 : 0))
const sources = {
  clean: [1, 2, 3].map((seed) => ({ name: `spk_${seed}_00`, samples: synthesiseSpeech(10, seed) })),
  noise: [
    { name: 'a_rain', samples: synthesiseNoise(48000, 0.05, 7) }, // shorter than a clip: repeated
    { name: 'b_click', samples: click },
  ],
}
const plan = { ...DEFAULT_PLAN, count: 10, seed: 5 }
const mixes = makeMixes(sources, plan)

test('one seed gives one set, another seed another', () => {
  assert.equal(makeMixes(sources, plan), mixes)
  assert.not.equal(makeMixes(sources, { ...plan, seed: 6 })[0].noisy, mixes[0].noisy)
})

test('every SNR equally often; every speaker and noise used', () => {
  for (const snrDb of plan.snrsDb) assert.is(mixes.filter((m) => m.snrDb === snrDb).length, 2)
  for (const part of ['spk-1', 'spk-2', 'spk-3', 'a-rain', 'b-click'])
    assert.ok(
      mixes.some((m) => m.name.includes(part)),
      part,
    )
})

test('speech level - noise level is the SNR', () => {
  for (const { clean, noise, snrDb } of mixes)
    assert.ok(Math.abs(activeLevelDb(clean) - rmsDb(noise) - snrDb) < 0.1, `${snrDb}`)
})

test('noisy is clean plus noise, does not clip, and speech is at -26 dBFS unless it had to go down', () => {
  for (const { clean, noise, noisy } of mixes) {
    for (let i = 0; i < noisy.length; i += 97) assert.ok(Math.abs(noisy[i] - clean[i] - noise[i]) < 1e-6)
    assert.ok(peak(noisy) < 0.981)
    const level = activeLevelDb(clean)
    assert.ok(Math.abs(level + 26) < 0.1 || (level < -26 && peak(noisy) > 0.97), `${level}`)
  }
})

test('clips are 6 to 8 s', () => {
  for (const { clean } of mixes) assert.ok(clean.length >= 96000 && clean.length <= 128000)
})

test('names tell speaker and noise class', () => {
  assert.is(speakerOf('ls_1688_01'), 'ls_1688')
  assert.is(classifyNoise('esc10_rain'), 'weather, water')
  assert.is(classifyNoise('blanket_coffee-shop'), 'voices')
  assert.is(classifyNoise('max_car_engine'), 'machines')
  assert.is(classifyNoise('unheard'), 'other')
})

test('a missing folder is named with what to do', () => {
  assert.throws(() => readSources('no/such/place'), /SOURCES_MISSING: .*clean; pass --sources/)
})

test.run()
