// Orders by what they cost and what they break. In: analysed layers and the trace of a network on calibration audio, and
// a target: network SNR against the unreduced network, or multiply-accumulates per second. Out: one realisation per
// layer. Each layer is reduced alone at a few orders and the error at the network's output measured; between them the
// error follows the discarded Hankel values. Errors of different layers add up as noise powers, so one price per error
// chooses all orders; the result is then run, and the aim corrected by what was found.

import type { Checkpoint } from './checkpoint.ts'
import { fail } from './errors.ts'
import { execute, executeFrom, type Signal, type Trace } from './execution.ts'
import type { Port } from './graph.ts'
import { keepOriginal, type Layer, originalCost, type Realisation, realiseNear } from './realisation.ts'
import { applyRealisations, orderAt } from './reduce.ts'

export type Target =
  | { readonly snrDb: number }
  /** Of the whole network. */
  | { readonly macsPerSecond: number }

export interface Choice {
  readonly realisations: Realisation[]
  /** Of the whole network on the calibration audio, against the unreduced one. */
  readonly snrDb: number
}

/** Fraction done, and what is being measured. */
export type Progress = (fraction: number, what: string) => void

/** One order of one layer: what it costs per second and what it breaks at the output. */
interface Option {
  order: number | undefined
  cost: number
  error: number
}

/** What is known of one layer: measured orders, exact in cost and error. */
interface Curve {
  readonly layer: Layer
  readonly original: number
  /** The largest order expected to cost less than the original. */
  readonly affordable: number
  readonly measured: Map<number, { cost: number; error: number }>
  /** Made once per order: making one costs more than measuring it. */
  readonly realisations: Map<number | undefined, Realisation | undefined>
}

/** Tolerances at which the error is measured first. */
const PROBES = [0.1, 0.02, 0.004, 0.0008]
/** Of calibration audio, in pieces spread over it, on which single layers are probed; the whole is for the final check. */
const PROBE_SECONDS = 2
const PROBE_PIECES = 4
const MAX_ROUNDS = 8
/** Rounds after which the orders picked are measured too, so that the next pick knows them exactly. */
const REFINING_ROUNDS = 3
/** Measured SNR may exceed the target by this much. */
const SLACK_DB = 0.3

export function chooseOrders(
  checkpoint: Checkpoint,
  layers: Layer[],
  trace: Trace,
  target: Target,
  macsElsewhere: number,
  onProgress: Progress = () => {},
): Choice {
  checkTarget(target)
  const output = trace.signals.get('output')!
  const power = sumSquares(output)
  if (!(power > 0))
    fail('AUDIO_INVALID', 'network is silent on the calibration audio: power', power, 'give it noisy speech')
  const excerpt = execute(checkpoint.graph, takeExcerpt(trace.signals.get('input')!, checkpoint.graph.input))
  const curves = layers.map((layer, i) => {
    onProgress(i / (layers.length + MAX_ROUNDS), layer.node.name)
    return probe(checkpoint, layer, excerpt)
  })
  // errors were measured on the excerpt: their unit is its output power
  const excerptPower = sumSquares(excerpt.signals.get('output')!)
  const aim = 'snrDb' in target ? aimAtError(excerptPower, target.snrDb) : aimAtCost(target, macsElsewhere)
  let best: Choice | undefined
  for (let round = 0; round < MAX_ROUNDS && !aim.done; round++) {
    onProgress((layers.length + round) / (layers.length + MAX_ROUNDS), 'whole network')
    const options = curves.map(listOptions)
    const picked = aim.pick(options)
    if (picked === undefined) refuseCost(target, macsElsewhere, options)
    const realisations = curves.map((curve, i) => realiseOption(curve, picked![i].order))
    const choice = { realisations, snrDb: measureSnr(checkpoint, realisations, trace) }
    if (aim.judge(choice) && (!best || aim.prefers(choice, best))) best = choice
    if (round < REFINING_ROUNDS)
      for (const [i, { order }] of picked!.entries()) measureOrder(checkpoint, curves[i], order, excerpt)
  }
  if (best === undefined)
    fail('TARGET_IMPOSSIBLE', 'no choice of orders reaches', JSON.stringify(target), 'ask for less')
  return best!
}

function realiseOption(curve: Curve, order: number | undefined): Realisation {
  const found = order === undefined ? undefined : recall(curve, order)
  return found && found.macsPerSecond < curve.original ? found : recall(curve, undefined)!
}

function recall({ layer, realisations }: Curve, order: number | undefined): Realisation | undefined {
  if (!realisations.has(order))
    realisations.set(order, order === undefined ? keepOriginal(layer) : realiseNear(layer, order))
  return realisations.get(order)
}

function refuseCost(target: Target, macsElsewhere: number, options: Option[][]): never {
  const least = macsElsewhere + options.reduce((sum, list) => sum + Math.min(...list.map(({ cost }) => cost)), 0)
  const asked = 'macsPerSecond' in target ? target.macsPerSecond : 0
  return fail('TARGET_IMPOSSIBLE', 'multiply-accumulates per second', asked, `at least ${Math.ceil(least)} are needed`)
}

/** Picks options for a limit, and moves the limit by what the whole network then showed. */
interface Aim {
  done: boolean
  pick(options: Option[][]): Option[] | undefined
  /** Whether the choice reaches the target. */
  judge(choice: Choice): boolean
  prefers(a: Choice, b: Choice): boolean
}

/** SNR is reached from above: summed error of single layers is a guess at the error of all, corrected by its miss. */
function aimAtError(power: number, snrDb: number): Aim {
  let aimDb = snrDb
  // the aims nearest to the target that reached it and that did not
  let [reached, missed] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  return {
    done: false,
    pick: (options) => pickByError(options, power / 10 ** (aimDb / 10)),
    judge({ snrDb: found }) {
      const miss = found - snrDb
      if (miss >= 0) reached = Math.min(reached, aimDb)
      else missed = Math.max(missed, aimDb)
      this.done = miss >= 0 && miss <= SLACK_DB
      const next = aimDb - miss + SLACK_DB / 2
      const bracketed = missed < reached && Number.isFinite(missed) && Number.isFinite(reached)
      aimDb = bracketed && !(next > missed && next < reached) ? (missed + reached) / 2 : next
      return miss >= 0
    },
    prefers: (a, b) => costOf(a.realisations) < costOf(b.realisations),
  }
}

function aimAtCost(target: { macsPerSecond: number }, macsElsewhere: number): Aim {
  const allowed = target.macsPerSecond - macsElsewhere
  let aim = allowed
  return {
    done: false,
    pick: (options) => pickByCost(options, aim),
    judge({ realisations }) {
      const cost = costOf(realisations)
      this.done = cost <= allowed && cost > 0.99 * allowed
      aim = cost <= allowed ? aim + (allowed - cost) / 2 : aim - (cost - allowed) * 1.1
      return cost <= allowed
    },
    prefers: (a, b) => a.snrDb > b.snrDb,
  }
}

function checkTarget(target: Target): void {
  const value = 'snrDb' in target ? target.snrDb : target.macsPerSecond
  const [min, max, what] =
    'snrDb' in target ? [0, 120, 'target SNR in dB'] : [1, 1e12, 'multiply-accumulates per second']
  if (!(value >= min && value <= max)) fail('OPTION_INVALID', what, value, `use ${min}..${max}`)
}

export function costOf(realisations: readonly Realisation[]): number {
  return realisations.reduce((sum, { macsPerSecond }) => sum + macsPerSecond, 0)
}

/** Whole hops from several places. */
function takeExcerpt(samples: Signal, { rate, hop }: Port): Signal {
  const hops = Math.floor((PROBE_SECONDS * rate) / PROBE_PIECES / hop)
  const available = Math.floor(samples.length / hop)
  if (available <= PROBE_PIECES * hops) return samples
  const out = new Float32Array(PROBE_PIECES * hops * hop)
  for (let k = 0; k < PROBE_PIECES; k++) {
    const from = Math.floor(((k + 0.5) * available) / PROBE_PIECES - hops / 2) * hop
    out.set(samples.subarray(from, from + hops * hop), k * hops * hop)
  }
  return out
}

function probe(checkpoint: Checkpoint, layer: Layer, trace: Trace): Curve {
  const original = originalCost(layer)
  const curve: Curve = {
    layer,
    original,
    affordable: largestAffordable(layer, original),
    measured: new Map(),
    realisations: new Map(),
  }
  for (const tolerance of PROBES)
    measureOrder(checkpoint, curve, Math.min(orderAt(layer, tolerance), curve.affordable), trace)
  return curve
}

function measureOrder(checkpoint: Checkpoint, curve: Curve, order: number | undefined, trace: Trace): void {
  if (order === undefined || order < 1 || curve.measured.has(order)) return
  const realisation = recall(curve, order)
  if (!realisation) return
  curve.measured.set(order, { cost: realisation.macsPerSecond, error: measureError(checkpoint, realisation, trace) })
}

/** Every order below the cost of the original: measured ones as they are, the others by interpolation. */
function listOptions({ layer, original, affordable, measured }: Curve): Option[] {
  const options: Option[] = [{ order: undefined, cost: original, error: 0 }]
  if (measured.size === 0) return options
  const points = [...measured]
    .sort(([a], [b]) => a - b)
    .map(([order, { error }]) => ({ tail: tailOf(layer, order), error }))
  for (let order = 1; order <= affordable; order++) {
    const known = measured.get(order)
    const cost = known?.cost ?? predictCost(layer, order)
    const error = known?.error ?? interpolate(points, tailOf(layer, order))
    if (cost < original) options.push({ order, cost, error })
  }
  return options
}

/** The largest order whose expected cost is below that of the original. */
function largestAffordable(layer: Layer, limit: number): number {
  let order = 0
  while (order < layer.balanced.sigma.length && predictCost(layer, order + 1) < limit) order++
  return order
}

/** Poles come in pairs but for a few: one complex state for two coordinates. */
function predictCost({ system: { inputs, outputs }, direct, rate }: Layer, order: number): number {
  const states = Math.ceil(order / 2)
  const perState = (inputs === 1 ? 1 : 2 * inputs) + 4 + (outputs === 1 && inputs > 1 ? 1 : 2 * outputs)
  return (states * perState + (direct ? outputs : 0)) * rate
}

/** Energy of the discarded Hankel singular values. */
function tailOf({ balanced: { sigma } }: Layer, order: number): number {
  let tail = 1e-30 * sigma[0] ** 2
  for (let k = order; k < sigma.length; k++) tail += sigma[k] ** 2
  return tail
}

/** Error over tail, both logarithmic, linear between measurements and with their slope beyond. */
function interpolate(measured: { tail: number; error: number }[], tail: number): number {
  const points = measured.map((point) => [Math.log(point.tail), Math.log(point.error + 1e-300)])
  const x = Math.log(tail)
  if (points.length === 1) return Math.exp(points[0][1] + x - points[0][0])
  // probes go from low order to high: from large tail to small
  let k = 0
  while (k < points.length - 2 && x < points[k + 1][0]) k++
  const [[x0, y0], [x1, y1]] = [points[k], points[k + 1]]
  const inside = x <= x0 && x >= x1
  const slope = x0 === x1 ? 1 : (y1 - y0) / (x1 - x0)
  const held = inside ? slope : Math.min(2, Math.max(0.5, slope))
  return x > x0 ? Math.exp(y0 + held * (x - x0)) : Math.exp(y1 + held * (x - x1))
}

/** Error energy at the output when one layer alone is replaced. */
function measureError(checkpoint: Checkpoint, realisation: Realisation, trace: Trace): number {
  const { graph } = applyRealisations(checkpoint, [realisation])
  const altered = new Set([realisation.layer.node.name])
  return sumSquaredDifference(trace.signals.get('output')!, executeFrom(graph, trace, new Map(), altered))
}

function measureSnr(checkpoint: Checkpoint, realisations: readonly Realisation[], trace: Trace): number {
  const { graph } = applyRealisations(checkpoint, realisations)
  const output = trace.signals.get('output')!
  const error = sumSquaredDifference(output, execute(graph, trace.signals.get('input')!).signals.get('output')!)
  return 10 * Math.log10(sumSquares(output) / (error + 1e-300))
}

/** The cheapest choice whose summed error stays below `limit`. */
function pickByError(options: Option[][], limit: number): Option[] {
  const picked = bisectPrice(options, (picked) => sum(picked, 'error') <= limit)!
  return fillUp(options, picked, 'cost', 'error', limit)
}

/** The best choice whose summed cost stays below `limit`. */
function pickByCost(options: Option[][], limit: number): Option[] | undefined {
  const cheapest = options.map((list) => list.reduce((a, b) => (b.cost < a.cost ? b : a)))
  if (sum(cheapest, 'cost') > limit) return undefined
  // raise the price of error as far as the limit allows
  let [low, high] = [-60, 200]
  let best = cheapest
  for (let k = 0; k < 60; k++) {
    const price = (low + high) / 2
    const picked = pickAt(options, price)
    if (sum(picked, 'cost') <= limit) {
      best = picked
      low = price
    } else high = price
  }
  return fillUp(options, best, 'error', 'cost', limit)
}

/** One price for all reaches only the convex hull: what room it leaves below `limit` is used by single moves. */
function fillUp(
  options: Option[][],
  start: Option[],
  gain: 'cost' | 'error',
  limited: 'cost' | 'error',
  limit: number,
): Option[] {
  const picked = [...start]
  for (;;) {
    const room = limit - sum(picked, limited)
    let best: { layer: number; option: Option; saved: number } | undefined
    for (const [layer, list] of options.entries()) {
      for (const option of list) {
        const saved = picked[layer][gain] - option[gain]
        if (saved > (best?.saved ?? 0) && option[limited] - picked[layer][limited] <= room)
          best = { layer, option, saved }
      }
    }
    if (!best) return picked
    picked[best.layer] = best.option
  }
}

/** The lowest price of error at which `holds`; at the highest every layer keeps its original. */
function bisectPrice(options: Option[][], holds: (picked: Option[]) => boolean): Option[] {
  let [low, high] = [-60, 200]
  let best = options.map((list) => list[0])
  for (let k = 0; k < 60; k++) {
    const price = (low + high) / 2
    const picked = pickAt(options, price)
    if (holds(picked)) {
      best = picked
      high = price
    } else low = price
  }
  return best
}

/** Per layer the option of least cost + price * error; the price is a natural logarithm. */
function pickAt(options: Option[][], logPrice: number): Option[] {
  const price = Math.exp(logPrice)
  return options.map((list) => list.reduce((a, b) => (b.cost + price * b.error < a.cost + price * a.error ? b : a)))
}

function sum(picked: Option[], key: 'cost' | 'error'): number {
  return picked.reduce((total, option) => total + option[key], 0)
}

function sumSquares(signal: Signal): number {
  let total = 0
  for (const value of signal) total += value * value
  return total
}

function sumSquaredDifference(a: Signal, b: Signal): number {
  let total = 0
  for (let i = 0; i < a.length; i++) total += (a[i] - b[i]) ** 2
  return total
}
