// Affines that a norm can do itself. In: a graph. Out: the same function with fewer nodes: where an affine is all that
// reads a norm, the norm takes its gains and offsets, (C) or (P, C) numbers, and its place. y = g (w z + b) + o.

import type { Graph, Node } from './graph.ts'
import type { Tensor } from './tensor.ts'

export function foldAffines(graph: Graph): Graph {
  const readers = new Map<string, number>()
  for (const node of graph.nodes) for (const name of node.inputs) readers.set(name, (readers.get(name) ?? 0) + 1)
  const norms = new Map(graph.nodes.filter(({ op }) => op === 'norm').map((node) => [node.name, node]))
  const absorbed = new Map<string, Node>()
  for (const node of graph.nodes) {
    const norm = node.op === 'affine' ? norms.get(node.inputs[0]) : undefined
    if (norm && readers.get(norm.name) === 1) absorbed.set(norm.name, node)
  }
  return {
    ...graph,
    nodes: graph.nodes
      .filter((node) => !absorbed.has(node.name))
      .map((node) => {
        const norm = node.op === 'affine' ? norms.get(node.inputs[0]) : undefined
        return norm && absorbed.has(norm.name) ? join(norm, node) : node
      }),
  }
}

/** The norm under the affine's name, so that nobody who reads it need know. */
function join(norm: Node, affine: Node): Node {
  const { positions, channels } = norm.shape
  const [w, b, g, o] = [
    norm.tensors.get('weight')!,
    norm.tensors.get('bias')!,
    affine.tensors.get('weight')!,
    affine.tensors.get('bias'),
  ]
  const perPosition = [g, o].some((tensor) => tensor?.shape.length === 2)
  const shape = perPosition ? [positions, channels] : [channels]
  const numbers = (value: (i: number, c: number) => number): Tensor => ({
    shape,
    data: Float64Array.from({ length: perPosition ? positions * channels : channels }, (_, i) =>
      value(i, i % channels),
    ),
  })
  const at = ({ data }: Tensor, i: number) => data[i % data.length]
  const tensors = new Map([
    ['weight', numbers((i, c) => at(g, i) * w.data[c])],
    ['bias', numbers((i, c) => at(g, i) * b.data[c] + (o ? at(o, i) : 0))],
  ])
  return { ...norm, name: affine.name, tensors }
}
