// A named array of a checkpoint: numbers in row-major order, always as f64 so that no stage before packing rounds.

export interface Tensor {
  /** Sizes, slowest first; () is a scalar. */
  readonly shape: readonly number[]
  /** (product of shape) */
  readonly data: Float64Array
}

export type Tensors = Map<string, Tensor>

export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}
