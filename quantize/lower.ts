// From graph to straight-line program. In: a checked graph. Out: ops over buffers with each value's lag in its own steps
// (look-ahead only). Inserted here: delays where a merge of steps or a join needs them, and before the output so that
// it arrives whole hops late. Vanishing here: reshapes and first positions (two names of one buffer), dead nodes, fused
// activations, affines that a norm takes over.

import { fail } from './errors.ts'
import { foldAffines } from './folding.ts'
import type { Graph, Node } from './graph.ts'
import type { Shape } from './ops.ts'
import { type Block, type IntegerMatrix, type Packed, packInverse, packNode } from './pack.ts'
import { type Activation, FORMATS, type Task } from './record.ts'

interface Op {
  /** Of the node it came from; delays are called after what they delay. */
  readonly name: string
  readonly task: Task
  /** Buffers, by number. */
  readonly inputs: number[]
  readonly result: number
  readonly lag: number
  readonly blocks: (Block | undefined)[]
  /** Number format of its matrices. */
  readonly format: number
}

/** Matrices as integers, of the nodes that have them so. */
export type Quantisation = ReadonlyMap<string, readonly IntegerMatrix[]>

export interface Lowered {
  readonly ops: Op[]
  /** Floats each buffer holds; buffer 0 is the input. */
  readonly bufferFloats: number[]
  readonly outputBuffer: number
  readonly lookaheadHops: number
  /** What the network itself looks ahead, in output samples; the hops above round it up. */
  readonly lookaheadSamples: number
  /** Output samples. */
  readonly overlapLag: number
}

/** One value of the graph: which buffer holds it and when. */
interface Value {
  readonly buffer: number
  readonly shape: Shape
  readonly lag: number
  /** Output samples by which its timeline starts before the input's. */
  readonly overlap: number
  /** Output samples of look-ahead on the longest path to it, without any rounding to whole steps. */
  readonly ahead: number
}

export const INPUT_BUFFER = 0

export function lower(graph: Graph, quantisation: Quantisation = new Map()): Lowered {
  return new Lowering(foldAffines(graph), quantisation).run()
}

class Lowering {
  private readonly ops: Op[] = []
  private readonly bufferFloats: number[] = []
  private readonly values = new Map<string, Value>()
  private readonly delayed = new Map<string, Value>()
  private readonly fused: Map<string, Activation>

  constructor(
    private readonly graph: Graph,
    private readonly quantisation: Quantisation,
  ) {
    this.fused = findFusedActivations(graph)
    this.values.set('input', {
      buffer: this.addBuffer(graph.shapes.get('input')!),
      shape: graph.shapes.get('input')!,
      lag: 0,
      overlap: 0,
      ahead: 0,
    })
  }

  run(): Lowered {
    const live = findLiveNodes(this.graph)
    if (live.has('flag')) this.emitFlag()
    for (const node of this.graph.nodes) if (live.has(node.name)) this.values.set(node.name, this.emit(node))
    return this.finish()
  }

  private emit(node: Node): Value {
    const inputs = node.inputs.map((name) => this.values.get(name)!)
    if (node.op === 'reshape') return this.reshape(node, inputs[0])
    // the producer already applies it
    if (node.op === 'act' && this.fused.has(node.inputs[0])) return inputs[0]
    if (isBeginning(node, inputs)) return { ...inputs[0], shape: node.shape }
    if (node.op === 'concat') return this.concat(node, inputs)
    const aligned = node.op === 'frame' ? [this.delayToMerge(node, inputs[0])] : this.align(node, inputs)
    const packed = this.pack(node, aligned[0])
    return this.addOp(node, aligned, node.shape, packed, lagAfter(node, aligned[0]))
  }

  private pack(node: Node, input: Value): Packed {
    if (node.op === 'irfft') return packInverse(node, 2 * (input.shape.positions - 1))
    if (node.op === 'frame') {
      return { blocks: [], parameters: [node.shape.channels, input.shape.steps / node.shape.steps] }
    }
    if (node.op === 'overlap') {
      return { blocks: [], parameters: [input.shape.channels, node.shape.steps / input.shape.steps] }
    }
    return packNode(node, this.fused.get(node.name) ?? 'none', this.quantisation.get(node.name))
  }

  private addOp(node: Node, inputs: Value[], shape: Shape, packed: Packed, lag: number): Value {
    const [first] = inputs
    const result = this.addBuffer(shape)
    this.ops.push({
      name: node.name,
      task: {
        kind: node.op as Task['kind'],
        steps: shape.steps,
        positions: first.shape.positions,
        channels: first.shape.channels,
        resultPositions: shape.positions,
        resultChannels: shape.channels,
        parameters: packed.parameters,
      },
      inputs: inputs.map((input) => input.buffer),
      result,
      lag,
      blocks: packed.blocks,
      format: packed.format ?? FORMATS.f32,
    })
    // samples times steps, then over steps: whole numbers stay whole
    const { hop } = this.graph.output
    const early = node.op === 'overlap' ? first.shape.channels - shape.steps / first.shape.steps : 0
    const looked = node.op === 'conv' ? (node.attributes.get('lookahead') as number) : 0
    const overlap = Math.max(...inputs.map((input) => input.overlap)) + (early * hop) / shape.steps
    const ahead = Math.max(...inputs.map((input) => input.ahead)) + (looked * hop) / shape.steps
    return { buffer: result, shape, lag, overlap, ahead }
  }

  /** The format joins two at a time. */
  private concat(node: Node, inputs: Value[]): Value {
    const aligned = this.align(node, inputs)
    return aligned.slice(1).reduce((left, right) => {
      const shape = { ...left.shape, channels: left.shape.channels + right.shape.channels }
      return this.addOp(node, [left, right], shape, { blocks: [], parameters: [right.shape.channels, 0] }, left.lag)
    }, aligned[0])
  }

  private reshape(node: Node, input: Value): Value {
    const value = this.delayToMerge(node, input)
    return { ...value, shape: node.shape, lag: (value.lag * node.shape.steps) / value.shape.steps }
  }

  /** Where steps merge, a lag that is no multiple of the merge would leave a hop's last step half filled. */
  private delayToMerge(node: Node, input: Value): Value {
    const unit = input.shape.steps / greatestCommonDivisor(input.shape.steps, node.shape.steps)
    return this.delay(node.inputs[0], input, Math.ceil(input.lag / unit) * unit)
  }

  /** All inputs as late as the latest. */
  private align(node: Node, inputs: Value[]): Value[] {
    const latest = Math.max(...inputs.map((input) => input.lag))
    return inputs.map((input, i) => this.delay(node.inputs[i], input, latest))
  }

  private delay(name: string, value: Value, lag: number): Value {
    const steps = lag - value.lag
    if (steps === 0) return value
    const { buffer, shape } = value
    // two names of one buffer may differ in length
    const key = `${buffer}+${steps}/${shape.steps}x${shape.positions * shape.channels}`
    const known = this.delayed.get(key)
    if (known) return { ...known, shape, lag }
    const result = this.addBuffer(shape)
    this.ops.push({
      name: `${name}+${steps}`,
      task: {
        kind: 'delay',
        steps: shape.steps,
        positions: shape.positions,
        channels: shape.channels,
        resultPositions: shape.positions,
        resultChannels: shape.channels,
        parameters: [steps, 0],
      },
      inputs: [buffer],
      result,
      lag,
      blocks: [],
      format: FORMATS.f32,
    })
    const late = { ...value, buffer: result, lag }
    this.delayed.set(key, late)
    return late
  }

  private emitFlag(): void {
    const shape = { steps: 1, positions: 1, channels: 1 }
    const result = this.addBuffer(shape)
    this.ops.push({
      name: 'flag',
      task: {
        kind: 'flag',
        steps: 1,
        positions: 1,
        channels: 1,
        resultPositions: 1,
        resultChannels: 1,
        parameters: [0, 0],
      },
      inputs: [],
      result,
      lag: 0,
      blocks: [],
      format: FORMATS.f32,
    })
    this.values.set('flag', { buffer: result, shape, lag: 0, overlap: 0, ahead: 0 })
  }

  private finish(): Lowered {
    const { hop } = this.graph.output
    const output = this.values.get('output')!
    const lookaheadHops = Math.ceil(output.lag / hop)
    const late = this.delay('output', output, lookaheadHops * hop)
    const overlapLag = Math.round(output.overlap)
    if (Math.abs(output.overlap - overlapLag) > 1e-6) {
      fail('GRAPH_INVALID', 'overlap shifts the result by a fraction of a sample', output.overlap, 'change the stride')
    }
    return {
      ops: this.ops,
      bufferFloats: this.bufferFloats,
      outputBuffer: late.buffer,
      lookaheadHops,
      lookaheadSamples: output.ahead,
      overlapLag,
    }
  }

  private addBuffer({ steps, positions, channels }: Shape): number {
    return this.bufferFloats.push(steps * positions * channels) - 1
  }
}

/** Does a gather take the first positions as they stand? Of a value of one step, these lie where the value does. */
function isBeginning(node: Node, [input]: Value[]): boolean {
  if (node.op !== 'gather' || input.shape.steps !== 1) return false
  return (node.attributes.get('index') as number[]).every((from, to) => from === to)
}

/** Look-ahead relabels time: the causal filter of what arrives is the centred one of what has arrived. */
function lagAfter(node: Node, input: Value): number {
  if (node.op === 'conv') return input.lag + (node.attributes.get('lookahead') as number)
  return (input.lag * node.shape.steps) / input.shape.steps
}

/** {producer: activation} where the producer can apply it and nobody else reads the unactivated value. */
function findFusedActivations({ nodes }: Graph): Map<string, Activation> {
  const readers = new Map<string, number>()
  for (const node of nodes) for (const name of node.inputs) readers.set(name, (readers.get(name) ?? 0) + 1)
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const fused = new Map<string, Activation>()
  for (const node of nodes) {
    const producer = node.op === 'act' ? byName.get(node.inputs[0]) : undefined
    const kind = node.attributes.get('kind')
    if (producer && kind !== 'prelu' && FUSING.includes(producer.op) && readers.get(producer.name) === 1) {
      fused.set(producer.name, kind as Activation)
    }
  }
  return fused
}

const FUSING = ['linear', 'bandconv', 'mix', 'conv', 'norm']

/** Names whose values reach the output. */
function findLiveNodes({ nodes }: Graph): Set<string> {
  const live = new Set(['output'])
  for (const node of [...nodes].reverse()) {
    if (live.has(node.name)) for (const name of node.inputs) live.add(name)
  }
  return live
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
