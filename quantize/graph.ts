// The network of a checkpoint. In: the JSON text of CHECKPOINT.md and the tensors. Out: a graph whose every node is
// known to be well-formed: names, attributes, shapes (steps, positions, channels) and tensors all checked.

import { fail } from './errors.ts'
import { type NodeView, OPS, type OpRule, type Shape, type TensorRule } from './ops.ts'
import { sameShape, type Tensor, type Tensors } from './tensor.ts'

export interface Port {
  /** Samples per second. */
  readonly rate: number
  /** Samples per hop. */
  readonly hop: number
}

export interface Node {
  readonly name: string
  readonly op: string
  readonly inputs: readonly string[]
  /** Checked, with defaults filled in; 0 for a stride that is implied. */
  readonly attributes: ReadonlyMap<string, number | number[] | string>
  readonly shape: Shape
  /** The node's own tensors by their short names. */
  readonly tensors: ReadonlyMap<string, Tensor>
}

export interface Graph {
  readonly name: string
  readonly input: Port
  readonly output: Port
  /** In order of execution; the last one is `output`. */
  readonly nodes: readonly Node[]
  /** Shapes of all values, `input` and `flag` included. */
  readonly shapes: ReadonlyMap<string, Shape>
  readonly card: unknown
}

const MAX_NODES = 4096
const MAX_RATE = 768000
const MAX_HOP = 65535

export function parseGraph(text: string, tensors: Tensors): Graph {
  const { nodes, ...rest } = parseStructure(text)
  const bound = nodes.map(({ rules, ...node }) => ({ ...node, tensors: bindTensors(node.name, rules, tensors) }))
  checkAllUsed(bound, tensors)
  return { ...rest, nodes: bound }
}

/** A graph whose tensors are still to come: what each node needs. */
export interface Structure extends Omit<Graph, 'nodes'> {
  readonly nodes: readonly (Omit<Node, 'tensors'> & { readonly rules: TensorRule[] })[]
}

export function parseStructure(text: string): Structure {
  const json = readJson(text)
  checkKeys('checkpoint', json, ['version', 'name', 'input', 'output', 'graph', 'card'])
  if (json.version !== 1) refuse('version of the checkpoint', json.version, 'write version 1')
  if (typeof json.name !== 'string' || json.name === '') refuse('name of the network', json.name, 'give it a name')
  const input = readPort('input', json.input)
  const output = readPort('output', json.output)
  if (input.hop * output.rate !== output.hop * input.rate) {
    refuse(
      'hops of input and output differ in duration',
      `${input.hop}/${input.rate} and ${output.hop}/${output.rate}`,
      'make them equal',
    )
  }
  if (!Array.isArray(json.graph) || json.graph.length === 0)
    refuse('graph is no list of nodes', typeof json.graph, 'list the nodes')
  const list = json.graph as unknown[]
  if (list.length > MAX_NODES) refuse('graph has too many nodes', list.length, `use at most ${MAX_NODES}`)
  const shapes = new Map<string, Shape>([
    ['input', { steps: input.hop, positions: 1, channels: 1 }],
    ['flag', { steps: 1, positions: 1, channels: 1 }],
  ])
  const nodes = list.map((value, i) => readNode(value, i, shapes, output.hop))
  checkOutput(nodes, output.hop)
  return { name: json.name as string, input, output, nodes, shapes, card: json.card ?? {} }
}

function refuse(what: string, value: unknown, remedy: string): never {
  return fail('GRAPH_INVALID', what, value, remedy)
}

function readJson(text: string): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    refuse('graph is not JSON', text.slice(0, 40), 'write the checkpoint again')
  }
  if (!isObject(json)) refuse('graph is not an object', typeof json, 'write the checkpoint again')
  return json as Record<string, unknown>
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkKeys(where: string, object: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key))
  if (unknown !== undefined) refuse(`${where}: unknown attribute`, unknown, `known are ${known.join(' ')}`)
}

function readPort(name: string, value: unknown): Port {
  if (!isObject(value)) refuse(`${name} is not an object`, typeof value, 'state rate and hop')
  const port = value as Record<string, unknown>
  checkKeys(name, port, ['rate', 'hop'])
  return { rate: positive(`${name}: rate`, port.rate, MAX_RATE), hop: positive(`${name}: hop`, port.hop, MAX_HOP) }
}

function positive(what: string, value: unknown, max: number): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max) refuse(what, value, `use 1..${max}`)
  return value as number
}

function readNode(
  value: unknown,
  i: number,
  shapes: Map<string, Shape>,
  outputHop: number,
): Structure['nodes'][number] {
  if (!isObject(value)) refuse(`node ${i} is not an object`, typeof value, 'write name, op and in')
  const json = value as Record<string, unknown>
  const name = readName(json.name, i, shapes)
  const op = typeof json.op === 'string' && Object.hasOwn(OPS, json.op) ? json.op : undefined
  if (op === undefined) refuse(`node ${name}: unknown op`, json.op, `known are ${Object.keys(OPS).join(' ')}`)
  const rule = OPS[op as string]
  checkKeys(`node ${name}`, json, ['name', 'op', 'in', ...Object.keys(rule.attributes)])
  const inputs = readInputs(name, json.in, rule, shapes)
  const attributes = readAttributes(name, json, rule)
  const view = viewOf(name, attributes)
  const inputShapes = inputs.map((input) => shapes.get(input)!)
  const shape = rule.shape(view, inputShapes, outputHop)
  checkSize(name, shape)
  shapes.set(name, shape)
  const rules = rule.tensors?.(view, inputShapes) ?? []
  return { name, op: op as string, inputs, attributes, shape, rules }
}

function readName(value: unknown, i: number, shapes: Map<string, Shape>): string {
  if (typeof value !== 'string' || !/^[A-Za-z_][A-Za-z0-9_-]{0,99}$/.test(value)) {
    refuse(`node ${i}: name`, value, 'use letters, digits, _ and -, at most 100')
  }
  if (shapes.has(value as string)) refuse(`node ${i}: name is taken`, value, 'use another name')
  return value as string
}

function readInputs(name: string, value: unknown, rule: OpRule, shapes: Map<string, Shape>): string[] {
  if (!Array.isArray(value)) refuse(`node ${name}: in is no list`, value, 'list the names of its inputs')
  const inputs = value as unknown[]
  const right = rule.inputs === 'many' ? inputs.length >= 2 && inputs.length <= 64 : inputs.length === rule.inputs
  const wanted = rule.inputs === 'many' ? '2..64' : rule.inputs
  if (!right) refuse(`node ${name}: number of inputs`, inputs.length, `expected ${wanted}`)
  for (const input of inputs) {
    if (typeof input !== 'string' || !shapes.has(input)) {
      refuse(`node ${name}: input is not defined before it`, input, 'name input, flag or an earlier node')
    }
  }
  return inputs as string[]
}

function readAttributes(
  name: string,
  json: Record<string, unknown>,
  rule: OpRule,
): Map<string, number | number[] | string> {
  const attributes = new Map<string, number | number[] | string>()
  for (const [key, kind] of Object.entries(rule.attributes)) {
    const given = Object.hasOwn(json, key)
    if (!given && 'default' in kind && kind.default !== undefined) {
      attributes.set(key, kind.default)
      continue
    }
    const value = json[key]
    const bad = (wanted: string): never =>
      refuse(`node ${name}: ${given ? 'attribute' : 'missing attribute'} ${key}`, value, `use ${wanted}`)
    if (kind.type === 'choice') {
      attributes.set(key, kind.choices.includes(value as string) ? (value as string) : bad(kind.choices.join(' ')))
    } else if (kind.type === 'integers') {
      const within = (x: unknown) => Number.isInteger(x) && (x as number) >= kind.min && (x as number) <= kind.max
      const right = Array.isArray(value) && value.length > 0 && value.length <= MAX_HOP && value.every(within)
      if (!right || (kind.length !== undefined && (value as number[]).length !== kind.length)) {
        bad(`${kind.length ?? 'some'} whole numbers ${kind.min}..${kind.max}`)
      }
      attributes.set(key, value as number[])
    } else {
      const right = kind.type === 'integer' ? Number.isInteger(value) : Number.isFinite(value)
      if (!right || (value as number) < kind.min || (value as number) > kind.max) {
        bad(`a ${kind.type === 'integer' ? 'whole ' : ''}number ${kind.min}..${kind.max}`)
      }
      attributes.set(key, value as number)
    }
  }
  return attributes
}

function viewOf(name: string, attributes: Map<string, number | number[] | string>): NodeView {
  return {
    number: (key) => attributes.get(key) as number,
    numbers: (key) => attributes.get(key) as number[],
    text: (key) => attributes.get(key) as string,
    refuse: (what, value, remedy) => refuse(`node ${name}: ${what}`, value, remedy),
  }
}

/** Sizes the model file's fields can hold; larger ones would also be no network for a small device. */
function checkSize(name: string, { steps, positions, channels }: Shape): void {
  if (positions > MAX_HOP || channels > MAX_HOP || steps * positions * channels > 2 ** 26) {
    fail('PROGRAM_TOO_LARGE', `node ${name}: shape`, [steps, positions, channels], 'use fewer positions or channels')
  }
}

function bindTensors(name: string, rules: TensorRule[], tensors: Tensors): Map<string, Tensor> {
  const found = new Map<string, Tensor>()
  for (const { name: short, shapes, optional } of rules) {
    const full = `${name}.${short}`
    const tensor = tensors.get(full)
    const wanted = shapes.map((shape) => `(${shape})`).join(' or ')
    if (tensor === undefined) {
      if (!optional) fail('TENSOR_MISSING', `node ${name}: tensor`, full, `add it with shape ${wanted}`)
      continue
    }
    if (!shapes.some((shape) => sameShape(shape, tensor.shape))) {
      fail('TENSOR_SHAPE', `node ${name}: shape of ${full}`, tensor.shape, `expected ${wanted}`)
    }
    const broken = tensor.data.findIndex((x) => !Number.isFinite(x))
    if (broken >= 0)
      fail('TENSOR_VALUE', `node ${name}: ${full} at element ${broken}`, tensor.data[broken], 'train it again')
    found.set(short, tensor)
  }
  return found
}

function checkOutput(nodes: Structure['nodes'], hop: number): void {
  const last = nodes[nodes.length - 1]
  if (last.name !== 'output') refuse('last node', last.name, 'call it output')
  const { steps, positions, channels } = last.shape
  if (steps !== hop || positions !== 1 || channels !== 1) {
    refuse('node output: shape', [steps, positions, channels], `expected (${hop},1,1)`)
  }
}

function checkAllUsed(nodes: Node[], tensors: Tensors): void {
  const used = new Set(nodes.flatMap((node) => [...node.tensors.keys()].map((short) => `${node.name}.${short}`)))
  for (const name of tensors.keys()) {
    if (!used.has(name)) fail('TENSOR_UNEXPECTED', 'tensor belongs to no node', name, 'remove it or mend its name')
  }
}
