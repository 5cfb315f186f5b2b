// Fewer states for the SSMs of a checkpoint. In: a checkpoint and, where there is calibration audio, a recording of every
// SSM's input and output. Out: per SSM a realisation for any order, and the checkpoint with the chosen ones in place: it
// can be trained further and compiled like any other. A layer keeps its original where that is cheaper.

import type { NetworkNode } from './attenuate.ts'
import { checkCalibration, meanOfChannels, type Recording, recordedReachability } from './calibration.ts'
import { type Checkpoint, makeCheckpoint } from './checkpoint.ts'
import { discretise, type LinearSystem } from './discretise.ts'
import { fail } from './errors.ts'
import { execute, type Signal, type Trace } from './execution.ts'
import type { Node } from './graph.ts'
import { balance } from './hankel.ts'
import {
  cheaper,
  delayStates,
  type Form,
  firstResponse,
  keepOriginal,
  type Layer,
  MIN_DECAY,
  originalCost,
  type Realisation,
  realiseNear,
} from './realisation.ts'

/** What one layer came to, for the report. */
export interface LayerReport {
  readonly name: string
  readonly form: Form
  readonly statesBefore: number
  /** States, or taps of a FIR. */
  readonly sizeAfter: number
  /** Real dimension: balanced coordinates kept, of twice the states. */
  readonly order: number
  readonly macsPerSecondBefore: number
  readonly macsPerSecondAfter: number
  /** Twice the discarded Hankel singular values, relative to the largest: of the balanced truncation, for white input
   * or, with calibration, for input such as was recorded. */
  readonly relativeBound: number
  readonly condition: number
  /** Relative to the largest. */
  readonly hankel: number[]
}

/** Analyses every SSM; `trace` (of `execute`) weights them towards recorded signals. */
export function analyseLayers({ graph, text }: Checkpoint, trace?: Trace): Layer[] {
  const hopsPerSecond = graph.output.rate / graph.output.hop
  const { graph: nodes } = JSON.parse(text) as { graph: NetworkNode[] }
  const taken = new Set(nodes.map(({ name }) => name))
  return graph.nodes
    .filter((node) => node.op === 'ssm')
    .map((node): Layer => {
      const whole = discretise(node.tensors)
      checkPoles(node.name, whole)
      const plain = { ...whole, D: undefined }
      const direct = plain.inputs === 1 ? firstResponse(plain) : undefined
      const system = direct ? delayStates(plain) : plain
      const heard = trace?.signals.get(node.inputs[0])
      const rest = heard ? meanOfChannels(heard, system.inputs) : restOf(node, graph.nodes, system.inputs)
      const recording = heard && varies(heard, system.inputs) ? record(node, whole, direct, trace!, rest) : undefined
      return {
        node,
        json: nodes.find(({ name }) => name === node.name)!,
        system,
        balanced: recording ? balance(system, recordedReachability(system, recording)) : balance(system),
        direct,
        recording,
        rest,
        rate: hopsPerSecond * node.shape.steps * node.shape.positions,
        partNames: [takeName(node.name, 'pairs', taken), takeName(node.name, 'real', taken)],
      }
    })
}

/** A name for part of a node, within the length that names may have, and no other's. */
function takeName(whole: string, part: string, taken: Set<string>): string {
  let name = `${whole.slice(0, 90)}_${part}`
  while (taken.has(name)) name += '_'
  taken.add(name)
  return name
}

/** Calibration: a trace of the network on audio of the input's rate. */
export function calibrate({ graph }: Checkpoint, samples: Float32Array): Trace {
  checkCalibration(samples)
  const trace = execute(graph, samples)
  for (const { name } of graph.nodes) {
    const broken = trace.signals.get(name)!.find((value) => !Number.isFinite(value))
    if (broken !== undefined)
      fail(
        'TENSOR_VALUE',
        `node ${name}: result on the calibration audio leaves the range of f32`,
        broken,
        'train it again',
      )
  }
  return trace
}

function checkPoles(name: string, { decay }: LinearSystem): void {
  const n = decay.findIndex((value) => !(value >= MIN_DECAY))
  if (n >= 0)
    fail('TENSOR_VALUE', `node ${name}: decay per step of pole ${n}`, decay[n], `train it to at least ${MIN_DECAY}`)
}

/** Does a signal (rows, channels) ever leave its first row? What does not, as `flag` where nothing is lost, excites no state. */
function varies(signal: Signal, channels: number): boolean {
  return signal.some((value, i) => value !== signal[i % channels])
}

/** Input as deviations from its mean, output without D and without the direct response. */
function record(
  node: Node,
  { D, inputs, outputs }: LinearSystem,
  direct: Float64Array | undefined,
  { signals }: Trace,
  mean: Float64Array,
): Recording {
  const whole = signals.get(node.inputs[0])!
  const output = signals.get(node.name)!.slice()
  const diagonal = D?.length === outputs && inputs === outputs
  for (let r = 0; r < output.length / outputs; r++) {
    for (let d = 0; d < outputs; d++) {
      const at = r * outputs + d
      if (direct) output[at] -= direct[d] * whole[r]
      if (diagonal) output[at] -= D[d] * whole[r * inputs + d]
      else if (D) for (let c = 0; c < inputs; c++) output[at] -= D[d * inputs + c] * whole[r * inputs + c]
    }
  }
  const input = whole.map((value, i) => value - mean[i % inputs])
  return { positions: node.shape.positions, input, output, mean, late: direct !== undefined }
}

/** Without a recording: the bias of the pre-conv in front, or a constant where there is one channel. */
function restOf(node: Node, nodes: readonly Node[], inputs: number): Float64Array {
  if (inputs === 1) return Float64Array.of(1)
  const bias = nodes.find((other) => other.name === node.inputs[0])?.tensors.get('bias')
  return bias?.data.length === inputs ? bias.data : new Float64Array(inputs)
}

/** How many balanced coordinates lie above a tolerance relative to the largest Hankel singular value. */
export function orderAt({ balanced: { sigma } }: Layer, tolerance: number): number {
  return Math.max(1, sigma.filter((value) => value > tolerance * sigma[0]).length)
}

/** Every layer at one tolerance. */
export function reduceByTolerance(layers: Layer[], tolerance: number): Realisation[] {
  if (!(tolerance >= 0 && tolerance < 1)) fail('OPTION_INVALID', 'tolerance', tolerance, 'use 0..1, such as 0.01')
  return layers.map((layer) =>
    tolerance === 0 ? keepOriginal(layer) : cheaper(layer, realiseNear(layer, orderAt(layer, tolerance))),
  )
}

/** The checkpoint with realisations in place of the SSMs they were made from. */
export function applyRealisations(checkpoint: Checkpoint, realisations: readonly Realisation[]): Checkpoint {
  const tensors = new Map(checkpoint.tensors)
  const json = JSON.parse(checkpoint.text) as { graph: NetworkNode[] }
  for (const { layer, nodes, tensors: own } of realisations) {
    const { name } = layer.node
    json.graph.splice(
      json.graph.findIndex((node) => node.name === name),
      1,
      ...nodes,
    )
    for (const short of layer.node.tensors.keys()) tensors.delete(`${name}.${short}`)
    for (const [full, tensor] of own) tensors.set(full, tensor)
  }
  return makeCheckpoint(JSON.stringify(json), tensors)
}

export function reportLayer({ layer, form, order, size, condition, macsPerSecond }: Realisation): LayerReport {
  const { sigma } = layer.balanced
  // a layer that reads or writes nothing has none
  const largest = sigma[0] || 1
  const kept = order ?? sigma.length
  const discarded = sigma.slice(kept).reduce((sum, value) => sum + value, 0)
  return {
    name: layer.node.name,
    form,
    statesBefore: layer.system.order,
    sizeAfter: size,
    order: kept,
    macsPerSecondBefore: originalCost(layer),
    macsPerSecondAfter: macsPerSecond,
    relativeBound: order === undefined ? 0 : (2 * discarded) / largest,
    condition,
    hankel: Array.from(sigma.slice(0, 64), (value) => value / largest),
  }
}
