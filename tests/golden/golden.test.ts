// Golden vectors: every network of golden.jsonl, compiled and run hop by hop, against the float64 reference. Each window
// (first and last samples, every second) must agree on its own, so that no loud stretch hides a wrong quiet one.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../quantize/compile.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { measureSwingSnrDb, openBuild, playWhole } from './hops.ts'
import { drawSamples } from './signal.ts'

interface Case {
  samples: number
  offset: number
  level: number
  lost: number[]
  results: number
  at: number
  energies: number[]
}

interface Network {
  name: string
  cases: Case[]
}

interface Window {
  name: string
  expected: Float32Array
  found: Float32Array
}

const NEEDED_DB = 80
/** The share of a sum of squares that two signals 80 dB apart can differ by, 2 * 10^(-80/20), with room for a mean. */
const ENERGY_TOLERANCE = 4e-4

const read = (file: string): Buffer => readFileSync(new URL(file, import.meta.url))
const [kept, ...networks] = read('golden.jsonl')
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line)) as [{ edge: number; stride: number }, ...Network[]]
const { edge, stride } = kept
const builds = ['simd', 'relaxed', 'scalar'].flatMap((target) => {
  const module = openBuild(target)
  return module ? [{ target, module }] : []
})

test('a core is built', () => {
  assert.ok(builds.length > 0, 'no core in build/: run `npm run build:wasm`')
})

for (const { target, module } of builds) {
  for (const { name, cases } of networks) {
    test(`${target} ${name}`, () => {
      const model = compile(read(`${name}.safetensors`))
      for (const given of cases) compareCase(module, model, name, given)
    })
  }
}

function compareCase(module: WebAssembly.Module, model: Uint8Array, name: string, given: Case): void {
  const { samples, offset, level, lost, results } = given
  const found = playWhole(module, model, drawSamples(samples, offset, level), new Set(lost))
  assert.is(found.length, results, `${name}: samples that came out`)
  const where = `${name} at ${Math.round(20 * Math.log10(level))} dBFS from ${offset}`
  const { outputRate } = decodeModel(model)
  for (const window of windowsOf(name, given, found, outputRate)) {
    const snrDb = measureSwingSnrDb(window.found, window.expected)
    if (process.env.GOLDEN_REPORT) console.log(`${where}\t${window.name}\t${snrDb.toFixed(1)} dB`)
    assert.ok(snrDb >= NEEDED_DB, `${where}, ${window.name}: ${snrDb.toFixed(1)} dB, ${NEEDED_DB} needed`)
  }
  for (const [second, energy] of given.energies.entries()) {
    const part = found.subarray(second * outputRate, (second + 1) * outputRate)
    const got = part.reduce((sum, x) => sum + x * x, 0)
    assert.ok(
      Math.abs(got - energy) <= ENERGY_TOLERANCE * energy,
      `${where}, energy of second ${second}: ${got}, ${energy}`,
    )
  }
}

/** What is kept of the expected output, cut into windows, beside what was found at the same places. */
function windowsOf(name: string, { at, results }: Case, found: Float32Array, rate: number): Window[] {
  const whole = results <= 2 * edge
  const strided = whole ? 0 : Math.ceil(results / stride)
  const file = read(`${name}.f32`)
  const stored = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length))
  const expected = stored.subarray(at, at + (whole ? results : 2 * edge + strided))
  if (whole) return [{ name: 'whole', expected, found }]
  const windows = [
    { name: `first ${edge}`, expected: expected.subarray(0, edge), found: found.subarray(0, edge) },
    { name: `last ${edge}`, expected: expected.subarray(edge, 2 * edge), found: found.subarray(results - edge) },
  ]
  const sparse = Float32Array.from({ length: strided }, (_, i) => found[i * stride])
  const perSecond = Math.ceil(rate / stride)
  for (let from = 0, second = 0; from < strided; from += perSecond, second++) {
    const part = expected.subarray(2 * edge + from, 2 * edge + from + perSecond)
    // a few samples at the very end are no window; the last `edge` hold them
    if (part.length < 32) break
    windows.push({ name: `second ${second}`, expected: part, found: sparse.subarray(from, from + perSecond) })
  }
  return windows
}

test.run()
