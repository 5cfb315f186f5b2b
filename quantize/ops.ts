// The ops of CHECKPOINT.md as a table: for each its inputs, attributes, result shape and tensors. In: a parsed node and
// the shapes (steps, positions, channels) of its inputs. Out: the shape of its result and the tensors it must have.
// A rule that does not hold is reported through `node.refuse`, which names the node.

export interface Shape {
  readonly steps: number
  readonly positions: number
  readonly channels: number
}

export interface TensorRule {
  readonly name: string
  /** Allowed shapes; a node's other tensors may depend on which one is found. */
  readonly shapes: number[][]
  readonly optional?: boolean
}

/** What an op rule sees of its node: attributes already checked for type and range, defaults filled in. */
export interface NodeView {
  number(attribute: string): number
  numbers(attribute: string): number[]
  text(attribute: string): string
  refuse(what: string, value: unknown, remedy: string): never
}

type Attribute =
  | { type: 'integer'; min: number; max: number; default?: number }
  | { type: 'real'; min: number; max: number; default?: number }
  | { type: 'integers'; min: number; max: number; length?: number; default?: number[] }
  | { type: 'choice'; choices: readonly string[] }

export interface OpRule {
  readonly inputs: number | 'many'
  readonly attributes: Record<string, Attribute>
  shape(node: NodeView, inputs: Shape[], outputHop: number): Shape
  tensors?(node: NodeView, inputs: Shape[]): TensorRule[]
}

/** Positions and channels are 16-bit fields of the model file. */
const MAX_SIZE = 65535
const MAX_STEPS = 65535
const ACTIVATIONS = ['silu', 'relu', 'sigmoid', 'tanh', 'prelu'] as const

const size = (fallback?: number): Attribute => integer(1, MAX_SIZE, fallback)

function integer(min: number, max: number, fallback?: number): Attribute {
  return { type: 'integer', min, max, ...(fallback === undefined ? {} : { default: fallback }) }
}

function real(min: number, max: number, fallback?: number): Attribute {
  return { type: 'real', min, max, ...(fallback === undefined ? {} : { default: fallback }) }
}

const same = (_: NodeView, [x]: Shape[]): Shape => x
const only = (name: string, ...shapes: number[][]): TensorRule => ({ name, shapes })
const maybe = (name: string, ...shapes: number[][]): TensorRule => ({ name, shapes, optional: true })

export const OPS: Record<string, OpRule> = {
  reshape: {
    inputs: 1,
    attributes: { shape: { type: 'integers', min: 1, max: MAX_SIZE, length: 3 } },
    shape: (node, [x]) => {
      const [steps, positions, channels] = node.numbers('shape')
      const count = steps * positions * channels
      const held = x.steps * x.positions * x.channels
      if (count !== held)
        node.refuse(`shape holds ${count} numbers`, `input ${list(x)} holds ${held}`, 'make them equal')
      return { steps, positions, channels }
    },
  },
  linear: {
    inputs: 1,
    attributes: { channels: size() },
    shape: (node, [x]) => ({ ...x, channels: node.number('channels') }),
    tensors: (node, [x]) => {
      const d = node.number('channels')
      return [only('weight', [d, x.channels]), maybe('bias', [d])]
    },
  },
  bandconv: {
    inputs: 1,
    attributes: {
      channels: size(),
      taps: integer(1, 255),
      stride: integer(1, 255, 1),
      pad: { type: 'integers', min: 0, max: 255, length: 2, default: [0, 0] },
    },
    shape: (node, [x]) => {
      const [left, right] = node.numbers('pad')
      const room = x.positions + left + right - node.number('taps')
      if (room < 0) node.refuse('taps exceed the padded positions', node.number('taps'), 'pad more or use fewer taps')
      return { ...x, positions: Math.floor(room / node.number('stride')) + 1, channels: node.number('channels') }
    },
    tensors: (node, [x]) => {
      const d = node.number('channels')
      return [only('weight', [d, node.number('taps'), x.channels]), maybe('bias', [d])]
    },
  },
  mix: {
    inputs: 1,
    attributes: { positions: size(), groups: size(1) },
    shape: (node, [x]) => {
      const groups = node.number('groups')
      if (x.channels % groups)
        node.refuse('groups do not divide the channels', groups, `use a divisor of ${x.channels}`)
      return { ...x, positions: node.number('positions') }
    },
    tensors: (node, [x]) => {
      const q = node.number('positions')
      return [only('weight', [node.number('groups'), q, x.positions]), maybe('bias', [q])]
    },
  },
  conv: {
    inputs: 1,
    attributes: { taps: integer(1, 255), lookahead: integer(0, 4096, 0), bands: integer(1, 255, 1) },
    shape: (node, [x]) => {
      if (node.number('bands') % 2 === 0) node.refuse('bands is even', node.number('bands'), 'use an odd number')
      return x
    },
    tensors: (node, [x]) => [
      only('weight', [node.number('taps'), node.number('bands'), x.channels]),
      maybe('bias', [x.channels]),
    ],
  },
  ssm: {
    inputs: 1,
    attributes: { channels: size(), order: size() },
    shape: (node, [x]) => ({ ...x, channels: node.number('channels') }),
    tensors: (node, [x]) => {
      const d = node.number('channels')
      const n = node.number('order')
      const c = x.channels
      return [
        only('log_dt', [n]),
        only('A', [n, 2]),
        only('B', [n, c], [n, c, 2]),
        only('C', [d, n], [d, n, 2]),
        // a diagonal D needs as many outputs as inputs
        maybe('D', ...(d === c ? [[d], [d, c]] : [[d, c]])),
      ]
    },
  },
  norm: {
    inputs: 1,
    attributes: { eps: real(1e-30, 1e6, 1e-5) },
    shape: same,
    tensors: (_, [x]) => [only('weight', [x.channels]), only('bias', [x.channels])],
  },
  affine: {
    inputs: 1,
    attributes: {},
    shape: same,
    tensors: (_, [x]) => {
      const shapes = [[x.channels], [x.positions, x.channels]]
      return [only('weight', ...shapes), maybe('bias', ...shapes)]
    },
  },
  act: {
    inputs: 1,
    attributes: { kind: { type: 'choice', choices: ACTIVATIONS } },
    shape: same,
    tensors: (node, [x]) => (node.text('kind') === 'prelu' ? [only('weight', [x.channels])] : []),
  },
  glu: {
    inputs: 1,
    attributes: {},
    shape: (node, [x]) => {
      if (x.channels % 2) node.refuse('channels are odd', x.channels, 'give it an even number')
      return { ...x, channels: x.channels / 2 }
    },
  },
  add: {
    inputs: 2,
    attributes: {},
    shape: equal,
    tensors: (_, [x]) => [maybe('gain', [], [x.channels])],
  },
  mul: { inputs: 2, attributes: {}, shape: equal },
  slice: {
    inputs: 1,
    attributes: { from: integer(0, MAX_SIZE), to: integer(1, MAX_SIZE) },
    shape: (node, [x]) => {
      const from = node.number('from')
      const to = node.number('to')
      if (from >= to || to > x.channels)
        node.refuse('slice is empty or too wide', `${from}..${to} of ${x.channels}`, 'mend it')
      return { ...x, channels: to - from }
    },
  },
  concat: {
    inputs: 'many',
    attributes: {},
    shape: (node, inputs) => {
      const [x] = inputs
      const other = inputs.find((y) => y.steps !== x.steps || y.positions !== x.positions)
      if (other)
        node.refuse('steps and positions of the inputs differ', `${list(x)} and ${list(other)}`, 'make them equal')
      return { ...x, channels: inputs.reduce((sum, y) => sum + y.channels, 0) }
    },
  },
  gather: {
    inputs: 1,
    attributes: { index: { type: 'integers', min: -1, max: MAX_SIZE } },
    shape: (node, [x]) => {
      const index = node.numbers('index')
      const wrong = index.find((p) => p >= x.positions)
      if (wrong !== undefined) node.refuse(`index beyond ${x.positions} positions`, wrong, 'use -1 .. positions - 1')
      return { ...x, positions: index.length }
    },
  },
  frame: {
    inputs: 1,
    attributes: { length: size(), stride: integer(1, MAX_STEPS, 0) },
    shape: (node, [x]) => {
      needSamples(node, x)
      const stride = node.number('stride') || x.steps
      if (x.steps % stride) node.refuse('stride does not divide the steps', stride, `use a divisor of ${x.steps}`)
      const length = node.number('length')
      if (length < stride) node.refuse('length is shorter than the stride', length, `use at least ${stride}`)
      return { steps: x.steps / stride, positions: 1, channels: length }
    },
  },
  rfft: {
    inputs: 1,
    attributes: {},
    shape: (node, [x]) => {
      if (x.positions !== 1) node.refuse('input has several positions', list(x), 'give it (steps, 1, n)')
      needTransformSize(node, x.channels)
      return { steps: x.steps, positions: x.channels / 2 + 1, channels: 2 }
    },
    tensors: (_, [x]) => [only('window', [x.channels])],
  },
  irfft: {
    inputs: 1,
    attributes: { length: size() },
    shape: (node, [x]) => {
      needComplex(node, x)
      const n = 2 * (x.positions - 1)
      needTransformSize(node, n)
      const length = node.number('length')
      if (length > n) node.refuse('length exceeds the transform', length, `use at most ${n}`)
      return { steps: x.steps, positions: 1, channels: length }
    },
    tensors: (node) => [only('window', [node.number('length')])],
  },
  overlap: {
    inputs: 1,
    attributes: { stride: integer(1, MAX_STEPS, 0) },
    shape: (node, [x], outputHop) => {
      if (x.positions !== 1) node.refuse('input has several positions', list(x), 'give it (steps, 1, m)')
      const stride = node.number('stride') || outputHop / x.steps
      if (!Number.isInteger(stride)) node.refuse('steps do not divide the output hop', x.steps, 'state a stride')
      if (x.channels < stride) node.refuse('frames are shorter than the stride', x.channels, `use at least ${stride}`)
      return { steps: x.steps * stride, positions: 1, channels: 1 }
    },
  },
  logpower: {
    inputs: 1,
    attributes: { eps: real(1e-30, 1e6) },
    shape: (node, [x]) => {
      needComplex(node, x)
      return { ...x, channels: 1 }
    },
  },
  compress: {
    inputs: 1,
    attributes: { exponent: real(-4, 4), eps: real(1e-30, 1e6) },
    shape: (node, [x]) => {
      needComplex(node, x)
      return x
    },
  },
  filter: {
    inputs: 2,
    attributes: { taps: integer(1, 255, 1) },
    shape: (node, [spectrum, coefficients]) => {
      needComplex(node, spectrum)
      const wanted = { ...spectrum, channels: 2 * node.number('taps') }
      if (list(coefficients) !== list(wanted)) {
        node.refuse('coefficients have the wrong shape', list(coefficients), `expected ${list(wanted)}`)
      }
      return spectrum
    },
  },
}

function list(shape: Shape): string {
  return `(${shape.steps},${shape.positions},${shape.channels})`
}

function equal(node: NodeView, [a, b]: Shape[]): Shape {
  if (list(a) !== list(b)) node.refuse('inputs differ in shape', `${list(a)} and ${list(b)}`, 'make them equal')
  return a
}

function needSamples(node: NodeView, x: Shape): void {
  if (x.positions !== 1 || x.channels !== 1)
    node.refuse('input is no stream of samples', list(x), 'give it (steps, 1, 1)')
}

function needComplex(node: NodeView, x: Shape): void {
  if (x.channels !== 2) node.refuse('input is no spectrum', list(x), 'give it (steps, positions, 2)')
}

function needTransformSize(node: NodeView, n: number): void {
  if (n < 16 || n > 4096 || (n & (n - 1)) !== 0) node.refuse('transform size', n, 'use a power of two, 16..4096')
}
