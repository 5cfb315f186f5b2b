// The graph: every malformed description is one line that names the node; the documents list every op and kind.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeNetwork, type NetworkJson } from './attenuate.ts'
import { makeCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { AttenuateError, ERROR_CODES } from './errors.ts'
import { parseGraph, parseStructure } from './graph.ts'
import { OPS } from './ops.ts'
import { KINDS } from './record.ts'
import { describeSpectral, describeUpsampler, fillNetwork } from './specimens.ts'

function refuses(json: unknown, pattern: RegExp): void {
  assert.throws(
    () => parseStructure(JSON.stringify(json)),
    (error: unknown) => {
      assert.instance(error, AttenuateError)
      const { message } = error as AttenuateError
      assert.ok(pattern.test(message), `${message} against ${pattern}`)
      return true
    },
  )
}

/** A network of one node in front of `output`. */
function single(node: Record<string, unknown>, shape = [128, 1, 1]): NetworkJson {
  const port = { rate: 16000, hop: 128 }
  const nodes = [
    { name: 'x', in: ['input'], ...node },
    { name: 'output', op: 'reshape', in: ['x'], shape },
  ]
  return { version: 1, name: 'single', input: port, output: port, graph: nodes as NetworkJson['graph'] }
}

test('specimens parse, and write back to the same graph', () => {
  for (const json of [describeSpectral(), describeUpsampler(), describeNetwork()]) {
    const checkpoint = fillNetwork(json, 5)
    const back = readCheckpoint(writeCheckpoint(checkpoint, 'F64'))
    assert.is(back.text, checkpoint.text)
    assert.equal(back.graph.nodes.length, json.graph.length)
    for (const [name, tensor] of checkpoint.tensors) assert.equal(back.tensors.get(name)!.data, tensor.data)
  }
})

test('shapes of a spectral network', () => {
  const { shapes } = parseStructure(JSON.stringify(describeSpectral()))
  assert.equal(shapes.get('spectrum'), { steps: 1, positions: 257, channels: 2 })
  assert.equal(shapes.get('features'), { steps: 1, positions: 256, channels: 4 })
  assert.equal(shapes.get('encode'), { steps: 1, positions: 32, channels: 12 })
  assert.equal(shapes.get('memory'), { steps: 1, positions: 32, channels: 24 })
  assert.equal(shapes.get('output'), { steps: 128, positions: 1, channels: 1 })
})

test('the network as a whole', () => {
  const good = single({ op: 'linear', channels: 1 })
  refuses([], /^GRAPH_INVALID: graph is not an object/)
  refuses({ ...good, version: 2 }, /version of the checkpoint, 2;/)
  refuses({ ...good, extra: 1 }, /unknown attribute, extra/)
  refuses({ ...good, name: '' }, /name of the network/)
  refuses({ ...good, graph: [] }, /graph is no list/)
  refuses({ ...good, output: { rate: 8000, hop: 128 } }, /differ in duration, 128\/16000 and 128\/8000/)
  refuses({ ...good, input: { rate: 0, hop: 128 } }, /input: rate, 0/)
  refuses({ ...good, graph: good.graph.slice(0, 1) }, /last node, x; call it output/)
  refuses(single({ op: 'linear', channels: 2 }, [128, 1, 2]), /node output: shape, \(128,1,2\)/)
  assert.throws(() => parseGraph('{', new Map()), /GRAPH_INVALID: graph is not JSON/)
})

test('nodes', () => {
  refuses(single({ op: 'dense', channels: 1 }), /node x: unknown op, dense/)
  refuses(single({ op: 'constructor' }), /node x: unknown op, constructor/)
  refuses(single({ op: 'linear', channels: 1, name: 'input' }), /node 0: name is taken, input/)
  refuses(single({ op: 'linear', channels: 1, name: 'a b' }), /node 0: name, a b/)
  refuses(single({ op: 'linear', channels: 1, in: ['later'] }), /node x: input is not defined before it, later/)
  refuses(single({ op: 'linear', channels: 1, in: ['x'] }), /node x: input is not defined before it, x/)
  refuses(single({ op: 'add', in: ['input'] }), /node x: number of inputs, 1; expected 2/)
  refuses(single({ op: 'linear' }), /node x: missing attribute channels/)
  refuses(single({ op: 'linear', channels: '3' }), /node x: attribute channels, 3/)
  refuses(single({ op: 'linear', channels: 1, bias: true }), /node x: unknown attribute, bias/)
  refuses(single({ op: 'linear', channels: 1e9 }), /node x: attribute channels, 1000000000/)
  refuses(single({ op: 'act', kind: 'gelu' }), /node x: attribute kind, gelu; use silu/)
  refuses(single({ op: 'reshape', shape: [128, 1, 2] }), /node x: shape holds 256 numbers/)
  refuses(single({ op: 'glu' }), /node x: channels are odd, 1/)
  refuses(single({ op: 'mix', positions: 1, groups: 3 }), /node x: groups do not divide/)
  refuses(single({ op: 'conv', taps: 3, bands: 2 }), /node x: bands is even/)
  refuses(single({ op: 'gather', index: [1] }), /node x: index beyond 1 positions, 1/)
  refuses(single({ op: 'slice', from: 0, to: 2 }), /node x: slice/)
  refuses(single({ op: 'rfft' }), /node x: transform size, 1/)
  refuses(single({ op: 'frame', length: 64 }), /node x: length is shorter than the stride, 64/)
  refuses(single({ op: 'frame', length: 512, stride: 100 }), /node x: stride does not divide/)
  refuses(single({ op: 'filter', in: ['input', 'input'] }), /node x: input is no spectrum/)
  refuses(single({ op: 'add', in: ['input', 'flag'] }), /node x: inputs differ in shape, \(128,1,1\) and \(1,1,1\)/)
  refuses(single({ op: 'norm', eps: 0 }), /node x: attribute eps, 0/)
})

test('tensors', () => {
  const text = JSON.stringify(single({ op: 'linear', channels: 1 }))
  const scalar = (x: number) => ({ shape: [1, 1], data: Float64Array.of(x) })
  assert.throws(
    () => makeCheckpoint(text, new Map()),
    /TENSOR_MISSING: node x: tensor, x.weight; add it with shape \(1,1\)/,
  )
  const misshapen = { shape: [1], data: Float64Array.of(1) }
  assert.throws(
    () => makeCheckpoint(text, new Map([['x.weight', misshapen]])),
    /TENSOR_SHAPE: node x: shape of x.weight, \(1\); expected \(1,1\)/,
  )
  assert.throws(
    () => makeCheckpoint(text, new Map([['x.weight', scalar(Number.NaN)]])),
    /TENSOR_VALUE: node x: x.weight at element 0, NaN/,
  )
  const extra = new Map([
    ['x.weight', scalar(1)],
    ['y.weight', scalar(1)],
  ])
  assert.throws(() => makeCheckpoint(text, extra), /TENSOR_UNEXPECTED: tensor belongs to no node, y.weight/)
})

test('error codes are listed once', () => {
  assert.is(new Set(ERROR_CODES).size, ERROR_CODES.length)
})

test('CHECKPOINT.md has a row for every op, with its attributes, and FORMAT.md one for every kind', () => {
  const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')
  const [, section] = /## Ops\n(.*?)\n## /s.exec(read('CHECKPOINT.md'))!
  const ops = [...section.matchAll(/^\| `(\w+)` \|.*$/gm)]
  assert.equal(ops.map(([, op]) => op).sort(), Object.keys(OPS).sort())
  for (const [row, op] of ops)
    for (const attribute of Object.keys(OPS[op].attributes)) assert.match(row, new RegExp(`\\b${attribute}\\b`))
  const kinds = [...read('FORMAT.md').matchAll(/^\| (\d+) \| ([a-z]{2,}) \|/gm)]
  assert.equal(Object.fromEntries(kinds.map(([, code, name]) => [name, Number(code)])), KINDS)
})

test.run()
