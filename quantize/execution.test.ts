// The offline run of a graph against the golden vectors: an independent float64 reference (training/reference.py).
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawSamples } from '../tests/golden/signal.ts'
import { readCheckpoint } from './checkpoint.ts'
import { execute, executeFrom, transform } from './execution.ts'
import { lower } from './lower.ts'
import { measureSnrDb } from './snr.ts'
import { describeSpectral, drawNormal, fillNetwork, seedRandom } from './specimens.ts'

interface Golden {
  name: string
  cases: { samples: number; offset: number; level: number; lost: number[]; results: number; at: number }[]
}

const read = (file: string) => readFileSync(new URL(`../tests/golden/${file}`, import.meta.url))
const [{ edge }, ...networks] = read('golden.jsonl')
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line)) as [{ edge: number }, ...Golden[]]
// single ops are kept whole; networks of 20 s are the core's affair
const ops = networks.filter(({ cases }) => cases.every(({ results }) => results <= 2 * edge))

for (const { name, cases } of ops) {
  test(name, () => {
    const { graph } = readCheckpoint(read(`${name}.safetensors`))
    const { overlapLag } = lower(graph)
    const file = read(`${name}.f32`)
    const stored = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length))
    for (const { samples, offset, level, lost, results, at } of cases) {
      const hops = Math.ceil(samples / graph.input.hop) + Math.ceil(overlapLag / graph.output.hop)
      const padded = new Float32Array(hops * graph.input.hop)
      padded.set(drawSamples(samples, offset, level))
      const output = execute(graph, padded, lost)
        .signals.get('output')!
        .subarray(overlapLag, overlapLag + results)
      const expected = stored.subarray(at, at + results)
      const snrDb = measureSnrDb(output, expected)
      assert.ok(snrDb >= 100, `${snrDb.toFixed(1)} dB`)
    }
  })
}

test('golden vectors were found', () => {
  assert.ok(ops.length > 20, `${ops.length}`)
})

test('a run from the middle equals a whole run', () => {
  const random = seedRandom(3)
  const { graph } = fillNetwork(describeSpectral(), 2)
  const samples = Float32Array.from({ length: 128 * 20 }, () => 0.1 * drawNormal(random))
  const trace = execute(graph, samples)
  const changed = trace.signals.get('memory')!.map((x) => x + 0.01)
  const partial = executeFrom(graph, trace, new Map([['memory', changed]]))
  assert.not.equal(partial, trace.signals.get('output'))
  const same = executeFrom(graph, trace, new Map([['memory', trace.signals.get('memory')!]]))
  assert.equal(same, trace.signals.get('output'))
})

test('transform: against the definition', () => {
  const random = seedRandom(4)
  const n = 32
  const re = Float64Array.from({ length: n }, () => drawNormal(random))
  const im = Float64Array.from({ length: n }, () => drawNormal(random))
  const [a, b] = [re.slice(), im.slice()]
  transform(a, b, -1)
  for (let k = 0; k < n; k++) {
    let [x, y] = [0, 0]
    for (let m = 0; m < n; m++) {
      const angle = (-2 * Math.PI * k * m) / n
      x += re[m] * Math.cos(angle) - im[m] * Math.sin(angle)
      y += re[m] * Math.sin(angle) + im[m] * Math.cos(angle)
    }
    assert.ok(Math.hypot(x - a[k], y - b[k]) < 1e-12 * n)
  }
})

test.run()
