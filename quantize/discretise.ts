// SSM tensors to a discrete linear system and back. In: log_dt, A = [a, w], B, C, D of a checkpoint (arXiv 2409.03377,
// eq. 3-5). Out: x[t] = lambda x[t-1] + B u[t], y[t] = Re(C x[t]) + D u[t], poles as logarithms so that 1 - |lambda|
// keeps its digits: lambda = exp(-decay + i angle).

import { softplus } from './pack.ts'
import type { Tensor } from './tensor.ts'

export interface LinearSystem {
  /** Complex states N. */
  readonly order: number
  readonly inputs: number
  readonly outputs: number
  /** (N), positive */
  readonly decay: Float64Array
  /** (N), radians per step */
  readonly angle: Float64Array
  /** (N, inputs), dt included */
  readonly B: ComplexArray
  /** (outputs, N) */
  readonly C: ComplexArray
  /** (outputs) diagonal, or (outputs, inputs) */
  readonly D: Float64Array | undefined
}

export interface ComplexArray {
  readonly re: Float64Array
  readonly im: Float64Array
}

export function discretise(tensors: ReadonlyMap<string, Tensor>): LinearSystem {
  const A = tensors.get('A')!.data
  const B = tensors.get('B')!
  const C = tensors.get('C')!
  const dt = tensors.get('log_dt')!.data.map(Math.exp)
  const order = dt.length
  const [inputs, outputs] = [B.shape[1], C.shape[0]]
  const scaled = splitComplex(B, B.shape.length === 3)
  for (const part of [scaled.re, scaled.im]) for (let i = 0; i < part.length; i++) part[i] *= dt[Math.floor(i / inputs)]
  return {
    order,
    inputs,
    outputs,
    decay: dt.map((step, n) => step * softplus(A[2 * n])),
    angle: dt.map((step, n) => step * A[2 * n + 1]),
    B: scaled,
    C: splitComplex(C, C.shape.length === 3),
    D: tensors.get('D')?.data,
  }
}

/** The tensors of a system, with dt = 1. Real B or C are stored as such. */
export function toTensors({ order, inputs, outputs, decay, angle, B, C, D }: LinearSystem): Map<string, Tensor> {
  const A = new Float64Array(2 * order)
  for (let n = 0; n < order; n++) {
    A[2 * n] = inverseSoftplus(decay[n])
    A[2 * n + 1] = angle[n]
  }
  const tensors = new Map<string, Tensor>([
    ['log_dt', { shape: [order], data: new Float64Array(order) }],
    ['A', { shape: [order, 2], data: A }],
    ['B', joinComplex(B, [order, inputs])],
    ['C', joinComplex(C, [outputs, order])],
  ])
  // a vector is the diagonal of a square matrix
  const diagonal = inputs === outputs && D?.length === outputs
  if (D) tensors.set('D', { shape: diagonal ? [outputs] : [outputs, inputs], data: D })
  return tensors
}

/** a with softplus(a) = x. */
export function inverseSoftplus(x: number): number {
  return x + Math.log(-Math.expm1(-x))
}

/** Multiply-accumulates per step and position, as in `countMacs`. */
export function countSystemMacs({ order, inputs, outputs, B, C, D }: LinearSystem): number {
  const partsB = isReal(B) ? 1 : 2
  const partsC = isReal(C) ? 1 : 2
  return order * (partsB * inputs + 4 + partsC * outputs) + (D?.length ?? 0)
}

export function isReal({ im }: ComplexArray): boolean {
  return im.every((x) => x === 0)
}

function splitComplex({ data }: Tensor, complex: boolean): ComplexArray {
  if (!complex) return { re: data.slice(), im: new Float64Array(data.length) }
  return { re: data.filter((_, i) => i % 2 === 0), im: data.filter((_, i) => i % 2 === 1) }
}

function joinComplex(values: ComplexArray, shape: number[]): Tensor {
  if (isReal(values)) return { shape, data: values.re }
  const data = new Float64Array(2 * values.re.length)
  for (let i = 0; i < values.re.length; i++) {
    data[2 * i] = values.re[i]
    data[2 * i + 1] = values.im[i]
  }
  return { shape: [...shape, 2], data }
}

/** h[0..count-1], each (outputs, inputs), without D. */
export function impulseResponse(system: LinearSystem, count: number): Float64Array[] {
  const { order, inputs, outputs, decay, angle, B, C } = system
  return Array.from({ length: count }, (_, k) => {
    const h = new Float64Array(outputs * inputs)
    for (let n = 0; n < order; n++) {
      const size = Math.exp(-k * decay[n])
      const re = size * Math.cos(k * angle[n])
      const im = size * Math.sin(k * angle[n])
      addOuter(h, system, n, re, im)
    }
    return h
    function addOuter(out: Float64Array, { inputs: c }: LinearSystem, n: number, re: number, im: number): void {
      for (let j = 0; j < c; j++) {
        const bre = re * B.re[n * inputs + j] - im * B.im[n * inputs + j]
        const bim = re * B.im[n * inputs + j] + im * B.re[n * inputs + j]
        for (let i = 0; i < outputs; i++) out[i * inputs + j] += C.re[i * order + n] * bre - C.im[i * order + n] * bim
      }
    }
  })
}

/** The gain at zero frequency without D, (outputs, inputs): Re(C (1 - lambda)^-1 B). */
export function gainAtRest({ order, inputs, outputs, decay, angle, B, C }: LinearSystem): Float64Array {
  const gain = new Float64Array(outputs * inputs)
  for (let n = 0; n < order; n++) {
    const [re, im] = oneMinusExp(-decay[n], angle[n])
    const size = re * re + im * im
    for (let j = 0; j < inputs; j++) {
      const [bre, bim] = [B.re[n * inputs + j], B.im[n * inputs + j]]
      const xre = (bre * re + bim * im) / size
      const xim = (bim * re - bre * im) / size
      for (let i = 0; i < outputs; i++) gain[i * inputs + j] += C.re[i * order + n] * xre - C.im[i * order + n] * xim
    }
  }
  return gain
}

/** 1 - exp(x + iy) without cancellation near 0, as [re, im]. */
export function oneMinusExp(x: number, y: number): [number, number] {
  const turn = Math.sin(y / 2)
  return [2 * turn * turn - Math.expm1(x) * Math.cos(y), -Math.exp(x) * Math.sin(y)]
}
