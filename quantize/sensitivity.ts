// Orders by what they cost and what they break. In: analysed layers and the trace of a network on calibration audio, and
// a target: network SNR against the unreduced network, or multiply-accumulates per second. Out: one realisation per
// layer. Each layer is reduced alone to a few sizes and the error at the network's output measured; between them the
// error follows what its family expects. Errors of different layers add up as noise powers, so one price per error
// chooses all orders; the result is then run, and the aim corrected by what was found.

import type { Checkpoint } from './checkpoint.ts'
import { fail } from './errors.ts'
import { execute, executeFrom, type Signal, type Trace } from './execution.ts'
import { type Family, familiesOf } from './family.ts'
import type { Port } from './graph.ts'
import { keepOriginal, type Layer, originalCost, type Realisation } from './realisation.ts'
import { applyRealisations } from './reduce.ts'

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

/** One size of one way to reduce a layer: what it costs per second and what it breaks at the output. */
interface Option {
  /** Undefined: the original. */
  readonly curve: Curve | undefined
  readonly size: number
  readonly cost: number
  readonly error: number
}

/** What is known of one way to reduce one layer: measured sizes, exact in cost and error. */
interface Curve {
  readonly family: Family
  readonly measured: Map<number, { cost: number; error: number }>
  /** Made once per size: making one costs more than measuring it. */
  readonly realisations: Map<number, Realisation | undefined>
}

interface Candidate {
  readonly layer: Layer
  readonly original: Realisation
  readonly curves: readonly Curve[]
}

/** Expected errors, relative to the output of the layer in amplitude, at which the error is measured first. */
const PROBES = [0.3, 0.1, 0.03, 0.008]
/** Work of one run of the network on the excerpt of calibration audio on which single layers are probed. */
const PROBE_MACS = 1e9
/** Whatever the work: some states last for seconds. */
const MIN_PROBE_SECONDS = 2
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
  const macs = macsElsewhere + layers.reduce((sum, layer) => sum + originalCost(layer), 0)
  const excerpt = execute(checkpoint.graph, takeExcerpt(trace.signals.get('input')!, checkpoint.graph.input, macs))
  const candidates = layers.map((layer, i) => {
    onProgress(i / (layers.length + MAX_ROUNDS), layer.node.name)
    return probe(checkpoint, layer, excerpt)
  })
  // errors were measured on the excerpt: their unit is its output power
  const excerptPower = sumSquares(excerpt.signals.get('output')!)
  const aim = 'snrDb' in target ? aimAtError(excerptPower, target.snrDb) : aimAtCost(target, macsElsewhere)
  let best: Choice | undefined
  for (let round = 0; round < MAX_ROUNDS && !aim.done; round++) {
    onProgress((layers.length + round) / (layers.length + MAX_ROUNDS), 'whole network')
    const options = candidates.map(listOptions)
    const picked = aim.pick(options)
    if (picked === undefined) {
      if (best) break
      refuseCost(target, macsElsewhere, options)
    }
    const realisations = candidates.map((candidate, i) => realiseOption(candidate, picked![i]))
    const choice = { realisations, snrDb: measureSnr(checkpoint, realisations, trace) }
    if (aim.judge(choice) && (!best || aim.prefers(choice, best))) best = choice
    if (round < REFINING_ROUNDS)
      for (const { curve, size } of picked!) if (curve) measureSize(checkpoint, curve, size, excerpt)
  }
  if (best === undefined)
    fail('TARGET_IMPOSSIBLE', 'no choice of orders reaches', JSON.stringify(target), 'ask for less')
  return best!
}

function realiseOption({ original }: Candidate, { curve, size }: Option): Realisation {
  const found = curve && recall(curve, size)
  return found && found.macsPerSecond < original.macsPerSecond ? found : original
}

function recall({ family, realisations }: Curve, size: number): Realisation | undefined {
  if (!realisations.has(size)) realisations.set(size, family.realise(size))
  return realisations.get(size)
}

function refuseCost(target: Target, macsElsewhere: number, options: Option[][]): never {
  const least = macsElsewhere + leastCost(options)
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
    // an aim corrected to below the cheapest says that the guess missed, not that there is nothing to pick
    pick(options) {
      const least = leastCost(options)
      return least > allowed ? undefined : pickByCost(options, Math.max(aim, least))
    },
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

/** Whole hops from the middle. */
function takeExcerpt(samples: Signal, { rate, hop }: Port, macsPerSecond: number): Signal {
  const hops = Math.ceil((Math.max(MIN_PROBE_SECONDS, PROBE_MACS / macsPerSecond) * rate) / hop)
  const available = Math.floor(samples.length / hop)
  if (available <= hops) return samples
  const from = Math.floor((available - hops) / 2)
  return samples.subarray(from * hop, (from + hops) * hop)
}

/** A layer whose input never varied keeps its original: that nothing breaks without it here means nothing. */
function probe(checkpoint: Checkpoint, layer: Layer, trace: Trace): Candidate {
  const curves = (layer.recording ? familiesOf(layer) : [])
    .filter(({ most }) => most > 0)
    .map((family): Curve => ({ family, measured: new Map(), realisations: new Map() }))
  for (const curve of curves)
    for (const error of PROBES) measureSize(checkpoint, curve, sizeAt(curve.family, error), trace)
  return { layer, original: keepOriginal(layer), curves }
}

/** The smallest size with no more than so large an expected error. */
function sizeAt({ most, tail }: Family, error: number): number {
  let size = 1
  while (size < most && tail(size) > error ** 2) size++
  return size
}

function measureSize(checkpoint: Checkpoint, curve: Curve, size: number, trace: Trace): void {
  if (curve.measured.has(size)) return
  const realisation = recall(curve, size)
  if (!realisation) return
  curve.measured.set(size, { cost: realisation.macsPerSecond, error: measureError(checkpoint, realisation, trace) })
}

/** The original, and every size that costs less: measured ones as they are, the others by interpolation. */
function listOptions({ original, curves }: Candidate): Option[] {
  const limit = original.macsPerSecond
  return [
    { curve: undefined, size: 0, cost: limit, error: 0 },
    ...curves.flatMap((curve) => listSizes(curve).filter(({ cost }) => cost < limit)),
  ]
}

function listSizes(curve: Curve): Option[] {
  const { family, measured } = curve
  if (measured.size === 0) return []
  const points = [...measured]
    .sort(([a], [b]) => a - b)
    .map(([size, { error }]) => ({ tail: family.tail(size), error }))
  return Array.from({ length: family.most }, (_, k) => {
    const size = k + 1
    const known = measured.get(size)
    return {
      curve,
      size,
      cost: known?.cost ?? family.cost(size),
      error: known?.error ?? interpolate(points, family.tail(size)),
    }
  })
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

function cheapestOf(options: Option[][]): Option[] {
  return options.map((list) => list.reduce((a, b) => (b.cost < a.cost ? b : a)))
}

function leastCost(options: Option[][]): number {
  return sum(cheapestOf(options), 'cost')
}

/** The best choice whose summed cost stays below `limit`. */
function pickByCost(options: Option[][], limit: number): Option[] {
  // raise the price of error as far as the limit allows
  let [low, high] = [-60, 200]
  let best = cheapestOf(options)
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
