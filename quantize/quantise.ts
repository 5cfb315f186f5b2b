// A network's matrices as integers. In: a checkpoint, a format and, where there is calibration audio, its trace. Out: the
// integers of every node that gets them, what each got, and the same network in real numbers, to measure with. `mixed`
// is int4 where the output can bear it: the error each node causes alone at the output is measured, and nodes return to
// int8, the one that helps most per byte first, until the sum of the errors keeps to the target.

import { fail } from './errors.ts'
import { executeFrom, executeNode, type Trace } from './execution.ts'
import type { Graph, Node } from './graph.ts'
import { relativeError } from './levels.ts'
import type { Quantisation } from './lower.ts'
import { type IntegerMatrix, type Matrix, matricesOfNode, withMatrices } from './pack.ts'
import { momentsOfNode } from './quantise.moments.ts'
import { type Moments, restoreMatrix, roundMatrix } from './quantise.rounding.ts'
import { FORMATS, type Format, MAX_INT8_COLUMNS, matrixBytes, up } from './record.ts'

export const WEIGHT_FORMATS = ['f32', 'int8', 'int4', 'mixed'] as const
export type WeightFormat = (typeof WEIGHT_FORMATS)[number]

export interface Quantised {
  readonly quantisation: Quantisation
  /** Of every node with matrices. */
  readonly formats: ReadonlyMap<string, Format>
  /** Of the output with rounded weights against that without, on the calibration audio, all its levels alike. */
  readonly snrDb: number | undefined
}

/** What the network does on calibration audio, and where its levels end (levels.ts). */
export interface Heard extends Trace {
  readonly ends?: readonly number[]
}

/** Of the output, where `mixed` is not told. */
const DEFAULT_MIXED_SNR_DB = 30

export function quantiseNetwork(
  graph: Graph,
  format: WeightFormat,
  trace?: Heard,
  targetSnrDb = DEFAULT_MIXED_SNR_DB,
  onProgress: (fraction: number, what: string) => void = () => {},
): Quantised {
  if (!WEIGHT_FORMATS.includes(format))
    fail('OPTION_INVALID', 'format', format, `use one of ${WEIGHT_FORMATS.join(', ')}`)
  const nodes = format === 'f32' ? [] : graph.nodes.filter((node) => matricesOfNode(node).length > 0)
  const choices = nodes.map((node, i) => {
    onProgress(i / nodes.length, node.name)
    return quantiseNode(graph, node, format, trace)
  })
  const picked = format === 'mixed' ? mix(graph, choices, trace, targetSnrDb) : choices.map(({ options }) => options[0])
  const quantisation = new Map(
    choices.flatMap(({ node }, i): [string, readonly IntegerMatrix[]][] => {
      const { matrices } = picked[i]
      return matrices ? [[node.name, matrices]] : []
    }),
  )
  return {
    quantisation,
    formats: new Map(nodes.map((node, i) => [node.name, picked[i].format])),
    snrDb: trace && nodes.length > 0 ? measureSnr(graph, quantisation, trace) : undefined,
  }
}

/** One way to store a node. */
interface Option {
  readonly format: Format
  readonly matrices: readonly IntegerMatrix[] | undefined
  readonly bytes: number
}

interface Choice {
  readonly node: Node
  /** Smallest first. */
  readonly options: readonly Option[]
}

function quantiseNode(graph: Graph, node: Node, format: WeightFormat, trace: Trace | undefined): Choice {
  const moments = trace && momentsOfNode(graph, node, trace)
  const { matrices, moments: seen } =
    node.op === 'ssm' ? levelStates(node, moments) : { matrices: matricesOfNode(node), moments }
  const wanted: Format[] = format === 'mixed' ? ['int4', 'int8'] : [format as Format]
  const options = wanted.map((one): Option => {
    const stored = storable(node, one, matrices)
    if (stored === 'f32') return { format: 'f32', matrices: undefined, bytes: bytesOf(matrices, 'f32') }
    const rounded = matrices.map((matrix, k) => roundMatrix(matrix, stored, seen?.[k]))
    return { format: stored, matrices: rounded, bytes: bytesOf(matrices, stored) }
  })
  return { node, options }
}

/** Mixing knows no int4; rows too long for 32-bit sums of int8 stay as they are. */
function storable(node: Node, format: Format, matrices: readonly Matrix[]): 'f32' | 'int8' | 'int4' {
  const wanted = format === 'int4' && node.op === 'mix' ? 'int8' : format
  const tooLong = matrices.some(({ columns }) => columns > MAX_INT8_COLUMNS)
  return wanted === 'int8' && tooLong ? 'f32' : wanted
}

function bytesOf(matrices: readonly Matrix[], format: Format): number {
  return matrices.reduce(
    (sum, { rows, columns, groups }) => sum + matrixBytes(FORMATS[format], rows / groups, columns, groups),
    0,
  )
}

/**
 * The states of a step share one scale: each is brought to a power of about one, by powers of two that B divides by
 * and C multiplies with. Nothing else changes.
 */
function levelStates(node: Node, moments: Moments[][] | undefined): { matrices: Matrix[]; moments?: Moments[][] } {
  const [B, C] = matricesOfNode(node)
  if (!moments) return { matrices: [B, C] }
  const [K, width] = [C.columns, up(node.attributes.get('order') as number)]
  const H = moments[1][0]
  const gains = Float64Array.from({ length: width }, (_, n) => {
    let power = 0
    for (let k = n; k < K; k += width) power += H[k * K + k]
    return power > 0 ? 2 ** -Math.round(Math.log2(Math.sqrt((power * width) / K))) : 1
  })
  return {
    matrices: [
      { ...B, data: B.data.map((value, i) => value * gains[Math.floor(i / B.columns) % width]) },
      { ...C, data: C.data.map((value, i) => value / gains[(i % K) % width]) },
    ],
    moments: [moments[0], [H.map((value, i) => value * gains[Math.floor(i / K) % width] * gains[(i % K) % width])]],
  }
}

/** int4 everywhere, then back to int8 where that buys most, until the errors keep to the target. */
function mix(graph: Graph, choices: readonly Choice[], trace: Heard | undefined, targetSnrDb: number): Option[] {
  if (!trace)
    return fail('OPTION_INVALID', 'format mixed without calibration audio', undefined, 'give it a noisy recording')
  const allowed = 10 ** (-targetSnrDb / 10)
  const candidates = choices.map((choice) => {
    const errors = choice.options.map((option) => errorOf(graph, choice.node, option, trace))
    return { choice, errors, at: 0 }
  })
  const total = () => candidates.reduce((sum, { errors, at }) => sum + errors[at], 0)
  while (total() > allowed) {
    const gain = ({ choice: { options }, errors, at }: (typeof candidates)[number]) =>
      at + 1 < options.length
        ? (errors[at] - errors[at + 1]) / Math.max(1, options[at + 1].bytes - options[at].bytes)
        : 0
    const best = candidates.reduce((a, b) => (gain(b) > gain(a) ? b : a))
    if (!(gain(best) > 0)) break
    best.at++
  }
  return candidates.map(({ choice, at }) => choice.options[at])
}

/** Relative power of what rounding this node alone changes at the output. */
function errorOf(graph: Graph, node: Node, { matrices }: Option, trace: Heard): number {
  if (!matrices) return 0
  const rounded = withMatrices(node, matrices.map(restoreMatrix))
  const output = executeFrom(graph, trace, new Map([[node.name, executeNode(graph, rounded, trace)]]))
  return errorAgainst(trace, output)
}

/** The graph with the rounded weights in real numbers. */
export function restoreNetwork(graph: Graph, quantisation: Quantisation): Graph {
  const nodes = graph.nodes.map((node) => {
    const matrices = quantisation.get(node.name)
    return matrices ? withMatrices(node, matrices.map(restoreMatrix)) : node
  })
  return { ...graph, nodes }
}

function measureSnr(graph: Graph, quantisation: Quantisation, trace: Heard): number {
  const restored = restoreNetwork(graph, quantisation)
  const signals = new Map([
    ['input', trace.signals.get('input')!],
    ['flag', trace.signals.get('flag')!],
  ])
  for (const node of restored.nodes) signals.set(node.name, executeNode(restored, node, { hops: trace.hops, signals }))
  return -10 * Math.log10(errorAgainst(trace, signals.get('output')!))
}

function errorAgainst({ signals, ends = [1] }: Heard, output: ArrayLike<number>): number {
  return relativeError(output, signals.get('output')!, ends)
}
