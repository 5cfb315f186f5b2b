// The paper's network (aTENNuate, arXiv 2409.03377) as a graph of CHECKPOINT.md. In: sizes and where look-ahead is
// allowed, or a state dict with the key names of the reference code. Out: the JSON of a checkpoint, and its tensors. Samples at 16 kHz, hop 256; levels at 16k, 4k, 1k, 500, 250, 125, 62.5 Hz.

import { fail } from './errors.ts'
import type { Tensor, Tensors } from './tensor.ts'

/** The parts whose pre-convs may look one step back instead of centring. */
const PARTS = ['encoder', 'neck', 'decoder'] as const
export type Part = (typeof PARTS)[number]

export interface NetworkSizes {
  /** Channels of the levels after the first, which has one. */
  readonly channels: readonly number[]
  /** Steps merged on the way to each of them. */
  readonly factors: readonly number[]
  /** Complex states of every SSM. */
  readonly order: number
}

export const PAPER: NetworkSizes = { channels: [16, 32, 64, 96, 128, 256], factors: [4, 4, 2, 2, 2, 2], order: 256 }

export interface NetworkNode {
  name: string
  op: string
  in: string[]
  [attribute: string]: unknown
}

export interface NetworkJson {
  version: 1
  name: string
  input: { rate: number; hop: number }
  output: { rate: number; hop: number }
  graph: NetworkNode[]
  card?: Record<string, unknown>
}

/**
 * The causal parts of a latency variant. In: `none` (as published: all centred, 1280 samples delivered), `neck` (768),
 * two parts such as `neck,decoder` (512), `all` (256), or any other list of parts.
 */
export function parseCausal(text: string): Part[] {
  if (text === 'none') return []
  if (text === 'all') return [...PARTS]
  const parts = text.split(',').map((part) => part.trim())
  const unknown = parts.find((part) => !(PARTS as readonly string[]).includes(part))
  if (unknown !== undefined)
    fail('OPTION_INVALID', 'causal part', unknown, `use all, none or a list of ${PARTS.join(' ')}`)
  return parts as Part[]
}

export function describeNetwork(
  causal: readonly Part[] = [],
  sizes: NetworkSizes = PAPER,
  name = 'attenuate',
): NetworkJson {
  const { channels, factors, order } = sizes
  const widths = [1, ...channels]
  const lookaheadOf = (part: Part): number => (causal.includes(part) ? 0 : 1)
  const graph: NetworkNode[] = []
  const add = (node: string, op: string, inputs: string[], attributes: Record<string, unknown> = {}): string => {
    graph.push({ name: node, op, in: inputs, ...attributes })
    return node
  }
  /** pre-conv, SSM, norm, SiLU; one channel has neither pre-conv nor norm. */
  const block = (node: string, x: string, width: number, ahead: number, activated = true): string => {
    let y = x
    if (width > 1) y = add(`${node}_pre`, 'conv', [y], { taps: 3, lookahead: ahead })
    y = add(`${node}_ssm`, 'ssm', [y], { channels: width, order })
    if (width > 1) y = add(`${node}_norm`, 'norm', [y], { eps: 1e-5 })
    return activated ? add(`${node}_act`, 'act', [y], { kind: 'silu' }) : y
  }

  const hop = factors.reduce((product, factor) => product * factor, 1)
  let steps = hop
  let x = 'input'
  const skips: string[] = []
  for (const [i, factor] of factors.entries()) {
    skips.push(x)
    x = block(`down${i}`, x, widths[i], lookaheadOf('encoder'))
    steps /= factor
    x = add(`down${i}_group`, 'reshape', [x], { shape: [steps, 1, factor * widths[i]] })
    x = add(`down${i}_patch`, 'linear', [x], { channels: widths[i + 1] })
  }
  for (const i of [0, 1]) x = block(`neck${i}`, x, widths[widths.length - 1], lookaheadOf('neck'))
  for (let i = factors.length - 1; i >= 0; i--) {
    x = add(`up${i}_unpatch`, 'linear', [x], { channels: factors[i] * widths[i] })
    steps *= factors[i]
    x = add(`up${i}_split`, 'reshape', [x], { shape: [steps, 1, widths[i]] })
    x = add(`up${i}_skip`, 'add', [x, skips[i]])
    x = block(`up${i}`, x, widths[i], lookaheadOf('decoder'))
  }
  x = block('last0', x, 1, lookaheadOf('decoder'))
  x = block('last1', x, 1, lookaheadOf('decoder'), false)
  add('output', 'reshape', [x], { shape: [hop, 1, 1] })
  return { version: 1, name, input: { rate: 16000, hop }, output: { rate: 16000, hop }, graph }
}

/** Does a state dict carry the key names of the reference code? */
export function isAttenuate(state: Tensors): boolean {
  return state.has('down_ssms.0.1.weight')
}

/** Renames and reorders a state dict of the reference code. `causal` parts are run as if trained so. */
export function convertAttenuate(
  state: Tensors,
  causal: readonly Part[] = [],
): { json: NetworkJson; tensors: Tensors } {
  const sizes = readSizes(state)
  const tensors: Tensors = new Map()
  const taken = new Set<string>()
  const take = (key: string, dimensions: number): Tensor => {
    const tensor = state.get(key)
    if (tensor === undefined) fail('TENSOR_MISSING', 'state dict has no', key, 'use weights of the reference code')
    if (tensor!.shape.length !== dimensions)
      fail('TENSOR_SHAPE', `shape of ${key}`, tensor!.shape, `expected ${dimensions} dimensions`)
    taken.add(key)
    return tensor!
  }
  const block = (node: string, prefix: string, width: number): void => {
    // one channel: no pre-conv and no norm, so the SSM comes first
    const at = width > 1 ? 1 : 0
    for (const [name, dimensions] of [
      ['log_dt', 1],
      ['A', 2],
      ['B', 2],
      ['C', 2],
    ] as const) {
      tensors.set(`${node}_ssm.${name}`, take(`${prefix}.${at}.${name}`, dimensions))
    }
    if (width === 1) return
    tensors.set(`${node}_pre.weight`, reorder(take(`${prefix}.0.weight`, 3), [2, 1, 0]))
    tensors.set(`${node}_pre.bias`, take(`${prefix}.0.bias`, 1))
    for (const name of ['weight', 'bias'])
      tensors.set(`${node}_norm.${name}`, take(`${prefix}.2.layer_norm.${name}`, 1))
  }
  const widths = [1, ...sizes.channels]
  for (const i of sizes.factors.keys()) {
    block(`down${i}`, `down_ssms.${i}.0`, widths[i])
    // (c, d, r) -> d rows over r steps of c channels
    tensors.set(`down${i}_patch.weight`, flatten(reorder(take(`down_ssms.${i}.1.weight`, 3), [1, 2, 0]), 1))
    // (c, d, r) -> r steps of d channels, over c
    tensors.set(`up${i}_unpatch.weight`, flatten(reorder(take(`up_ssms.${i}.0.weight`, 3), [2, 1, 0]), 2))
    block(`up${i}`, `up_ssms.${i}.1`, widths[i])
  }
  for (const i of [0, 1]) {
    block(`neck${i}`, `hid_ssms.${i}`, widths[widths.length - 1])
    block(`last${i}`, `last_ssms.${i}`, 1)
  }
  for (const key of state.keys())
    if (!taken.has(key)) fail('TENSOR_UNEXPECTED', 'key of no part of the network', key, 'remove it')
  return { json: describeNetwork(causal, sizes), tensors }
}

/** Channels, factors and order from the shapes of the patches. */
function readSizes(state: Tensors): NetworkSizes {
  const channels: number[] = []
  const factors: number[] = []
  for (let i = 0; state.has(`down_ssms.${i}.1.weight`); i++) {
    const { shape } = state.get(`down_ssms.${i}.1.weight`)!
    if (shape.length !== 3 || i > 12)
      fail('TENSOR_SHAPE', `shape of down_ssms.${i}.1.weight`, shape, 'expected (c,d,r)')
    channels.push(shape[1])
    factors.push(shape[2])
  }
  const poles = state.get('last_ssms.0.0.log_dt')
  if (poles === undefined)
    fail('TENSOR_MISSING', 'state dict has no', 'last_ssms.0.0.log_dt', 'use weights of the reference code')
  return { channels, factors, order: poles!.shape[0] ?? 0 }
}

/** Permutes three axes: axis i of the result is axis `axes[i]` of the source. */
function reorder({ shape, data }: Tensor, axes: readonly [number, number, number]): Tensor {
  const strides = [shape[1] * shape[2], shape[2], 1]
  const [n0, n1, n2] = axes.map((axis) => shape[axis])
  const [s0, s1, s2] = axes.map((axis) => strides[axis])
  const out = new Float64Array(data.length)
  let at = 0
  for (let i = 0; i < n0; i++)
    for (let j = 0; j < n1; j++) for (let k = 0; k < n2; k++) out[at++] = data[i * s0 + j * s1 + k * s2]
  return { shape: [n0, n1, n2], data: out }
}

/** Merges three axes into two: (first, rest) or (first two, last). */
function flatten({ shape: [a, b, c], data }: Tensor, rowAxes: 1 | 2): Tensor {
  return { shape: rowAxes === 1 ? [a, b * c] : [a * b, c], data }
}
