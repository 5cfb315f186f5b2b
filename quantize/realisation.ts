// One SSM in the forms that can replace it. In: an analysed layer and how many balanced coordinates to keep. Out: nodes
// and tensors that take its place in the graph, with their counted cost: the original, fewer complex states, complex and
// real states apart (a real state needs half the products), or a short FIR. At equal error the cheapest is taken.

import type { NetworkNode } from './attenuate.ts'
import { matchRest, type Recording, refitReadout, scaleToRecording } from './calibration.ts'
import { countSystemMacs, discretise, type LinearSystem, toTensors } from './discretise.ts'
import { countFirMacs, fitFir } from './fir.ts'
import type { Node } from './graph.ts'
import { type Balanced, truncate } from './hankel.ts'
import type { Tensor } from './tensor.ts'

/** One SSM, analysed. */
export interface Layer {
  readonly node: Node
  /** As in the checkpoint's JSON. */
  readonly json: NetworkNode
  /** What is reduced: the SSM without D; where `direct` is given, its states a step late. */
  readonly system: LinearSystem
  readonly balanced: Balanced
  /** One input: (outputs), the response at once, kept exactly as D while the rest is reduced: smaller singular values. */
  readonly direct: Float64Array | undefined
  /** Undefined too where the input never varied: then it says nothing about the layer. */
  readonly recording: Recording | undefined
  /** What it runs on when the input rests: (inputs). */
  readonly rest: Float64Array
  /** Runs per second: steps and positions. */
  readonly rate: number
  /** Names that are free, for complex and for real states where they stand apart. */
  readonly partNames: readonly [pairs: string, real: string]
}

export type Form = 'original' | 'pruned' | 'complex' | 'complex + real' | 'real poles' | 'FIR'

export interface Realisation {
  readonly layer: Layer
  readonly form: Form
  /** Balanced coordinates kept; undefined: all of them. */
  readonly order: number | undefined
  /** States or taps. */
  readonly size: number
  /** Of the basis in which it was diagonalised. */
  readonly condition: number
  readonly macsPerSecond: number
  /** In place of the layer's node; the last has its name. */
  readonly nodes: readonly NetworkNode[]
  readonly tensors: ReadonlyMap<string, Tensor>
}

/** Slowest and fastest pole a realisation may have, per step. */
export const MIN_DECAY = 1e-8
const MAX_DECAY = 9

/** Poles that nearly meet make a basis that loses digits in f32: a few more coordinates part them. */
const MAX_CONDITION = 1e4
const MORE_COORDINATES = 4

/** Complex and real states apart make two ops of one: only for a saving that shows, and not on paper alone. */
const MIN_SAVING = 0.03
/** States that the core computes together. */
const LANES = 4

/** Multiply-accumulates per second. */
export function originalCost({ node, rate }: Layer): number {
  return countSystemMacs(discretise(node.tensors)) * rate
}

/** The original, its states scaled to unit RMS where there is a recording. */
export function keepOriginal(layer: Layer): Realisation {
  const { node, json, recording } = layer
  const system = discretise(node.tensors)
  return {
    layer,
    form: 'original',
    order: undefined,
    size: system.order,
    condition: 1,
    macsPerSecond: originalCost(layer),
    nodes: [json],
    tensors: prefix(json.name, recording ? ownTensors(node, scaleToRecording(system, recording)) : node.tensors),
  }
}

/** Tensors of a system with poles of the original, of those listed in `kept`: its own log_dt and A, for training. */
export function ownTensors(node: Node, system: LinearSystem, kept?: readonly number[]): Map<string, Tensor> {
  const states = kept ?? [...Array(system.order).keys()]
  const [dt, A] = [node.tensors.get('log_dt')!.data, node.tensors.get('A')!.data]
  const tensors = toTensors(system)
  // B of a checkpoint holds no dt
  const B = tensors.get('B')!
  const perState = B.data.length / states.length
  return tensors
    .set('log_dt', { shape: [states.length], data: Float64Array.from(states, (n) => dt[n]) })
    .set('A', { shape: [states.length, 2], data: Float64Array.from(states.flatMap((n) => [A[2 * n], A[2 * n + 1]])) })
    .set('B', { ...B, data: B.data.map((value, i) => value / Math.exp(dt[states[Math.floor(i / perState)]])) })
}

/** The cheapest form that keeps `order` balanced coordinates, or undefined where that gives no usable system. */
export function realise(layer: Layer, order: number): Realisation | undefined {
  const reduced = reduceStates(layer, order)
  if (!reduced) return undefined
  const { system, condition } = reduced
  const whole = replaceNode(layer, order, system, condition)
  const parts = splitReal(layer, order, system, condition)
  const cheapest = parts ?? whole
  return replaceByFir(layer, order, system, cheapest) ?? cheapest
}

/** As `realise`, with a few more coordinates where the basis is ill-conditioned. */
export function realiseNear(layer: Layer, order: number): Realisation | undefined {
  const most = layer.balanced.sigma.length
  for (let more = 0; more < MORE_COORDINATES && order + more <= most; more++) {
    const found = realise(layer, order + more)
    if (found && found.condition <= MAX_CONDITION) return found
  }
  return undefined
}

/** The cheaper of a realisation and the original. */
export function cheaper(layer: Layer, realisation: Realisation | undefined): Realisation {
  return realisation && realisation.macsPerSecond < originalCost(layer) ? realisation : keepOriginal(layer)
}

/** The reduced system with its D, or undefined where a pole is too slow or too fast to be represented. */
export function reduceStates(layer: Layer, order: number): { system: LinearSystem; condition: number } | undefined {
  const { system: full, balanced, direct, recording, rest } = layer
  const { system: raw, condition } = truncate(balanced, order)
  const usable = raw.decay.every((value) => value >= MIN_DECAY && !(direct && value > MAX_DECAY))
  if (!usable) return undefined
  const fitted = recording ? refitReadout(full, raw, recording) : matchRest(full, raw, rest)
  const system = restoreDirect(direct ? advanceStates(fitted, direct) : fitted, layer.node)
  const finite = [system.B, system.C].every(({ re, im }) => re.every(Number.isFinite) && im.every(Number.isFinite))
  return finite ? { system, condition } : undefined
}

/** States a step late (B' = lambda B, driven by u[t-1]) to states in time: B = B' / lambda and D = h[0] - Re(C B). */
function advanceStates(late: LinearSystem, direct: Float64Array): LinearSystem {
  const system = { ...late, B: turnStates(late, -1) }
  const first = firstResponse(system)
  return { ...system, D: direct.map((value, d) => value - first[d]) }
}

export function delayStates(system: LinearSystem): LinearSystem {
  return { ...system, B: turnStates(system, 1) }
}

/** lambda^power B, (N, inputs) */
function turnStates({ inputs, decay, angle, B }: LinearSystem, power: 1 | -1) {
  const [re, im] = [new Float64Array(B.re.length), new Float64Array(B.re.length)]
  for (let at = 0; at < B.re.length; at++) {
    const n = Math.floor(at / inputs)
    const size = Math.exp(-power * decay[n])
    // cos and sin of pi must leave a real state real
    const [a, b] = [size * Math.cos(power * angle[n]), angle[n] === Math.PI ? 0 : size * Math.sin(power * angle[n])]
    re[at] = a * B.re[at] - b * B.im[at]
    im[at] = b * B.re[at] + a * B.im[at]
  }
  return { re, im }
}

/** Re(C B) of a system with one input, (outputs). */
export function firstResponse({ order, outputs, B, C }: LinearSystem): Float64Array {
  return Float64Array.from({ length: outputs }, (_, d) => {
    let sum = 0
    for (let n = 0; n < order; n++) sum += C.re[d * order + n] * B.re[n] - C.im[d * order + n] * B.im[n]
    return sum
  })
}

/** The D the layer was trained with, added to what the reduction put there. */
export function restoreDirect(system: LinearSystem, node: Node): LinearSystem {
  const trained = node.tensors.get('D')?.data
  if (!trained) return system
  return { ...system, D: system.D ? trained.map((value, i) => value + system.D![i]) : trained }
}

export function prefix(name: string, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...tensors].map(([short, tensor]) => [`${name}.${short}`, tensor]))
}

function replaceNode(layer: Layer, order: number, system: LinearSystem, condition: number): Realisation {
  const { json, rate } = layer
  const real = system.angle.every(isAtRest)
  return {
    layer,
    form: real ? 'real poles' : 'complex',
    order,
    size: system.order,
    condition,
    macsPerSecond: countSystemMacs(system) * rate,
    nodes: [{ ...json, order: system.order }],
    tensors: prefix(json.name, toTensors(system)),
  }
}

/** Poles on the real line: the state stays real. */
function isAtRest(angle: number): boolean {
  return angle === 0 || Math.abs(angle) === Math.PI
}

/** Complex states in one node, real ones in another, and their sum; undefined where that saves nothing. */
function splitReal(layer: Layer, order: number, system: LinearSystem, condition: number): Realisation | undefined {
  const { json, rate, partNames } = layer
  const states = [...system.angle.keys()]
  const real = selectStates(
    system,
    states.filter((n) => isAtRest(system.angle[n])),
  )
  const apart = selectStates(
    system,
    states.filter((n) => !isAtRest(system.angle[n])),
  )
  const pairs = { ...apart, D: system.D }
  if (real.order === 0 || pairs.order === 0) return undefined
  if (paddedMacs(real) + paddedMacs(pairs) > (1 - MIN_SAVING) * paddedMacs(system)) return undefined
  const [a, b] = partNames
  return {
    layer,
    form: 'complex + real',
    order,
    size: system.order,
    condition,
    macsPerSecond: (countSystemMacs(real) + countSystemMacs(pairs)) * rate,
    nodes: [
      { ...json, name: a, order: pairs.order },
      { ...json, name: b, order: real.order },
      { name: json.name, op: 'add', in: [a, b] },
    ],
    tensors: new Map([...prefix(a, toTensors(pairs)), ...prefix(b, toTensors(real))]),
  }
}

/** As the core computes it: states in fours. */
function paddedMacs(system: LinearSystem): number {
  const perState = countSystemMacs({ ...system, D: undefined }) / system.order
  return perState * LANES * Math.ceil(system.order / LANES)
}

/** The states listed, without D. */
export function selectStates(system: LinearSystem, kept: readonly number[]): LinearSystem {
  const { order, inputs, outputs, decay, angle, B, C } = system
  const rows = (data: Float64Array) =>
    Float64Array.from(kept.flatMap((n) => [...data.subarray(n * inputs, (n + 1) * inputs)]))
  const columns = (data: Float64Array) =>
    Float64Array.from({ length: outputs * kept.length }, (_, i) => {
      return data[Math.floor(i / kept.length) * order + kept[i % kept.length]]
    })
  return {
    order: kept.length,
    inputs,
    outputs,
    decay: Float64Array.from(kept, (n) => decay[n]),
    angle: Float64Array.from(kept, (n) => angle[n]),
    B: { re: rows(B.re), im: rows(B.im) },
    C: { re: columns(C.re), im: columns(C.im) },
    D: undefined,
  }
}

/** One channel: a FIR that is cheaper than `rival` and errs no more; undefined where there is none. */
function replaceByFir(
  layer: Layer,
  order: number,
  system: LinearSystem,
  { macsPerSecond, condition }: Realisation,
): Realisation | undefined {
  const { json, rate } = layer
  if (system.inputs !== 1 || system.outputs !== 1) return undefined
  const limit = Math.ceil(macsPerSecond / rate) - 1
  const taps = fitFir(discretise(layer.node.tensors), system, limit, layer.recording)
  if (!taps) return undefined
  return {
    layer,
    form: 'FIR',
    order,
    size: taps.length,
    condition,
    macsPerSecond: countFirMacs(taps) * rate,
    nodes: [{ name: json.name, op: 'conv', in: json.in, taps: taps.length }],
    // oldest first
    tensors: prefix(
      json.name,
      new Map([['weight', { shape: [taps.length, 1, 1], data: Float64Array.from(taps).reverse() }]]),
    ),
  }
}
