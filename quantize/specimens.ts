// Seeded networks for tests and benches: random tensors for any graph, and small graphs that use every op. In: a seed.
// Out: checkpoints whose signals stay of moderate size.

import type { NetworkJson, NetworkNode } from './attenuate.ts'
import { type Checkpoint, makeCheckpoint } from './checkpoint.ts'
import { parseStructure } from './graph.ts'
import { countElements, type Tensor, type Tensors } from './tensor.ts'

export type Random = () => number

/** Uniform in 0..1; mulberry32, so that every host draws the same numbers. */
export function seedRandom(seed: number): Random {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** A checkpoint with random tensors for `json`; `sparse` leaves out optional ones and takes the plainest shapes. */
export function fillNetwork(json: NetworkJson, seed = 1, sparse = false): Checkpoint {
  const random = seedRandom(seed)
  const text = JSON.stringify(json)
  const tensors: Tensors = new Map()
  for (const node of parseStructure(text).nodes) {
    for (const { name, shapes, optional } of node.rules) {
      if (optional && sparse) continue
      const shape = shapes[sparse ? 0 : Math.floor(random() * shapes.length)]
      tensors.set(`${node.name}.${name}`, drawTensor(node.op, name, shape, random))
    }
  }
  return makeCheckpoint(text, tensors)
}

function drawTensor(op: string, name: string, shape: readonly number[], random: Random): Tensor {
  const data = new Float64Array(countElements(shape))
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1)
  for (let i = 0; i < data.length; i++) {
    if (op === 'ssm' && name === 'log_dt') data[i] = Math.log(1e-3) + random() * Math.log(300)
    else if (op === 'ssm' && name === 'A') data[i] = i % 2 ? Math.PI * Math.floor(8 * random()) : -0.4 + 0.3 * random()
    else if (name === 'weight' && (op === 'norm' || op === 'affine')) data[i] = 0.5 + random()
    else if (name === 'window') data[i] = Math.sin((Math.PI * (i + 0.5)) / data.length)
    else data[i] = drawNormal(random) / Math.sqrt(Math.max(1, fanIn))
  }
  return { shape, data }
}

/** A spectral network that uses most ops, `flag` included: 16 kHz, hop 128. */
export function describeSpectral(lookahead = 1): NetworkJson {
  const graph: NetworkNode[] = []
  const add = (name: string, op: string, inputs: string[], attributes: Record<string, unknown> = {}): string => {
    graph.push({ name, op, in: inputs, ...attributes })
    return name
  }
  add('frame', 'frame', ['input'], { length: 512 })
  add('spectrum', 'rfft', ['frame'])
  add('bins', 'gather', ['spectrum'], { index: Array.from({ length: 256 }, (_, i) => (i === 7 ? -1 : i)) })
  add('level', 'logpower', ['bins'], { eps: 1e-8 })
  add('scaled', 'affine', ['level'])
  add('phase', 'compress', ['bins'], { exponent: 0.3, eps: 1e-8 })
  add('features', 'concat', ['scaled', 'phase', 'level'])
  add('patches', 'reshape', ['features'], { shape: [1, 64, 16] })
  add('encode', 'bandconv', ['patches'], { channels: 12, taps: 3, stride: 2, pad: [1, 1] })
  add('encode_norm', 'norm', ['encode'])
  add('encode_act', 'act', ['encode_norm'], { kind: 'silu' })
  add('lost', 'linear', ['flag'], { channels: 32 * 12 })
  add('lost_bands', 'reshape', ['lost'], { shape: [1, 32, 12] })
  add('told', 'add', ['encode_act', 'lost_bands'])
  add('pre', 'conv', ['told'], { taps: 3, bands: 3, lookahead })
  add('memory', 'ssm', ['pre'], { channels: 24, order: 10 })
  add('gated', 'glu', ['memory'])
  add('residual', 'add', ['told', 'gated'])
  add('mixed', 'mix', ['residual'], { positions: 20, groups: 3 })
  add('mixed_act', 'act', ['mixed'], { kind: 'tanh' })
  add('second', 'ssm', ['mixed_act'], { channels: 12, order: 6 })
  add('half', 'slice', ['second'], { from: 2, to: 10 })
  add('bent', 'act', ['half'], { kind: 'prelu' })
  add('gain', 'act', ['half'], { kind: 'sigmoid' })
  add('product', 'mul', ['bent', 'gain'])
  add('spread', 'mix', ['product'], { positions: 64 })
  add('decode', 'linear', ['spread'], { channels: 16 })
  add('coefficients', 'reshape', ['decode'], { shape: [1, 256, 4] })
  add('all_bins', 'gather', ['coefficients'], { index: [...Array(256).keys(), 255] })
  add('filtered', 'filter', ['spectrum', 'all_bins'], { taps: 2 })
  add('wave', 'irfft', ['filtered'], { length: 256 })
  add('output', 'overlap', ['wave'])
  const port = { rate: 16000, hop: 128 }
  return { version: 1, name: 'spectral', input: port, output: port, graph }
}

/** Unequal rates: 64 samples at 4 kHz in, 256 at 16 kHz out. */
export function describeUpsampler(): NetworkJson {
  const graph: NetworkNode[] = [
    { name: 'group', op: 'reshape', in: ['input'], shape: [16, 1, 4] },
    { name: 'enter', op: 'linear', in: ['group'], channels: 8 },
    { name: 'pre', op: 'conv', in: ['enter'], taps: 3, lookahead: 1 },
    { name: 'memory', op: 'ssm', in: ['pre'], channels: 8, order: 12 },
    { name: 'joined', op: 'add', in: ['enter', 'memory'] },
    { name: 'leave', op: 'linear', in: ['joined'], channels: 16 },
    { name: 'output', op: 'reshape', in: ['leave'], shape: [256, 1, 1] },
  ]
  return { version: 1, name: 'upsampler', input: { rate: 4000, hop: 64 }, output: { rate: 16000, hop: 256 }, graph }
}
