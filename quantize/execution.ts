// The graph run offline over a whole signal, as CHECKPOINT.md defines it: what the compiler measures its own changes
// with. In: a checked graph and samples. Out: every value as f32, time-major (all steps, positions, channels). Written
// from the specification alone: it shares nothing with the core, with lowering or with packing.

import { discretise } from './discretise.ts'
import { fail } from './errors.ts'
import type { Graph, Node } from './graph.ts'
import { multiplyRows } from './product.ts'
import { visitStates } from './recurrence.ts'

/** All steps of one value: (hops * steps, positions, channels). */
export type Signal = Float32Array

export interface Trace {
  readonly hops: number
  readonly signals: Map<string, Signal>
}

/** Runs all nodes. Samples are padded with zeros to whole hops; `lost` names the hops whose `flag` is 1. */
export function execute(graph: Graph, samples: ArrayLike<number>, lost: Iterable<number> = []): Trace {
  const hops = Math.ceil(samples.length / graph.input.hop)
  const input = new Float32Array(hops * graph.input.hop)
  input.set(samples)
  const flag = new Float32Array(hops)
  for (const hop of lost) flag[hop] = 1
  const trace: Trace = {
    hops,
    signals: new Map([
      ['input', input],
      ['flag', flag],
    ]),
  }
  for (const node of graph.nodes) trace.signals.set(node.name, executeNode(graph, node, trace))
  return trace
}

/**
 * The output when the values in `changed` are replaced and the nodes in `altered` run again, everything else taken from
 * `trace` where it still holds. Nodes that the trace does not know run too.
 */
export function executeFrom(
  graph: Graph,
  trace: Trace,
  changed: ReadonlyMap<string, Signal>,
  altered: ReadonlySet<string> = new Set(),
): Signal {
  const fresh = new Map(changed)
  for (const node of graph.nodes) {
    if (fresh.has(node.name)) continue
    const stale = !trace.signals.has(node.name) || altered.has(node.name)
    if (!stale && !node.inputs.some((name) => fresh.has(name))) continue
    const signals = new Map(node.inputs.map((name) => [name, fresh.get(name) ?? trace.signals.get(name)!]))
    fresh.set(node.name, executeNode(graph, node, { hops: trace.hops, signals }))
  }
  return fresh.get('output') ?? trace.signals.get('output')!
}

export function executeNode(graph: Graph, node: Node, { hops, signals }: Trace): Signal {
  const inputs = node.inputs.map((name) => signals.get(name)!)
  const shape = graph.shapes.get(node.inputs[0])!
  const { steps, positions: Q, channels: d } = node.shape
  const out = new Float32Array(hops * steps * Q * d)
  const run = RUNS[node.op]
  if (!run) fail('GRAPH_INVALID', `node ${node.name}: op`, node.op, 'update the library')
  run({
    node,
    inputs,
    out,
    T: hops * shape.steps,
    P: shape.positions,
    C: shape.channels,
    Q,
    d,
    outputHop: graph.output.hop,
    graph,
  })
  return out
}

/** T input steps of (P, C) to output steps of (Q, d). */
interface Job {
  node: Node
  inputs: Signal[]
  out: Signal
  T: number
  P: number
  C: number
  Q: number
  d: number
  outputHop: number
  graph: Graph
}

const tensor = ({ node }: Job, name: string) => node.tensors.get(name)?.data
const number = ({ node }: Job, name: string) => node.attributes.get(name) as number

const RUNS: Record<string, (job: Job) => void> = {
  reshape: ({ inputs: [x], out }) => out.set(x),
  linear: (job) => {
    const { C: K, d, out } = job
    multiplyRows(job.inputs[0], tensor(job, 'weight')!, out, { rows: out.length / d, K, d }, tensor(job, 'bias'))
  },
  bandconv: runBandconv,
  mix: runMix,
  conv: runConv,
  ssm: runSsm,
  norm: runNorm,
  affine: (job) => {
    const [weight, bias] = [tensor(job, 'weight')!, tensor(job, 'bias')]
    const [x] = job.inputs
    for (let i = 0; i < x.length; i++)
      job.out[i] = weight[i % weight.length] * x[i] + (bias ? bias[i % bias.length] : 0)
  },
  act: (job) => {
    const [x] = job.inputs
    const activate = ACTIVATIONS[job.node.attributes.get('kind') as string]
    const slopes = tensor(job, 'weight')
    for (let i = 0; i < x.length; i++)
      job.out[i] = slopes ? (x[i] < 0 ? slopes[i % job.C] * x[i] : x[i]) : activate(x[i])
  },
  glu: ({ inputs: [x], out, C, d }) => {
    for (let i = 0; i < out.length; i++) {
      const at = Math.floor(i / d) * C + (i % d)
      out[i] = x[at] * ACTIVATIONS.sigmoid(x[at + d])
    }
  },
  add: (job) => {
    const gain = tensor(job, 'gain')
    const [a, b] = job.inputs
    for (let i = 0; i < a.length; i++) job.out[i] = a[i] + (gain ? gain[i % gain.length] : 1) * b[i]
  },
  mul: ({ inputs: [a, b], out }) => {
    for (let i = 0; i < a.length; i++) out[i] = a[i] * b[i]
  },
  slice: (job) => {
    const from = number(job, 'from')
    const { inputs, out, C, d } = job
    for (let i = 0; i < out.length; i++) out[i] = inputs[0][Math.floor(i / d) * C + from + (i % d)]
  },
  concat: ({ inputs, out, d, T, Q }) => {
    let at = 0
    for (const x of inputs) {
      const width = x.length / (T * Q)
      for (let i = 0; i < x.length; i++) out[Math.floor(i / width) * d + at + (i % width)] = x[i]
      at += width
    }
  },
  gather: ({ node, inputs: [x], out, T, P, C }) => {
    const index = node.attributes.get('index') as number[]
    for (let t = 0; t < T; t++) {
      for (const [q, p] of index.entries()) {
        if (p >= 0) out.set(x.subarray((t * P + p) * C, (t * P + p + 1) * C), (t * index.length + q) * C)
      }
    }
  },
  frame: ({ inputs: [x], out, d }) => {
    const frames = out.length / d
    const stride = x.length / frames
    for (let j = 0; j < frames; j++) for (let i = 0; i < d; i++) out[j * d + i] = x[(j + 1) * stride - d + i] ?? 0
  },
  rfft: runForward,
  irfft: runInverse,
  overlap: ({ inputs: [x], out, C }) => {
    const frames = x.length / C
    const stride = out.length / frames
    for (let j = 0; j < frames; j++)
      for (let i = 0; i < C && j * stride + i < out.length; i++) out[j * stride + i] += x[j * C + i]
  },
  logpower: (job) => {
    const [x] = job.inputs
    const eps = number(job, 'eps')
    for (let i = 0; i < job.out.length; i++) job.out[i] = Math.log(x[2 * i] ** 2 + x[2 * i + 1] ** 2 + eps) / 2
  },
  compress: (job) => {
    const [x] = job.inputs
    const [eps, power] = [number(job, 'eps'), (number(job, 'exponent') - 1) / 2]
    for (let i = 0; i < x.length; i += 2) {
      const factor = (x[i] ** 2 + x[i + 1] ** 2 + eps) ** power
      job.out[i] = x[i] * factor
      job.out[i + 1] = x[i + 1] * factor
    }
  },
  filter: (job) => {
    const [x, M] = job.inputs
    const taps = number(job, 'taps')
    const row = 2 * job.P
    for (let i = 0; i < x.length; i += 2) {
      for (let k = 0; k < taps && i - k * row >= 0; k++) {
        const [a, b] = [x[i - k * row], x[i - k * row + 1]]
        const [c, e] = [M[i * taps + 2 * k], M[i * taps + 2 * k + 1]]
        job.out[i] += a * c - b * e
        job.out[i + 1] += a * e + b * c
      }
    }
  },
}

const ACTIVATIONS: Record<string, (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  relu: (x) => Math.max(0, x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
}

function runBandconv(job: Job): void {
  const {
    inputs: [x],
    out,
    T,
    P,
    C,
    Q,
    d,
  } = job
  const [taps, stride, left] = [
    number(job, 'taps'),
    number(job, 'stride'),
    (job.node.attributes.get('pad') as number[])[0],
  ]
  const [W, b] = [tensor(job, 'weight')!, tensor(job, 'bias')]
  for (let t = 0; t < T; t++) {
    for (let q = 0; q < Q; q++) {
      for (let i = 0; i < d; i++) {
        let sum = b ? b[i] : 0
        for (let j = 0; j < taps; j++) {
          const p = q * stride + j - left
          if (p < 0 || p >= P) continue
          for (let c = 0; c < C; c++) sum += W[(i * taps + j) * C + c] * x[(t * P + p) * C + c]
        }
        out[(t * Q + q) * d + i] = sum
      }
    }
  }
}

function runMix(job: Job): void {
  const {
    inputs: [x],
    out,
    T,
    P,
    C,
    Q,
  } = job
  const [W, b] = [tensor(job, 'weight')!, tensor(job, 'bias')]
  const width = C / number(job, 'groups')
  for (let t = 0; t < T; t++) {
    for (let q = 0; q < Q; q++) {
      for (let c = 0; c < C; c++) {
        let sum = b ? b[q] : 0
        for (let p = 0, w = (Math.floor(c / width) * Q + q) * P; p < P; p++) sum += W[w + p] * x[(t * P + p) * C + c]
        out[(t * Q + q) * C + c] = sum
      }
    }
  }
}

function runConv(job: Job): void {
  const {
    inputs: [x],
    out,
    T,
    P,
    C,
  } = job
  const [taps, bands, ahead] = [number(job, 'taps'), number(job, 'bands'), number(job, 'lookahead')]
  const [W, bias] = [tensor(job, 'weight')!, tensor(job, 'bias')]
  for (let t = 0; t < T; t++) {
    for (let p = 0; p < P; p++) {
      for (let c = 0; c < C; c++) {
        let sum = bias ? bias[c] : 0
        for (let j = 0; j < taps; j++) {
          const s = t + ahead - (taps - 1) + j
          if (s < 0 || s >= T) continue
          for (let i = 0; i < bands; i++) {
            const r = p + i - (bands - 1) / 2
            if (r >= 0 && r < P) sum += W[(j * bands + i) * C + c] * x[(s * P + r) * C + c]
          }
        }
        out[(t * P + p) * C + c] = sum
      }
    }
  }
}

function runSsm({ node, inputs: [x], out, P, C, d }: Job): void {
  const system = discretise(node.tensors)
  const { order: N, C: readout, D } = system
  // y = [Re C, -Im C] [Re x; Im x]
  const W = new Float64Array(2 * d * N)
  for (let i = 0; i < d; i++) {
    for (let n = 0; n < N; n++) {
      W[2 * i * N + n] = readout.re[i * N + n]
      W[(2 * i + 1) * N + n] = -readout.im[i * N + n]
    }
  }
  visitStates(system, x, P, (states, first, rows) => {
    multiplyRows(states, W, out.subarray(first * d, (first + rows) * d), { rows, K: 2 * N, d })
  })
  if (D) addDirect(x, D, out, C, d)
}

function addDirect(x: Signal, D: Float64Array, out: Signal, C: number, d: number): void {
  const diagonal = D.length === d && C === d
  for (let r = 0; r < out.length / d; r++) {
    for (let i = 0; i < d; i++) {
      if (diagonal) out[r * d + i] += D[i] * x[r * C + i]
      else for (let c = 0; c < C; c++) out[r * d + i] += D[i * C + c] * x[r * C + c]
    }
  }
}

function runNorm(job: Job): void {
  const {
    inputs: [x],
    out,
    C,
  } = job
  const [weight, bias, eps] = [tensor(job, 'weight')!, tensor(job, 'bias')!, number(job, 'eps')]
  for (let from = 0; from < x.length; from += C) {
    let mean = 0
    for (let c = 0; c < C; c++) mean += x[from + c] / C
    let variance = 0
    for (let c = 0; c < C; c++) variance += (x[from + c] - mean) ** 2 / C
    const factor = 1 / Math.sqrt(variance + eps)
    for (let c = 0; c < C; c++) out[from + c] = weight[c] * (x[from + c] - mean) * factor + bias[c]
  }
}

function runForward(job: Job): void {
  const {
    inputs: [x],
    out,
    C: n,
    Q,
  } = job
  const window = tensor(job, 'window')!
  const [re, im] = [new Float64Array(n), new Float64Array(n)]
  for (let t = 0; t < x.length / n; t++) {
    for (let i = 0; i < n; i++) re[i] = window[i] * x[t * n + i]
    im.fill(0)
    transform(re, im, -1)
    for (let k = 0; k < Q; k++) {
      out[(t * Q + k) * 2] = re[k]
      out[(t * Q + k) * 2 + 1] = im[k]
    }
  }
}

function runInverse(job: Job): void {
  const {
    inputs: [x],
    out,
    P,
    d: m,
  } = job
  const window = tensor(job, 'window')!
  const n = 2 * (P - 1)
  const [re, im] = [new Float64Array(n), new Float64Array(n)]
  for (let t = 0; t < out.length / m; t++) {
    for (let k = 0; k < n; k++) {
      const mirrored = k < P ? k : n - k
      re[k] = x[(t * P + mirrored) * 2]
      // the imaginary parts at 0 and n/2 belong to no real signal
      im[k] = k % (n / 2) === 0 ? 0 : (k < P ? 1 : -1) * x[(t * P + mirrored) * 2 + 1]
    }
    transform(re, im, 1)
    for (let i = 0; i < m; i++) out[t * m + i] = (re[n - m + i] / n) * window[i]
  }
}

/** Complex transform in place, radix 2, without scaling. */
export function transform(re: Float64Array, im: Float64Array, sign: number): void {
  const n = re.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      ;[re[i], re[j]] = [re[j], re[i]]
      ;[im[i], im[j]] = [im[j], im[i]]
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const [c, s] = [Math.cos((2 * Math.PI * k) / size), sign * Math.sin((2 * Math.PI * k) / size)]
      for (let a = k; a < n; a += size) {
        const b = a + size / 2
        const [p, q] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c]
        re[b] = re[a] - p
        im[b] = im[a] - q
        re[a] += p
        im[a] += q
      }
    }
  }
}
