// Orders by what they cost and what they break. In: analysed layers and the trace of a network on calibration audio, and
// a target: network SNR against the unreduced network, or multiply-accumulates per second. Out: one realisation per
// layer. Each layer is reduced alone at a few orders and the error at the network's output measured; between them the
// error follows the discarded Hankel values. Errors of different layers add up as noise powers, so one price per error
// chooses all orders; the result is then run, and the aim corrected by what was found.

import type { Checkpoint } from './checkpoint.ts'
import { fail } from './errors.ts'
import { execute, executeFrom, executeNode, type Signal, type Trace } from './execution.ts'
import {
  applyRealisations,
  cheaper,
  keepOriginal,
  type Layer,
  orderAt,
  type Realisation,
  realiseNear,
} from './reduce.ts'

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

/** Tolerances at which the error is measured. */
const PROBES = [0.1, 0.02, 0.004, 0.0008]
/** Of calibration audio, in pieces spread over it, on which single layers are probed; the whole is for the final check. */
const PROBE_SECONDS = 2
const PROBE_PIECES = 4
const MAX_ROUNDS = 6
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
  const options = layers.map((layer, i) => {
    onProgress(i / (layers.length + 2), layer.node.name)
    return listOptions(checkpoint, layer, excerpt)
  })
  // errors were measured on the excerpt: their unit is its output power
  const excerptPower = sumSquares(excerpt.signals.get('output')!)
  let best: Choice | undefined
  let aim = 'snrDb' in target ? excerptPower / 10 ** (target.snrDb / 10) : target.macsPerSecond - macsElsewhere
  for (let round = 0; round < MAX_ROUNDS; round++) {
    onProgress((layers.length + round / MAX_ROUNDS) / (layers.length + 2), 'whole network')
    const picked = 'snrDb' in target ? pickByError(options, aim) : pickByCost(options, aim)
    if (picked === undefined) {
      const least = macsElsewhere + options.reduce((sum, list) => sum + Math.min(...list.map(({ cost }) => cost)), 0)
      fail(
        'TARGET_IMPOSSIBLE',
        'multiply-accumulates per second',
        'macsPerSecond' in target ? target.macsPerSecond : 0,
        `at least ${Math.ceil(least)} are needed`,
      )
    }
    const realisations = layers.map((layer, i) => {
      const { order } = picked![i]
      return order === undefined ? keepOriginal(layer) : cheaper(layer, realiseNear(layer, order))
    })
    const choice = { realisations, snrDb: measureSnr(checkpoint, realisations, trace) }
    const next =
      'snrDb' in target
        ? judgeSnr(choice, target.snrDb, aim)
        : judgeCost(choice, target.macsPerSecond - macsElsewhere, aim)
    if (next.reached && (!best || isBetter(choice, best, target))) best = choice
    if (next.done) break
    aim = next.aim
  }
  if (best === undefined)
    fail('TARGET_IMPOSSIBLE', 'no choice of orders reaches', JSON.stringify(target), 'ask for less')
  return best!
}

function checkTarget(target: Target): void {
  const value = 'snrDb' in target ? target.snrDb : target.macsPerSecond
  const [min, max, what] =
    'snrDb' in target ? [0, 120, 'target SNR in dB'] : [1, 1e12, 'multiply-accumulates per second']
  if (!(value >= min && value <= max)) fail('OPTION_INVALID', what, value, `use ${min}..${max}`)
}

/** The error shrinks by what the last round missed; SNR is reached from above. */
function judgeSnr({ snrDb }: Choice, wanted: number, aim: number) {
  const miss = snrDb - wanted
  return { reached: miss >= 0, done: miss >= 0 && miss <= SLACK_DB, aim: aim * 10 ** ((miss - SLACK_DB / 2) / 10) }
}

function judgeCost({ realisations }: Choice, limit: number, aim: number) {
  const cost = costOf(realisations)
  return { reached: cost <= limit, done: cost <= limit && cost > 0.97 * limit, aim: (aim * (0.99 * limit)) / cost }
}

function isBetter(a: Choice, b: Choice, target: Target): boolean {
  return 'snrDb' in target ? costOf(a.realisations) < costOf(b.realisations) : a.snrDb > b.snrDb
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

function listOptions(checkpoint: Checkpoint, layer: Layer, trace: Trace): Option[] {
  const original = keepOriginal(layer)
  const affordable = largestAffordable(layer, original.macsPerSecond)
  const probes = [...new Set(PROBES.map((tolerance) => Math.min(orderAt(layer, tolerance), affordable)))].sort(
    (a, b) => a - b,
  )
  const measured = probes.flatMap((order) => {
    const realisation = affordable > 0 ? realiseNear(layer, order) : undefined
    return realisation ? [{ tail: tailOf(layer, order), error: measureError(checkpoint, realisation, trace) }] : []
  })
  const options: Option[] = [{ order: undefined, cost: original.macsPerSecond, error: 0 }]
  if (measured.length === 0) return options
  for (let order = 1; order <= affordable; order++) {
    options.push({ order, cost: predictCost(layer, order), error: interpolate(measured, tailOf(layer, order)) })
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
  const states = Math.ceil((order + 1) / 2)
  const perState = (inputs === 1 ? 1 : 2 * inputs) + 4 + (outputs === 1 && inputs > 1 ? 1 : 2 * outputs)
  return (states * perState + (direct ? 1 : 0)) * rate
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
  const output = trace.signals.get('output')!
  const { graph } = applyRealisations(checkpoint, [realisation])
  const node = graph.nodes.find(({ name }) => name === realisation.layer.node.name)!
  const changed = executeNode(graph, node, trace)
  return sumSquaredDifference(output, executeFrom(graph, trace, new Map([[node.name, changed]])))
}

function measureSnr(checkpoint: Checkpoint, realisations: readonly Realisation[], trace: Trace): number {
  const { graph } = applyRealisations(checkpoint, realisations)
  const output = trace.signals.get('output')!
  const error = sumSquaredDifference(output, execute(graph, trace.signals.get('input')!).signals.get('output')!)
  return 10 * Math.log10(sumSquares(output) / (error + 1e-300))
}

/** The cheapest choice whose summed error stays below `limit`. */
function pickByError(options: Option[][], limit: number): Option[] {
  return bisectPrice(options, (picked) => sum(picked, 'error') <= limit)!
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
  return best
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
