// Ways to make one SSM cheaper, each a scale from nothing to everything. In: an analysed layer. Out: per way what a size is
// expected to cost and to break, before anything is built, and the realisation of a size.

import { countSystemMacs, discretise } from './discretise.ts'
import { analysePruning, prune } from './pruning.ts'
import { type Layer, originalCost, type Realisation, realiseNear } from './realisation.ts'

export interface Family {
  /** Sizes 1..most cost less than the original. */
  readonly most: number
  /** Expected multiply-accumulates per second. */
  cost(size: number): number
  /** Expected error energy up to a factor: falls with size. */
  tail(size: number): number
  realise(size: number): Realisation | undefined
}

export function familiesOf(layer: Layer): Family[] {
  const pruned = pruningFamily(layer)
  return pruned ? [balancedFamily(layer), pruned] : [balancedFamily(layer)]
}

/** Balanced truncation; size is the number of balanced coordinates. */
function balancedFamily(layer: Layer): Family {
  const { sigma } = layer.balanced
  const tails = new Float64Array(sigma.length + 1).fill(1e-30 * sigma[0] ** 2)
  for (let k = sigma.length - 1; k >= 0; k--) tails[k] = tails[k + 1] + sigma[k] ** 2
  return {
    most: largestBelow(sigma.length, originalCost(layer), (size) => predictCost(layer, size)),
    cost: (size) => predictCost(layer, size),
    tail: (size) => tails[size] / tails[0],
    realise: (size) => realiseNear(layer, size),
  }
}

/** Poles come in pairs but for a few: one complex state for two coordinates. */
function predictCost({ system: { inputs, outputs }, direct, rate }: Layer, size: number): number {
  const perState = (inputs === 1 ? 1 : 2 * inputs) + 4 + (outputs === 1 && inputs > 1 ? 1 : 2 * outputs)
  return (Math.ceil(size / 2) * perState + (direct ? outputs : 0)) * rate
}

function pruningFamily(layer: Layer): Family | undefined {
  const pruning = analysePruning(layer)
  if (!pruning) return undefined
  const system = discretise(layer.node.tensors)
  const D = system.D?.length ?? 0
  const perState = (countSystemMacs(system) - D) / system.order
  return {
    most: system.order - 1,
    cost: (size) => (size * perState + D) * layer.rate,
    tail: (size) => pruning.tail[size] + 1e-15,
    realise: (size) => prune(layer, pruning, size),
  }
}

function largestBelow(most: number, limit: number, cost: (size: number) => number): number {
  let size = 0
  while (size < most && cost(size + 1) < limit) size++
  return size
}
