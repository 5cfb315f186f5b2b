// Fewer states for the SSMs of a checkpoint. In: a checkpoint and, where there is calibration audio, a recording of every
// SSM's input and output. Out: per SSM a realisation for any order, and the checkpoint with the chosen ones in place: it
// can be trained further and compiled like any other. A layer keeps its original where that is cheaper.

import {
  checkCalibration,
  matchRest,
  meanInput,
  type Recording,
  recordedReachability,
  refitReadout,
} from './calibration.ts'
import { type Checkpoint, makeCheckpoint } from './checkpoint.ts'
import { countSystemMacs, discretise, type LinearSystem, toTensors } from './discretise.ts'
import { fail } from './errors.ts'
import { execute, type Trace } from './execution.ts'
import type { Node } from './graph.ts'
import { type Balanced, balance, truncate } from './hankel.ts'

/** One SSM, analysed. */
export interface Layer {
  readonly node: Node
  /** As trained, D apart. */
  readonly system: LinearSystem
  readonly balanced: Balanced
  /** One input and one output: D = C B is kept exactly and the rest reduced, smaller values for one product. */
  readonly direct: boolean
  readonly recording: Recording | undefined
  /** What it runs on when the input rests: (inputs). */
  readonly rest: Float64Array
  /** Runs per second: steps and positions. */
  readonly rate: number
}

export interface Realisation {
  readonly layer: Layer
  /** Balanced coordinates kept; undefined: the original. */
  readonly order: number | undefined
  readonly system: LinearSystem
  readonly condition: number
  readonly macsPerSecond: number
}

/** What one layer came to, for the report. */
export interface LayerReport {
  readonly name: string
  readonly realisation: 'original' | 'reduced'
  readonly statesBefore: number
  readonly statesAfter: number
  /** Real dimension: balanced coordinates kept, of twice the states. */
  readonly order: number
  readonly macsPerSecondBefore: number
  readonly macsPerSecondAfter: number
  /** Twice the discarded Hankel singular values, relative to the largest. */
  readonly relativeBound: number
  readonly condition: number
  /** Relative to the largest. */
  readonly hankel: number[]
}

/** Slowest and fastest pole a realisation may have, per step. */
const MIN_DECAY = 1e-8
const MIN_RADIUS = 1e-4

/** Analyses every SSM; `trace` (of `execute`) weights them towards recorded signals. */
export function analyseLayers({ graph }: Checkpoint, trace?: Trace): Layer[] {
  const hopsPerSecond = graph.output.rate / graph.output.hop
  return graph.nodes
    .filter((node) => node.op === 'ssm')
    .map((node) => {
      const whole = discretise(node.tensors)
      checkPoles(node.name, whole)
      const system = { ...whole, D: undefined }
      const recording = trace && record(node, whole, trace)
      const direct = system.inputs === 1 && system.outputs === 1
      const target = direct ? advanceReadout(system) : system
      const balanced = recording ? balance(target, recordedReachability(target, recording)) : balance(target)
      const rest = recording ? meanInput(recording, system.inputs) : restOf(node, graph.nodes, system.inputs)
      const rate = hopsPerSecond * node.shape.steps * node.shape.positions
      return { node, system, balanced, direct, recording, rest, rate }
    })
}

/** Calibration: a trace of the network on audio of the input's rate. */
export function calibrate({ graph }: Checkpoint, samples: Float32Array): Trace {
  checkCalibration(samples)
  return execute(graph, samples)
}

function checkPoles(name: string, { decay }: LinearSystem): void {
  const n = decay.findIndex((value) => !(value >= MIN_DECAY))
  if (n >= 0)
    fail('TENSOR_VALUE', `node ${name}: decay per step of pole ${n}`, decay[n], `train it to at least ${MIN_DECAY}`)
}

function record(node: Node, { D, inputs, outputs }: LinearSystem, { signals }: Trace): Recording {
  const input = signals.get(node.inputs[0])!
  const output = signals.get(node.name)!.slice()
  const rows = output.length / outputs
  for (let r = 0; D && r < rows; r++) {
    for (let d = 0; d < outputs; d++) {
      if (D.length === outputs) output[r * outputs + d] -= D[d] * input[r * inputs + (inputs === 1 ? 0 : d)]
      else for (let c = 0; c < inputs; c++) output[r * outputs + d] -= D[d * inputs + c] * input[r * inputs + c]
    }
  }
  return { positions: node.shape.positions, input, output }
}

/** Without a recording: the bias of the pre-conv in front, or a constant where there is one channel. */
function restOf(node: Node, nodes: readonly Node[], inputs: number): Float64Array {
  if (inputs === 1) return Float64Array.of(1)
  const bias = nodes.find((other) => other.name === node.inputs[0])?.tensors.get('bias')
  return bias?.data.length === inputs ? bias.data : new Float64Array(inputs)
}

/** C lambda: what x[t-1] contributes to y[t]. */
function advanceReadout(system: LinearSystem): LinearSystem {
  return { ...system, C: turnReadout(system, 1) }
}

/** C lambda^power, (outputs, N) */
function turnReadout({ order, outputs, decay, angle, C }: LinearSystem, power: 1 | -1) {
  const [re, im] = [new Float64Array(C.re.length), new Float64Array(C.im.length)]
  for (let d = 0; d < outputs; d++) {
    for (let n = 0; n < order; n++) {
      const at = d * order + n
      const size = Math.exp(-power * decay[n])
      const [a, b] = [size * Math.cos(power * angle[n]), size * Math.sin(power * angle[n])]
      re[at] = a * C.re[at] - b * C.im[at]
      im[at] = b * C.re[at] + a * C.im[at]
    }
  }
  return { re, im }
}

/** Re(C B) of a system with one input and output. */
function firstResponse({ order, B, C }: LinearSystem): number {
  let sum = 0
  for (let n = 0; n < order; n++) sum += C.re[n] * B.re[n] - C.im[n] * B.im[n]
  return sum
}

/** The layer with `order` balanced coordinates, or undefined where that gives no usable system. */
export function realise(layer: Layer, order: number): Realisation | undefined {
  const { system: full, balanced, direct, recording, rest } = layer
  const { system: raw, condition } = truncate(balanced, order)
  if (raw.decay.some((value) => !(value >= MIN_DECAY))) return undefined
  let system = raw
  if (direct) {
    if (raw.decay.some((value) => value > -Math.log(MIN_RADIUS))) return undefined
    const C = turnReadout(raw, -1)
    system = { ...raw, C, D: Float64Array.of(firstResponse(full) - firstResponse({ ...raw, C })) }
  }
  if (recording) system = refitReadout(full, system, recording)
  system = matchRest(full, system, rest)
  system = restoreDirect(system, layer)
  if ([system.B, system.C].some(({ re, im }) => !re.every(Number.isFinite) || !im.every(Number.isFinite)))
    return undefined
  return { layer, order, system, condition, macsPerSecond: countSystemMacs(system) * layer.rate }
}

/** The D the layer was trained with, added to what the reduction put there. */
function restoreDirect(system: LinearSystem, { node }: Layer): LinearSystem {
  const trained = node.tensors.get('D')?.data
  if (!trained) return system
  return { ...system, D: system.D ? trained.map((value, i) => value + system.D![i]) : trained }
}

export function keepOriginal(layer: Layer): Realisation {
  const system = discretise(layer.node.tensors)
  return { layer, order: undefined, system, condition: 1, macsPerSecond: countSystemMacs(system) * layer.rate }
}

/** The cheaper of a realisation and the original. */
export function cheaper(layer: Layer, realisation: Realisation | undefined): Realisation {
  const original = keepOriginal(layer)
  return realisation && realisation.macsPerSecond < original.macsPerSecond ? realisation : original
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

/** Poles that nearly meet make a basis that loses digits in f32: a few more coordinates part them. */
const MAX_CONDITION = 1e4

export function realiseNear(layer: Layer, order: number): Realisation | undefined {
  let best: Realisation | undefined
  for (let more = 0; more < 4; more++) {
    const found = realise(layer, Math.min(order + more, layer.balanced.sigma.length))
    if (found && found.condition <= MAX_CONDITION) return found
    if (found && (!best || found.condition < best.condition)) best = found
  }
  return best
}

/** The checkpoint with realisations in place of the SSMs they were made from. */
export function applyRealisations(checkpoint: Checkpoint, realisations: readonly Realisation[]): Checkpoint {
  const tensors = new Map(checkpoint.tensors)
  const json = JSON.parse(checkpoint.text) as { graph: { name: string; order?: number }[] }
  for (const { layer, order, system } of realisations) {
    if (order === undefined) continue
    const { name } = layer.node
    json.graph.find((node) => node.name === name)!.order = system.order
    for (const short of ['log_dt', 'A', 'B', 'C', 'D']) tensors.delete(`${name}.${short}`)
    for (const [short, tensor] of toTensors(system)) tensors.set(`${name}.${short}`, tensor)
  }
  return makeCheckpoint(JSON.stringify(json), tensors)
}

export function reportLayer({ layer, order, system, condition, macsPerSecond }: Realisation): LayerReport {
  const { sigma } = layer.balanced
  const kept = order ?? sigma.length
  const discarded = sigma.slice(kept).reduce((sum, value) => sum + value, 0)
  return {
    name: layer.node.name,
    realisation: order === undefined ? 'original' : 'reduced',
    statesBefore: layer.system.order,
    statesAfter: system.order,
    order: kept,
    macsPerSecondBefore: keepOriginal(layer).macsPerSecond,
    macsPerSecondAfter: macsPerSecond,
    relativeBound: order === undefined ? 0 : (2 * discarded) / sigma[0],
    condition,
    hankel: Array.from(sigma.slice(0, 64), (value) => value / sigma[0]),
  }
}
