// The paper's network (aTENNuate, arXiv 2409.03377) as a graph of CHECKPOINT.md. In: sizes and where look-ahead is
// allowed. Out: the JSON of a checkpoint. Samples at 16 kHz, hop 256; levels at 16k, 4k, 1k, 500, 250, 125, 62.5 Hz.

import { fail } from './errors.ts'

/** The parts whose pre-convs may look one step back instead of centring. */
export const PARTS = ['encoder', 'neck', 'decoder'] as const
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
