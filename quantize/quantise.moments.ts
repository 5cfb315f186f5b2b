// What the matrices of a node meet in practice. In: a node and the trace of the network on calibration audio. Out: per
// matrix, and per group of a mixing matrix, the second moments H = E[x x^T] of the columns it multiplies, (K, K). Means
// are part of them: what a constant input yields is kept as well.

import { discretise } from './discretise.ts'
import type { Trace } from './execution.ts'
import type { Graph, Node } from './graph.ts'
import { multiplyRows, type Numbers } from './product.ts'
import type { Moments } from './quantise.rounding.ts'
import { up } from './record.ts'
import { visitStates } from './recurrence.ts'

/** Columns looked at, about, spread over the recording. */
const SAMPLES = 6000

/** In the order of `matricesOfNode`; each entry has one H per group. */
export function momentsOfNode(graph: Graph, node: Node, { signals }: Trace): Moments[][] {
  const { positions: P, channels: C } = graph.shapes.get(node.inputs[0])!
  const x = signals.get(node.inputs[0])!
  switch (node.op) {
    case 'linear':
      return [[momentsOf(columnsOf(x, C))]]
    case 'bandconv':
      return [[momentsOf(windowsOf(node, x, P, C))]]
    case 'mix':
      return [mixedMoments(node, x, P, C)]
    case 'ssm':
      return [[momentsOf(columnsOf(x, C))], [stateMoments(node, x, P)]]
    default:
      return []
  }
}

/** Columns of depth K, (count, K). */
interface Columns {
  data: Float64Array
  K: number
}

function momentsOf({ data, K }: Columns): Moments {
  const count = data.length / K
  const transposed = new Float64Array(data.length)
  for (let i = 0; i < count; i++) for (let k = 0; k < K; k++) transposed[k * count + i] = data[i * K + k]
  const H = new Float64Array(K * K)
  multiplyRows(transposed, transposed, H, { rows: K, K: count, d: K })
  return H.map((sum) => sum / Math.max(1, count))
}

/** An even choice of the rows of a signal (rows, C). */
function columnsOf(x: Numbers, C: number): Columns {
  return gather(x.length / C, C, (row, k) => x[row * C + k])
}

function gather(available: number, K: number, at: (row: number, k: number) => number): Columns {
  const step = strideOf(available)
  const count = Math.ceil(available / step)
  const data = new Float64Array(count * K)
  for (let i = 0; i < count; i++) for (let k = 0; k < K; k++) data[i * K + k] = at(i * step, k)
  return { data, K }
}

/** From one row looked at to the next: no divisor of the number of positions, or only some of them would be seen. */
function strideOf(available: number): number {
  let step = Math.max(1, Math.floor(available / SAMPLES))
  while (step > 1 && [2, 3, 5, 7].some((prime) => step % prime === 0)) step++
  return step
}

function windowsOf(node: Node, x: Numbers, P: number, C: number): Columns {
  const number = (key: string) => node.attributes.get(key) as number
  const [taps, stride, left] = [number('taps'), number('stride'), (node.attributes.get('pad') as number[])[0]]
  const Q = node.shape.positions
  return gather((x.length / (P * C)) * Q, taps * C, (row, k) => {
    const p = (row % Q) * stride - left + Math.floor(k / C)
    return p < 0 || p >= P ? 0 : x[(Math.floor(row / Q) * P + p) * C + (k % C)]
  })
}

/** Positions are what is summed over; every channel of a group is a column. */
function mixedMoments(node: Node, x: Numbers, P: number, C: number): Moments[] {
  const groups = node.attributes.get('groups') as number
  const width = C / groups
  const steps = x.length / (P * C)
  return Array.from({ length: groups }, (_, g) =>
    momentsOf(
      gather(steps * width, P, (row, p) => x[(Math.floor(row / width) * P + p) * C + g * width + (row % width)]),
    ),
  )
}

/** Of [xr, xi] as C reads them, or of xr alone; each part up(N) wide. */
function stateMoments(node: Node, x: Numbers, P: number): Moments {
  const system = discretise(node.tensors)
  const N = system.order
  const parts = node.tensors.get('C')!.shape.length === 3 ? 2 : 1
  const rows = x.length / system.inputs
  const every = strideOf(rows)
  const chosen: number[] = []
  visitStates(system, x, P, (states, first, count) => {
    for (let r = (every - (first % every)) % every; r < count; r += every)
      for (let i = 0; i < parts * N; i++) chosen.push(states[r * 2 * N + i])
  })
  const inner = momentsOf({ data: Float64Array.from(chosen), K: parts * N })
  return spread(inner, N, parts)
}

/** Rows and columns n of part p moved to p up(N) + n; zeros between. */
function spread(inner: Moments, N: number, parts: number): Moments {
  const [size, width] = [parts * N, up(N)]
  if (width === N) return inner
  const K = parts * width
  const H = new Float64Array(K * K)
  const place = (i: number) => Math.floor(i / N) * width + (i % N)
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) H[place(i) * K + place(j)] = inner[i * size + j]
  return H
}
