// Weights to integers with the least error at the layer's output. In: a matrix, its format and, where there is
// calibration audio, the second moments H of the layer's input. Out: integers and scales that make e^T H e small, e being
// the error of a row. Columns are rounded one after the other, each taking up the error of those before it: Babai's
// nearest plane in the lattice of the Cholesky factor of H, the same as GPTQ (arXiv 2210.17323). Scales and integers are
// then fitted in turns.

import { Matrix as Dense, solve } from 'ml-matrix'
import type { IntegerMatrix, Matrix } from './pack.ts'
import { INT4_GROUP } from './record.ts'

/** (K, K), row-major, of one matrix of a node. */
export type Moments = Float64Array

const LARGEST = { int8: 127, int4: 7 } as const
/** Added to the diagonal of H, relative to its mean: inputs that never occurred must not cost everything. */
const DAMPING = 0.01
/** Scales tried before rounding, relative to the one that just reaches the largest weight. */
const TRIALS = { int8: [1, 0.97, 0.94, 0.9], int4: Array.from({ length: 16 }, (_, i) => 1 - 0.035 * i) }
const ROUNDS = 3

/** `moments`: one per group of the matrix; without, all inputs count alike. */
export function roundMatrix(
  matrix: Matrix,
  format: IntegerMatrix['format'],
  moments?: readonly Moments[],
): IntegerMatrix {
  const { rows, columns, groups, data } = matrix
  const width = format === 'int8' ? columns : INT4_GROUP
  const scaled = Math.ceil(columns / width)
  const values = new Int8Array(rows * columns)
  const scales = new Float32Array(rows * scaled)
  const each = rows / groups
  for (let g = 0; g < groups; g++) {
    const plane = new Plane(moments?.[g], columns, width, LARGEST[format], TRIALS[format], format === 'int4')
    for (let row = g * each; row < (g + 1) * each; row++) {
      const found = plane.round(data.subarray(row * columns, (row + 1) * columns))
      values.set(found.values, row * columns)
      scales.set(found.scales, row * scaled)
    }
  }
  return { format, rows, columns, groups, values, scales }
}

/** What the core multiplies by. */
export function restoreMatrix({ format, rows, columns, groups, values, scales }: IntegerMatrix): Matrix {
  const width = format === 'int8' ? columns : INT4_GROUP
  const scaled = Math.ceil(columns / width)
  const data = Float64Array.from(values, (value, i) => {
    const row = Math.floor(i / columns)
    return value * scales[row * scaled + Math.floor((i % columns) / width)]
  })
  return { rows, columns, groups, data }
}

interface Rounded {
  values: Int8Array
  scales: Float64Array
}

/** Rounds rows that share their input. */
class Plane {
  /** Columns in the order they are rounded: strong inputs first, the weak ones take up the errors. */
  private readonly order: number[]
  /** Upper triangular, R R^T = H in that order. */
  private readonly R: Float64Array

  constructor(
    moments: Moments | undefined,
    private readonly columns: number,
    private readonly width: number,
    private readonly largest: number,
    private readonly trials: readonly number[],
    /** Scales lose their lower half. */
    private readonly short: boolean,
  ) {
    const K = columns
    const H = moments ?? identity(K)
    let trace = 0
    for (let k = 0; k < K; k++) trace += H[k * K + k]
    const damping = trace > 0 ? (DAMPING * trace) / K : 1
    this.order = [...Array(K).keys()].sort((a, b) => H[b * K + b] - H[a * K + a] || a - b)
    this.R = upperFactor(this.order, H, K, damping)
  }

  round(weights: Float64Array): Rounded {
    const fill = (scales: Float64Array) => {
      const values = new Int8Array(this.columns)
      return { values, scales, error: this.fillValues(weights, { values, scales }) }
    }
    let best = fill(this.firstScales(weights))
    for (let round = 1; round < ROUNDS; round++) {
      const rounded = fill(this.fitScales(weights, best))
      if (!(rounded.error < best.error)) break
      best = rounded
    }
    return best
  }

  /** Per group of columns the scale that plain rounding would like best, inputs weighed by their power. */
  private firstScales(weights: Float64Array): Float64Array {
    const { columns, width, largest } = this
    const power = new Float64Array(columns)
    for (const [at, k] of this.order.entries()) {
      for (let j = at; j < columns; j++) power[k] += this.R[at * columns + j] ** 2
    }
    return Float64Array.from({ length: Math.ceil(columns / width) }, (_, g) => {
      const [from, to] = [g * width, Math.min(columns, (g + 1) * width)]
      let peak = 0
      for (let k = from; k < to; k++) peak = Math.max(peak, Math.abs(weights[k]))
      let best = this.shorten(peak / largest)
      let least = Number.POSITIVE_INFINITY
      for (const trial of this.trials) {
        const scale = this.shorten((trial * peak) / largest)
        if (!(scale > 0)) return 0
        let error = 0
        for (let k = from; k < to; k++) error += power[k] * (weights[k] - scale * this.nearest(weights[k] / scale)) ** 2
        if (error < least) [best, least] = [scale, error]
      }
      return best
    })
  }

  private nearest(x: number): number {
    return Math.max(-this.largest, Math.min(this.largest, Math.round(x)))
  }

  /** As the file stores it. */
  private shorten(scale: number): number {
    if (!this.short) return Math.fround(scale)
    const bits = new Uint32Array(Float32Array.of(scale).buffer)
    bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000
    return new Float32Array(bits.buffer)[0]
  }

  /** Nearest plane: component k of R^T e holds e_0..e_k; each integer makes its component small. Returns e^T H e. */
  private fillValues(weights: Float64Array, { values, scales }: Rounded): number {
    const { R, columns: K, width } = this
    // what earlier errors already put into each component
    const carried = new Float64Array(K)
    let total = 0
    for (const [at, k] of this.order.entries()) {
      const scale = scales[Math.floor(k / width)]
      const own = R[at * K + at]
      if (scale > 0) values[k] = this.nearest((weights[k] + carried[at] / own) / scale)
      const error = weights[k] - scale * values[k]
      total += (carried[at] + own * error) ** 2
      for (let j = at + 1; j < K; j++) carried[j] += R[at * K + j] * error
    }
    return total
  }

  /** Least squares for the scales with the integers as they are. */
  private fitScales(weights: Float64Array, { values, scales }: Rounded): Float64Array {
    const target = this.project((k) => weights[k])
    const parts = Array.from(scales, (_, g) => this.project((k) => (Math.floor(k / this.width) === g ? values[k] : 0)))
    const normal = Dense.zeros(parts.length, parts.length)
    const wanted = Dense.zeros(parts.length, 1)
    for (const [g, a] of parts.entries()) {
      wanted.set(g, 0, dot(a, target))
      for (const [h, b] of parts.entries()) normal.set(g, h, dot(a, b) + (g === h ? 1e-30 : 0))
    }
    const fitted = solve(normal, wanted)
    return Float64Array.from(scales, (scale, g) => {
      const value = this.shorten(fitted.get(g, 0))
      return value > 0 && Number.isFinite(value) ? value : scale
    })
  }

  /** R^T w */
  private project(at: (k: number) => number): Float64Array {
    const { R, columns: K } = this
    const out = new Float64Array(K)
    for (const [i, k] of this.order.entries()) {
      const value = at(k)
      for (let j = i; value !== 0 && j < K; j++) out[j] += R[i * K + j] * value
    }
    return out
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

function identity(size: number): Float64Array {
  const out = new Float64Array(size * size)
  for (let i = 0; i < size; i++) out[i * size + i] = 1
  return out
}

/** Upper triangular R with R R^T = H + damping I, rows and columns of H taken in `order`; from the last column back. */
function upperFactor(order: number[], H: Float64Array, K: number, damping: number): Float64Array {
  const R = new Float64Array(K * K)
  for (let k = K - 1; k >= 0; k--) {
    for (let j = k; j >= 0; j--) {
      let sum = H[order[j] * K + order[k]] + (j === k ? damping : 0)
      for (let m = k + 1; m < K; m++) sum -= R[j * K + m] * R[k * K + m]
      R[j * K + k] = j === k ? Math.sqrt(Math.max(sum, 1e-6 * damping)) : sum / R[k * K + k]
    }
  }
  return R
}
