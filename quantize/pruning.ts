// Fewer of a layer's own states. In: an analysed layer with real B and C and a recording. Out: for any number of states the
// ones to keep, with C fitted again. A balanced system of as many states needs complex B and C, twice the products: where
// memory is spread over many states of little correlation, that is dear. Greedy: the state whose loss harms the fitted
// output least goes first (backward elimination; the inverse is updated, not formed again).

import { inverse, type Matrix } from 'ml-matrix'
import { measureMoments, refitReadout } from './calibration.ts'
import { countSystemMacs, discretise, isReal } from './discretise.ts'
import { type Layer, ownTensors, prefix, type Realisation, restoreDirect, selectStates } from './realisation.ts'

export interface Pruning {
  /** In the order in which they go. */
  readonly leaving: readonly number[]
  /** Error energy when so many states are left, relative to the output's; index 0 .. N. */
  readonly tail: Float64Array
}

/** Undefined where the layer cannot be pruned, or not to advantage. */
export function analysePruning({ node, system, recording, direct }: Layer): Pruning | undefined {
  const original = discretise(node.tensors)
  if (!recording || direct || !isReal(original.B) || !isReal(original.C)) return undefined
  const { normal, wanted, energy } = measureMoments(system, system, recording, true)
  return eliminate(normal, wanted, energy)
}

function eliminate(normal: Matrix, wanted: Matrix, energy: number): Pruning {
  const N = normal.rows
  for (let i = 0; i < N; i++) normal.set(i, i, normal.get(i, i) * (1 + 1e-9) + 1e-30)
  const inverted = inverse(normal)
  const X = inverted.mmul(wanted)
  const left = new Set(Array(N).keys())
  const leaving: number[] = []
  const tail = new Float64Array(N + 1)
  while (left.size > 0) {
    const { state, harm } = leastHarm(left, inverted, X)
    tail[left.size - 1] = tail[left.size] + harm / (energy || 1)
    remove(state, left, inverted, X)
    left.delete(state)
    leaving.push(state)
  }
  return { leaving, tail }
}

/** What the sum of squared errors grows by: |x_n|^2 / (N^-1)_nn. */
function leastHarm(left: ReadonlySet<number>, inverted: Matrix, X: Matrix): { state: number; harm: number } {
  let best = { state: -1, harm: Number.POSITIVE_INFINITY }
  for (const n of left) {
    let size = 0
    for (let d = 0; d < X.columns; d++) size += X.get(n, d) ** 2
    const harm = size / inverted.get(n, n)
    if (harm < best.harm || best.state < 0) best = { state: n, harm }
  }
  return best
}

/** The inverse and the solution without one coordinate. */
function remove(state: number, left: ReadonlySet<number>, inverted: Matrix, X: Matrix): void {
  const pivot = inverted.get(state, state)
  for (const i of left) {
    if (i === state) continue
    const factor = inverted.get(i, state) / pivot
    for (let d = 0; d < X.columns; d++) X.set(i, d, X.get(i, d) - factor * X.get(state, d))
    for (const j of left) if (j !== state) inverted.set(i, j, inverted.get(i, j) - factor * inverted.get(state, j))
  }
}

export function prune(layer: Layer, { leaving }: Pruning, count: number): Realisation {
  const { node, json, system, recording, rate } = layer
  const kept = leaving.slice(leaving.length - count).sort((a, b) => a - b)
  const fitted = restoreDirect(refitReadout(system, selectStates(system, kept), recording!, true), node)
  return {
    layer,
    form: 'pruned',
    order: count,
    size: count,
    condition: 1,
    macsPerSecond: countSystemMacs(fitted) * rate,
    nodes: [{ ...json, order: count }],
    tensors: prefix(json.name, ownTensors(node, fitted, kept)),
  }
}
