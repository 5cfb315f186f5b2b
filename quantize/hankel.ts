// Balanced truncation of a diagonal SSM. In: a discrete system. Out: its Hankel singular values, and for any order a
// smaller diagonal system. Real coordinates (Re x, Im x), 2N of them; Gramians in closed form,
//   P_ij = b_i b_j^H / (1 - l_i conj(l_j)),  Q_ij = c_i^H c_j / (1 - conj(l_i) l_j)   (x -> y = Re(C x): C2 = [C, conj C]/2),
// factored by pivoted Cholesky (Cauchy-like: low numerical rank), then the square-root method (Laub, Heath, Paige, Ward
// 1987). The error of the layer is at most twice the sum of the discarded values (Glover 1984, Enns 1984).

import { EigenvalueDecomposition, Matrix, SingularValueDecomposition, solve } from 'ml-matrix'
import { type LinearSystem, oneMinusExp } from './discretise.ts'
import { multiplyMatrices } from './product.ts'

/** A square matrix, row-major. */
export interface Square {
  readonly size: number
  readonly data: Float64Array
}

export interface Balanced {
  readonly system: LinearSystem
  /** Hankel singular values, descending. */
  readonly sigma: Float64Array
  /** Columns of the projection onto k balanced coordinates and back, (2N, k) each. */
  readonly reach: Matrix
  readonly observe: Matrix
}

export interface Reduced {
  readonly system: LinearSystem
  /** 2-norm condition of the eigenvector basis it was diagonalised in. */
  readonly condition: number
}

/** Below this the factorisation sees only rounding. Relative to unit diagonal. */
const RANK_TOLERANCE = 1e-14

/** (2N, 2N) reachability Gramian in real coordinates: the states' covariance for white input of unit variance. */
export function reachability({ order: N, inputs, decay, angle, B }: LinearSystem): Square {
  const P: Square = { size: 2 * N, data: new Float64Array(4 * N * N) }
  for (let i = 0; i < N; i++) {
    for (let j = 0; j <= i; j++) {
      let rr = 0
      let ii = 0
      let ri = 0
      let ir = 0
      for (let k = 0; k < inputs; k++) {
        const [a, b] = [B.re[i * inputs + k], B.im[i * inputs + k]]
        const [c, d] = [B.re[j * inputs + k], B.im[j * inputs + k]]
        rr += a * c
        ii += b * d
        ri += a * d
        ir += b * c
      }
      // x_i conj(x_j) and x_i x_j
      const [sre, sim] = divide([rr + ii, ir - ri], oneMinusExp(-decay[i] - decay[j], angle[i] - angle[j]))
      const [tre, tim] = divide([rr - ii, ir + ri], oneMinusExp(-decay[i] - decay[j], angle[i] + angle[j]))
      setPair(P, N, i, j, (sre + tre) / 2, (sre - tre) / 2, (tim - sim) / 2, (tim + sim) / 2)
    }
  }
  return P
}

/** (2N, 2N) observability Gramian of y = Re(C x) in real coordinates. */
export function observability({ order: N, outputs, decay, angle, C }: LinearSystem): Square {
  const Q: Square = { size: 2 * N, data: new Float64Array(4 * N * N) }
  const [re, im] = [transpose(C.re, outputs, N), transpose(C.im, outputs, N)]
  for (let i = 0; i < N; i++) {
    for (let j = 0; j <= i; j++) {
      let rr = 0
      let ii = 0
      let ri = 0
      let ir = 0
      for (let k = 0; k < outputs; k++) {
        const [a, b] = [re[i * outputs + k], im[i * outputs + k]]
        const [c, d] = [re[j * outputs + k], im[j * outputs + k]]
        rr += a * c
        ii += b * d
        ri += a * d
        ir += b * c
      }
      // with z = c l^k: conj(z_i) z_j and z_i z_j; y reads Re z for Re x and -Im z for Im x
      const [sre, sim] = divide([rr + ii, ri - ir], oneMinusExp(-decay[i] - decay[j], angle[j] - angle[i]))
      const [tre, tim] = divide([rr - ii, ri + ir], oneMinusExp(-decay[i] - decay[j], angle[i] + angle[j]))
      setPair(Q, N, i, j, (sre + tre) / 2, (sre - tre) / 2, -(sim + tim) / 2, -(tim - sim) / 2)
    }
  }
  return Q
}

/** Writes Re-Re, Im-Im, Re(i)-Im(j) and Im(i)-Re(j) and their mirror images. */
function setPair(
  { size, data }: Square,
  N: number,
  i: number,
  j: number,
  rr: number,
  ii: number,
  ri: number,
  ir: number,
): void {
  data[i * size + j] = data[j * size + i] = rr
  data[(N + i) * size + N + j] = data[(N + j) * size + N + i] = ii
  data[i * size + N + j] = data[(N + j) * size + i] = ri
  data[(N + i) * size + j] = data[j * size + N + i] = ir
}

function divide([a, b]: [number, number], [c, d]: [number, number]): [number, number] {
  const size = c * c + d * d
  return [(a * c + b * d) / size, (b * c - a * d) / size]
}

function transpose(data: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(data.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]
  return out
}

/**
 * L (n, r) with L L^T = G to rounding, largest remaining pivot first (Higham 1990). G is first scaled to unit diagonal,
 * so that weakly driven states keep their digits.
 */
export function choleskyPivoted({ size: n, data }: Square, tolerance = RANK_TOLERANCE): Matrix {
  const scale = Float64Array.from({ length: n }, (_, i) => Math.sqrt(Math.max(0, data[i * n + i])))
  const rest = scale.map((s) => (s > 0 ? 1 : 0))
  const columns: Float64Array[] = []
  while (columns.length < n) {
    const pivot = rest.reduce((best, value, i) => (value > rest[best] ? i : best), 0)
    if (!(rest[pivot] > tolerance)) break
    const root = Math.sqrt(rest[pivot])
    const column = new Float64Array(n)
    for (let i = 0; i < n; i++) {
      if (scale[i] === 0 || rest[i] === 0) continue
      column[i] = data[i * n + pivot] / (scale[i] * scale[pivot])
    }
    for (const earlier of columns) {
      const factor = earlier[pivot]
      if (factor !== 0) for (let i = 0; i < n; i++) column[i] -= factor * earlier[i]
    }
    for (let i = 0; i < n; i++) {
      column[i] = rest[i] === 0 ? 0 : column[i] / root
      rest[i] = Math.max(0, rest[i] - column[i] * column[i])
    }
    column[pivot] = root
    rest[pivot] = 0
    columns.push(column)
  }
  const L = Matrix.zeros(n, Math.max(1, columns.length))
  for (const [k, column] of columns.entries()) for (let i = 0; i < n; i++) L.set(i, k, column[i] * scale[i])
  return L
}

/** Balances with the Gramians given, by default those of white input and unweighted output. */
export function balance(system: LinearSystem, P = reachability(system), Q = observability(system)): Balanced {
  const Lp = choleskyPivoted(P)
  const Lq = choleskyPivoted(Q)
  const {
    leftSingularVectors: U,
    rightSingularVectors: V,
    diagonal,
  } = new SingularValueDecomposition(multiplyMatrices(Lq.transpose(), Lp), {
    autoTranspose: true,
  })
  const floor = diagonal[0] * 1e-15
  const rank = Math.max(1, diagonal.filter((value) => value > floor).length)
  const roots = diagonal.slice(0, rank).map((value) => 1 / Math.sqrt(value || 1))
  const scaled = (L: Matrix, vectors: Matrix) => {
    const product = multiplyMatrices(L, vectors.subMatrix(0, vectors.rows - 1, 0, rank - 1))
    return product.mulRowVector(roots)
  }
  return { system, sigma: Float64Array.from(diagonal.slice(0, rank)), reach: scaled(Lp, V), observe: scaled(Lq, U) }
}

/** The leading `order` balanced coordinates, diagonalised again: at most `order` complex states, fewer for real pairs. */
export function truncate({ system, reach, observe }: Balanced, order: number): Reduced {
  const r = Math.min(order, reach.columns)
  const T = reach.subMatrix(0, reach.rows - 1, 0, r - 1)
  const W = observe.subMatrix(0, observe.rows - 1, 0, r - 1).transpose()
  return diagonalise(
    multiplyMatrices(W, advance(system, T)),
    multiplyMatrices(W, stackB(system)),
    multiplyMatrices(stackC(system), T),
    system,
  )
}

/** A T for A = blocks [[re, -im], [im, re]] of the poles in real coordinates. */
function advance({ order: N, decay, angle }: LinearSystem, T: Matrix): Matrix {
  const out = Matrix.zeros(2 * N, T.columns)
  for (let n = 0; n < N; n++) {
    const re = Math.exp(-decay[n]) * Math.cos(angle[n])
    const im = Math.exp(-decay[n]) * Math.sin(angle[n])
    for (let k = 0; k < T.columns; k++) {
      const [a, b] = [T.get(n, k), T.get(N + n, k)]
      out.set(n, k, re * a - im * b)
      out.set(N + n, k, im * a + re * b)
    }
  }
  return out
}

/** [Re B; Im B], (2N, inputs) */
function stackB({ order: N, inputs, B }: LinearSystem): Matrix {
  const out = Matrix.zeros(2 * N, inputs)
  for (let n = 0; n < N; n++) {
    for (let j = 0; j < inputs; j++) {
      out.set(n, j, B.re[n * inputs + j])
      out.set(N + n, j, B.im[n * inputs + j])
    }
  }
  return out
}

/** [Re C, -Im C], (outputs, 2N) */
function stackC({ order: N, outputs, C }: LinearSystem): Matrix {
  const out = Matrix.zeros(outputs, 2 * N)
  for (let i = 0; i < outputs; i++) {
    for (let n = 0; n < N; n++) {
      out.set(i, n, C.re[i * N + n])
      out.set(i, N + n, -C.im[i * N + n])
    }
  }
  return out
}

/** Real (A, B, C) to a diagonal complex system: z = 2 Re(v xi) for a pair of eigenvectors v, conj(v). */
function diagonalise(A: Matrix, B: Matrix, C: Matrix, { inputs, outputs, D }: LinearSystem): Reduced {
  const { realEigenvalues: re, imaginaryEigenvalues: im, eigenvectorMatrix } = new EigenvalueDecomposition(A)
  const X = normalisePairs(eigenvectorMatrix, im)
  const rows = solve(X, B)
  const readout = C.mmul(X)
  const leaders = re.map((_, k) => k).filter((k) => im[k] >= 0)
  const order = leaders.length
  const system: LinearSystem = {
    order,
    inputs,
    outputs,
    decay: Float64Array.from(leaders, (k) => -Math.log(Math.hypot(re[k], im[k]) || 1e-12)),
    angle: Float64Array.from(leaders, (k) => Math.atan2(im[k], re[k])),
    B: { re: new Float64Array(order * inputs), im: new Float64Array(order * inputs) },
    C: { re: new Float64Array(outputs * order), im: new Float64Array(outputs * order) },
    D,
  }
  for (const [n, k] of leaders.entries()) {
    const pair = im[k] > 0
    for (let j = 0; j < inputs; j++) {
      system.B.re[n * inputs + j] = rows.get(k, j) / (pair ? 2 : 1)
      system.B.im[n * inputs + j] = pair ? -rows.get(k + 1, j) / 2 : 0
    }
    for (let i = 0; i < outputs; i++) {
      system.C.re[i * order + n] = readout.get(i, k) * (pair ? 2 : 1)
      system.C.im[i * order + n] = pair ? 2 * readout.get(i, k + 1) : 0
    }
  }
  return { system: scaleStates(system), condition: conditionOf(X) }
}

/** Unit columns; the two of a pair (Re v, Im v) share one factor. */
function normalisePairs(vectors: Matrix, im: number[]): Matrix {
  const X = vectors.clone()
  for (let k = 0; k < im.length; k++) {
    const width = im[k] > 0 ? 2 : 1
    let size = 0
    for (let w = 0; w < width; w++) for (let i = 0; i < X.rows; i++) size += X.get(i, k + w) ** 2
    const factor = 1 / Math.sqrt(size || 1)
    for (let w = 0; w < width; w++) X.mulColumn(k + w, factor)
    k += width - 1
  }
  return X
}

function conditionOf(X: Matrix): number {
  const { diagonal } = new SingularValueDecomposition(X)
  return diagonal[0] / diagonal[diagonal.length - 1]
}

/**
 * Unit state variance for white input, by a real factor per state. With one input (output) the factor also turns the
 * state until B (C) is real, which halves its product.
 */
function scaleStates(system: LinearSystem): LinearSystem {
  const { order, inputs, outputs, decay, B, C } = system
  const scaled = { B: { re: B.re.slice(), im: B.im.slice() }, C: { re: C.re.slice(), im: C.im.slice() } }
  for (let n = 0; n < order; n++) {
    let power = 0
    for (let j = 0; j < inputs; j++) power += B.re[n * inputs + j] ** 2 + B.im[n * inputs + j] ** 2
    const size = Math.sqrt(power / -Math.expm1(-2 * decay[n])) || 1
    const [re, im] = inputs === 1 ? [B.re[n], B.im[n]] : outputs === 1 ? [C.re[n], -C.im[n]] : [1, 0]
    const length = Math.hypot(re, im) || 1
    // xi' = factor xi: B takes the factor, C its inverse
    const [fre, fim] = [re / length / size, -im / length / size]
    multiplyRow(scaled.B, n * inputs, 1, inputs, fre, fim)
    const inverse = fre * fre + fim * fim
    multiplyRow(scaled.C, n, order, outputs, fre / inverse, -fim / inverse)
    if (inputs === 1) scaled.B.im[n] = 0
    else if (outputs === 1) scaled.C.im[n] = 0
  }
  return { ...system, ...scaled }
}

function multiplyRow(
  { re, im }: { re: Float64Array; im: Float64Array },
  from: number,
  stride: number,
  count: number,
  fre: number,
  fim: number,
): void {
  for (let j = 0; j < count; j++) {
    const at = from + j * stride
    const [a, b] = [re[at], im[at]]
    re[at] = a * fre - b * fim
    im[at] = a * fim + b * fre
  }
}
