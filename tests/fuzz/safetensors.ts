// Checkpoints in safetensors with one thing or more wrong, in the header, in the network it describes, in the numbers. In:
// random numbers. Out: bytes for quantize/checkpoint.ts; what it accepts is compiled, and the model file decoded.

import { describeNetwork, type NetworkJson } from '../../quantize/attenuate.ts'
import { readCheckpoint, writeCheckpoint } from '../../quantize/checkpoint.ts'
import { compileCheckpoint } from '../../quantize/compile.ts'
import { decodeModel } from '../../quantize/modelfile.ts'
import { SMALL } from '../../quantize/specimens.pytorch.ts'
import { describeSpectral, describeUpsampler, fillNetwork, type Random } from '../../quantize/specimens.ts'
import { encodeUtf8 } from '../../quantize/text.ts'
import { promise, type Target } from './campaign.ts'
import { type Json, spoil } from './json.ts'
import { below, choose, damage, disturb, happens, joined } from './mutation.ts'

const SOUND = [describeNetwork([], SMALL), describeSpectral(), describeUpsampler()].map((json, i) =>
  writeCheckpoint(fillNetwork(json, 1 + i), 'F16'),
)

export const safetensors: Target = {
  name: 'safetensors',
  codes: [
    'FILE_UNKNOWN',
    'SAFETENSORS_INVALID',
    'GRAPH_INVALID',
    'TENSOR_MISSING',
    'TENSOR_UNEXPECTED',
    'TENSOR_SHAPE',
    'TENSOR_VALUE',
    'PROGRAM_TOO_LARGE',
    'ZIP_INVALID', // where its first bytes became those of a zip
  ],
  draw(random) {
    const sound = choose(random, SOUND)
    const bytes = happens(random, 0.8) ? rebuild(random, sound) : sound
    return happens(random, 0.3) ? damage(random, bytes) : bytes
  },
  parse(bytes) {
    const checkpoint = readCheckpoint(bytes)
    for (const [name, { shape, data }] of checkpoint.tensors)
      promise(data.length === shape.reduce((product, size) => product * size, 1), `${name} is as long as its shape`)
    decodeModel(compileCheckpoint(checkpoint))
  },
}

/** Header or network spoilt, lengths right, so that it is read to where the damage is. */
function rebuild(random: Random, sound: Uint8Array): Uint8Array {
  const length = new DataView(sound.buffer, sound.byteOffset).getUint32(0, true)
  const header = JSON.parse(Buffer.from(sound.subarray(8, 8 + length)).toString()) as { [key: string]: Json }
  const data = sound.subarray(8 + length)
  const metadata = header.__metadata__ as { attenuate: string }
  const way = below(random, 4)
  if (way === 0) metadata.attenuate = spoil(random, JSON.parse(metadata.attenuate), 1 + below(random, 3))
  if (way === 1) metadata.attenuate = bend(random, JSON.parse(metadata.attenuate), 1 + below(random, 3))
  if (way === 2) for (let n = below(random, 3); n >= 0; n--) swapTensors(random, header)
  const text = encodeUtf8(way === 3 ? spoil(random, header, 1 + below(random, 3)) : JSON.stringify(header))
  const size = new Uint8Array(8)
  const stated = happens(random, 0.1) ? disturb(random, text.length) : text.length
  new DataView(size.buffer).setUint32(0, stated, true)
  if (happens(random, 0.02)) size[7] = 1 + below(random, 255)
  return joined(size, text, data)
}

const OPS = 'reshape linear bandconv mix conv ssm norm affine act glu add mul slice concat gather frame rfft irfft'
const ALL_OPS = [...OPS.split(' '), 'overlap', 'logpower', 'compress', 'filter']

/** A network that is still well-formed JSON of the right types: other ops, inputs, sizes. */
function bend(random: Random, json: NetworkJson, times: number): string {
  for (let n = 0; n < times && json.graph.length > 0; n++) choose(random, BENDS)(random, json)
  return JSON.stringify(json)
}

const BENDS: readonly ((random: Random, json: NetworkJson) => void)[] = [
  (random, { graph }) => {
    choose(random, graph).op = choose(random, ALL_OPS)
  },
  (random, { graph }) => {
    choose(random, graph).in = Array.from({ length: below(random, 4) }, () => choose(random, graph).name)
  },
  (random, { graph }) => void graph.splice(below(random, graph.length), 1),
  (random, { graph }) => void graph.splice(below(random, graph.length), 0, structuredClone(choose(random, graph))),
  (random, { graph }) => {
    const node = choose(random, graph)
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === 'number') node[key] = disturb(random, value)
      else if (key === 'shape')
        node[key] = (value as number[]).map((size) => (happens(random, 0.5) ? disturb(random, size) : size))
    }
  },
  (random, { input, output }) => {
    const port = choose(random, [input, output])
    const key = choose(random, ['rate', 'hop'] as const)
    port[key] = disturb(random, port[key])
  },
]

/** Tensors that are sound in themselves but not what the network expects: other types, shapes, places. */
function swapTensors(random: Random, header: { [key: string]: Json }): void {
  const names = Object.keys(header).filter((name) => name !== '__metadata__')
  const [a, b] = [choose(random, names), choose(random, names)]
  const tensor = header[a] as { dtype: string; shape: number[] }
  const way = below(random, 4)
  if (way === 0) [header[a], header[b]] = [header[b], header[a]]
  else if (way === 1) tensor.dtype = choose(random, ['F16', 'BF16', 'F32', 'I8'])
  else if (way === 2) tensor.shape.reverse()
  else {
    header[`${a}x`] = header[a]
    delete header[a]
  }
}
