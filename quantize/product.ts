// Dense products for offline work, in f64. In: row-major matrices, x (rows, K) and W (d, K). Out: y (rows, d) = x W^T,
// accumulated or not. Two rows by four columns at a time, so that every load serves several sums; the order of each sum
// is that of k, whatever the tile.

import { Matrix } from 'ml-matrix'

export type Numbers = Float32Array | Float64Array

/** y[r,i] = b[i] + sum_k W[i,k] x[r,k] */
export function multiplyRows(
  x: Numbers,
  W: Float64Array,
  y: Numbers,
  { rows, K, d }: { rows: number; K: number; d: number },
  bias?: ArrayLike<number>,
): void {
  let r = 0
  for (; r + 2 <= rows; r += 2) {
    let i = 0
    for (; i + 4 <= d; i += 4) tile(x, W, y, r, i, K, d, bias)
    for (; i < d; i++) {
      for (let s = r; s < r + 2; s++) y[s * d + i] = dot(x, s * K, W, i * K, K) + (bias ? bias[i] : 0)
    }
  }
  for (; r < rows; r++) for (let i = 0; i < d; i++) y[r * d + i] = dot(x, r * K, W, i * K, K) + (bias ? bias[i] : 0)
}

function tile(
  x: Numbers,
  W: Float64Array,
  y: Numbers,
  r: number,
  i: number,
  K: number,
  d: number,
  bias: ArrayLike<number> | undefined,
): void {
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0]
  const [x0, x1] = [r * K, r * K + K]
  const [w0, w1, w2, w3] = [i * K, i * K + K, i * K + 2 * K, i * K + 3 * K]
  for (let k = 0; k < K; k++) {
    const p = x[x0 + k]
    const q = x[x1 + k]
    const u0 = W[w0 + k]
    const u1 = W[w1 + k]
    const u2 = W[w2 + k]
    const u3 = W[w3 + k]
    a0 += p * u0
    a1 += p * u1
    a2 += p * u2
    a3 += p * u3
    b0 += q * u0
    b1 += q * u1
    b2 += q * u2
    b3 += q * u3
  }
  const at = r * d + i
  const [c0, c1, c2, c3] = bias ? [bias[i], bias[i + 1], bias[i + 2], bias[i + 3]] : [0, 0, 0, 0]
  y[at] = a0 + c0
  y[at + 1] = a1 + c1
  y[at + 2] = a2 + c2
  y[at + 3] = a3 + c3
  y[at + d] = b0 + c0
  y[at + d + 1] = b1 + c1
  y[at + d + 2] = b2 + c2
  y[at + d + 3] = b3 + c3
}

function dot(x: Numbers, from: number, w: Numbers, at: number, K: number): number {
  let sum = 0
  for (let k = 0; k < K; k++) sum += x[from + k] * w[at + k]
  return sum
}

/** A B, faster than the library's for large ones. */
export function multiplyMatrices(A: Matrix, B: Matrix): Matrix {
  const [rows, K, d] = [A.rows, A.columns, B.columns]
  const out = new Float64Array(rows * d)
  multiplyRows(flatten(A), flatten(B.transpose()), out, { rows, K, d })
  return Matrix.from1DArray(rows, d, out)
}

function flatten(A: Matrix): Float64Array {
  const out = new Float64Array(A.rows * A.columns)
  for (let i = 0; i < A.rows; i++) for (let j = 0; j < A.columns; j++) out[i * A.columns + j] = A.get(i, j)
  return out
}
