// Report: means, missing scores as '-', groups by SNR in numeric order.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatReport, type TaskResult } from './report.ts'
import { meanOf, type Scores } from './scores.ts'

const scores = (siSdr: number): Scores => ({ pesq: Number.NaN, stoi: 0.5, siSdr, lsdLow: 1, lsdHigh: 2 })
const result: TaskResult = {
  task: 'denoise',
  title: 'Denoising',
  systems: [
    {
      system: 'noisy',
      clips: [
        { name: 'a', snrDb: 5, noiseClass: 'city', scores: scores(4) },
        { name: 'b', snrDb: -5, noiseClass: 'city', scores: scores(-4) },
      ],
    },
  ],
}
const depth = { system: 'noisy', attenuationDb: 12.34, onsetLossDb: 0.125, perNoise: { rain: 12.34 } }
const stress = { system: 'noisy', finite: false, silencePeakDb: -120, siSdrDb: { 'as is': 3, clipped: 1.5 } }
const text = formatReport([result], [depth], [stress])
const rows = text.split('\n').map((line) => line.split(/\s{2,}/).join('|'))

test('overall means, PESQ absent', () => {
  assert.ok(rows.includes('noisy|-|0.5000|0.00|1.00|2.00'), text)
})

test('groups in numeric order with their counts', () => {
  const at = rows.findIndex((row) => row.startsWith('Denoising: SI-SDR per SNR'))
  assert.equal(
    rows.slice(at + 3, at + 5).map((row) => row.trim()),
    [' -5|1|-4.00', ' 5|1|4.00'].map((row) => row.trim()),
  )
})

test('no table for a metric that nobody has', () => {
  assert.not.ok(/PESQ-WB per/.test(text))
})

test('depths follow', () => {
  assert.ok(rows.includes('noisy|12.3|0.13|12.3') || rows.includes('noisy|12.3|0.12|12.3'), text)
})

test('stress follows', () => {
  assert.ok(rows.includes('noisy|3.00|1.50|-120|NO'), text)
})

test('means leave out what is missing', () => {
  assert.is(meanOf([1, Number.NaN, 3]), 2)
  assert.ok(Number.isNaN(meanOf([Number.NaN])))
})

test.run()
