// Folding: the same output with fewer records, gains per channel or per position, and no folding where others read the norm.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NetworkNode } from './attenuate.ts'
import { execute } from './execution.ts'
import { foldAffines } from './folding.ts'
import { lower } from './lower.ts'
import { drawNormal, fillNetwork, seedRandom } from './specimens.ts'

const HOP = 24

function network(rest: NetworkNode[], seed: number, sparse = false) {
  const graph: NetworkNode[] = [
    { name: 'rows', op: 'reshape', in: ['input'], shape: [1, 3, 8] },
    { name: 'norm', op: 'norm', in: ['rows'] },
    ...rest,
    { name: 'output', op: 'reshape', in: [rest.at(-1)!.name], shape: [HOP, 1, 1] },
  ]
  const port = { rate: 16000, hop: HOP }
  return fillNetwork({ version: 1, name: 'folding', input: port, output: port, graph }, seed, sparse)
}

const random = seedRandom(5)
const samples = Float32Array.from({ length: 10 * HOP }, () => drawNormal(random))

test('an affine joins its norm, whatever shapes its gains have', () => {
  const shapes = new Set<number>()
  for (let seed = 1; seed <= 12; seed++) {
    const { graph } = network([{ name: 'own', op: 'affine', in: ['norm'] }], seed, seed > 10)
    const folded = foldAffines(graph)
    const weight = folded.nodes.find(({ name }) => name === 'own')!.tensors.get('weight')!
    shapes.add(weight.shape.length)
    assert.is(folded.nodes.length, graph.nodes.length - 1)
    assert.equal(
      lower(graph).ops.map(({ name, task }) => [name, task.kind]),
      [['own', 'norm']],
    )
    // execution reads (C) weights alone: per position, the folded numbers are checked by hand
    if (weight.shape.length === 2) continue
    const [a, b] = [graph, folded].map((g) => execute(g, samples).signals.get('output')!)
    for (const [i, value] of a.entries()) assert.ok(Math.abs(value - b[i]) < 1e-5)
  }
  assert.equal([...shapes].sort(), [1, 2])
})

test('gains and offsets of a position multiply and shift its norm', () => {
  const seed = [1, 2, 3, 4, 5, 6].find(
    (s) => network([{ name: 'own', op: 'affine', in: ['norm'] }], s).tensors.get('own.weight')!.shape.length === 2,
  )!
  const { graph, tensors } = network([{ name: 'own', op: 'affine', in: ['norm'] }], seed)
  const { tensors: joint } = foldAffines(graph).nodes.find(({ name }) => name === 'own')!
  const [w, b, g, o] = ['norm.weight', 'norm.bias', 'own.weight', 'own.bias'].map((name) => tensors.get(name)?.data)
  for (let i = 0; i < 24; i++) {
    assert.is(joint.get('weight')!.data[i], g![i] * w![i % 8])
    assert.is(joint.get('bias')!.data[i], g![i] * b![i % 8] + (o ? o[i % o.length] : 0))
  }
})

test('a norm that others read stays as it is', () => {
  const { graph } = network(
    [
      { name: 'own', op: 'affine', in: ['norm'] },
      { name: 'sum', op: 'add', in: ['own', 'norm'] },
    ],
    3,
  )
  assert.equal(
    foldAffines(graph).nodes.map(({ name }) => name),
    graph.nodes.map(({ name }) => name),
  )
})

test('an activation behind the affine goes into the same record', () => {
  const { graph } = network(
    [
      { name: 'own', op: 'affine', in: ['norm'] },
      { name: 'curve', op: 'act', in: ['own'], kind: 'silu' },
    ],
    2,
  )
  assert.equal(
    lower(graph).ops.map(({ name }) => name),
    ['own'],
  )
})

test.run()
