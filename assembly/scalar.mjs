// Scalar twin of the SIMD core: rewrites each v128 into four f32 (or i32) locals. One source, so the lane order and the
// bits are those of the SIMD core by construction. In: WebAssembly text in Binaryen's flat form (wasm-opt --flatten:
// operands are local.get or constants, no block yields a value). Out: the same module without a vector instruction;
// an instruction that is not known here stops the build.

import { parse, print, walk } from './text.mjs'

const LANES = [0, 1, 2, 3]
const laneName = (name, lane) => `${name}.${lane}`

const BINARY = {
  'f32x4.add': (a, b) => ['f32.add', a, b],
  'f32x4.sub': (a, b) => ['f32.sub', a, b],
  'f32x4.mul': (a, b) => ['f32.mul', a, b],
  'f32x4.div': (a, b) => ['f32.div', a, b],
  // the operands are locals or constants: naming them twice computes nothing twice
  'f32x4.pmin': (a, b) => ['select', b, a, ['f32.lt', b, a]],
  'f32x4.pmax': (a, b) => ['select', b, a, ['f32.lt', a, b]],
}
const COMPARISONS = { 'f32x4.lt': 'f32.lt', 'f32x4.gt': 'f32.gt', 'f32x4.le': 'f32.le', 'f32x4.ge': 'f32.ge' }
const INTEGER_BINARY = {
  'i32x4.add': 'i32.add',
  'i32x4.sub': 'i32.sub',
  'i32x4.mul': 'i32.mul',
  'v128.and': 'i32.and',
  'v128.or': 'i32.or',
  'v128.xor': 'i32.xor',
}
const UNARY = {
  'f32x4.neg': 'f32.neg',
  'f32x4.abs': 'f32.abs',
  'f32x4.sqrt': 'f32.sqrt',
  'f32x4.nearest': 'f32.nearest',
}
const SHIFTS = { 'i32x4.shl': 'i32.shl', 'i32x4.shr_s': 'i32.shr_s', 'i32x4.shr_u': 'i32.shr_u' }

/** Vectors of eight int16 live as four i32, each a pair: these make the pair of low and high half, and read them. */
const pairOf = (low, high) => [
  'i32.or',
  ['i32.and', low, ['i32.const', '65535']],
  ['i32.shl', high, ['i32.const', '16']],
]
const lowOf = (pair) => ['i32.extend16_s', pair]
const highOf = (pair) => ['i32.shr_s', pair, ['i32.const', '16']]
const HALF_SHIFTS = { 'i16x8.shl': 'i32.shl', 'i16x8.shr_s': 'i32.shr_s' }

/** One int16 of an i32 that may exceed it. */
function saturate(value) {
  const [least, most] = [
    ['i32.const', '-32768'],
    ['i32.const', '32767'],
  ]
  const capped = ['select', most, value, ['i32.gt_s', value, most]]
  return ['select', least, capped, ['i32.lt_s', value, least]]
}

/** Which kind of number an instruction leaves in its lanes; undefined where it only moves bits. */
function resultType(name) {
  if (name in COMPARISONS || name in SHIFTS || name.startsWith('i32x4.') || name.startsWith('i16x8.')) return 'i32'
  if (name === 'v128.load8x8_s' || name === 'v128.load16x4_u') return 'i32'
  return name.startsWith('f32x4.') ? 'f32' : undefined
}

/** One function: its vector locals, and the rewriting of its statements. */
class Scalariser {
  constructor(func) {
    this.func = func
    this.types = new Map()
    for (const [kind, name, type] of func.filter((part) => part[0] === 'local')) {
      if (kind === 'local' && type === 'v128') this.types.set(name, undefined)
    }
    for (const part of func) {
      if (['param', 'result'].includes(part[0]) && part.includes('v128'))
        throw new Error(`function ${func[1]} takes or returns a vector: it was not inlined`)
    }
    this.inferTypes()
  }

  /** A local is of the kind that is written to it; copies pass kinds on; what only moves bits is f32. */
  inferTypes() {
    const copies = []
    walk(this.func, (node) => {
      if (node[0] !== 'local.set' || !this.types.has(node[1])) return
      const value = node[2]
      if (value[0] === 'local.get') copies.push([node[1], value[1]])
      else if (resultType(value[0]) !== undefined)
        this.types.set(node[1], this.types.get(node[1]) ?? resultType(value[0]))
    })
    for (let changed = true; changed; ) {
      changed = false
      for (const [to, from] of copies) {
        if (this.types.get(to) !== undefined || this.types.get(from) === undefined) continue
        this.types.set(to, this.types.get(from))
        changed = true
      }
    }
    for (const [name, type] of this.types) this.types.set(name, type ?? 'f32')
  }

  rewrite() {
    const out = []
    for (const part of this.func) {
      if (part[0] === 'local' && part[2] === 'v128') {
        for (const lane of LANES) out.push(['local', laneName(part[1], lane), this.types.get(part[1])])
      } else if (Array.isArray(part) && !['param', 'result', 'type', 'local', 'export'].includes(part[0])) {
        out.push(...this.statement(part))
      } else out.push(part)
    }
    for (const lane of LANES) out.splice(firstStatement(out), 0, ['local', `$spare.${lane}`, 'f32'])
    return out
  }

  /** A statement becomes as many as it takes. */
  statement(node) {
    if (!Array.isArray(node)) return [node]
    const name = node[0]
    if (name === 'local.set' && this.types.has(node[1])) return this.assign(node[1], node[2])
    if (name === 'drop' && this.isVector(node[1])) return []
    if (name === 'v128.store') return this.store(node)
    if (name === 'v128.store32_lane' || name === 'v128.store64_lane') return this.storeLanes(node)
    return [[name, ...node.slice(1).flatMap((part) => this.part(part))]]
  }

  /** Bodies of blocks hold statements; elsewhere a scalar expression may read a lane. */
  part(node) {
    if (!Array.isArray(node)) return [node]
    if (node[0].endsWith('.extract_lane')) return [this.lane(node[2], Number(node[1]), node[0].slice(0, 3))]
    return this.statement(node)
  }

  isVector(node) {
    return node[0] === 'v128.const' || (node[0] === 'local.get' && this.types.has(node[1]))
  }

  /** One lane of a local or constant as f32 or i32. */
  lane(node, lane, type) {
    if (node[0] === 'v128.const') {
      if (node[1] !== 'i32x4') throw new Error(`constant of shape ${node[1]}`)
      return type === 'i32' ? ['i32.const', node[2 + lane]] : floatConstant(Number(node[2 + lane]))
    }
    const from = this.types.get(node[1])
    return convert(['local.get', laneName(node[1], lane)], from, type)
  }

  assign(target, value) {
    const values = this.lanesOf(value)
    const type = this.types.get(target)
    const set = (lane) => ['local.set', laneName(target, lane), convert(values[lane].value, values[lane].type, type)]
    if (!crossesLanes(value, target)) return LANES.map(set)
    // lanes of the target are read after others of it are written: by way of spare locals
    return [
      ...LANES.map((lane) => ['local.set', `$spare.${lane}`, convert(values[lane].value, values[lane].type, 'f32')]),
      ...LANES.map((lane) => [
        'local.set',
        laneName(target, lane),
        convert(['local.get', `$spare.${lane}`], 'f32', type),
      ]),
    ]
  }

  /** The four lanes of a vector expression: value and type. */
  lanesOf(node) {
    const [name, ...rest] = node
    const f32 = (f) => LANES.map((lane) => ({ value: f(lane), type: 'f32' }))
    const i32 = (f) => LANES.map((lane) => ({ value: f(lane), type: 'i32' }))
    if (name === 'local.get' || name === 'v128.const') {
      const type = name === 'local.get' ? this.types.get(node[1]) : 'f32'
      return LANES.map((lane) => ({ value: this.lane(node, lane, type), type }))
    }
    if (name in BINARY) return f32((l) => BINARY[name](this.lane(rest[0], l, 'f32'), this.lane(rest[1], l, 'f32')))
    if (name in UNARY) return f32((l) => [UNARY[name], this.lane(rest[0], l, 'f32')])
    if (name in COMPARISONS)
      return i32((l) => [
        'i32.sub',
        ['i32.const', '0'],
        [COMPARISONS[name], this.lane(rest[0], l, 'f32'), this.lane(rest[1], l, 'f32')],
      ])
    if (name === 'v128.xor' && signsOnly(rest[1])) {
      return f32((l) => {
        const value = this.lane(rest[0], l, 'f32')
        return Number(rest[1][2 + l]) === 0 ? value : ['f32.neg', value]
      })
    }
    if (name in INTEGER_BINARY)
      return i32((l) => [INTEGER_BINARY[name], this.lane(rest[0], l, 'i32'), this.lane(rest[1], l, 'i32')])
    if (name in SHIFTS) return i32((l) => [SHIFTS[name], this.lane(rest[0], l, 'i32'), rest[1]])
    if (name in HALF_SHIFTS)
      return i32((l) => {
        const pair = this.lane(rest[0], l, 'i32')
        return pairOf([HALF_SHIFTS[name], lowOf(pair), rest[1]], [HALF_SHIFTS[name], highOf(pair), rest[1]])
      })
    if (name === 'i32x4.dot_i16x8_s')
      return i32((l) => {
        const [a, b] = rest.map((operand) => this.lane(operand, l, 'i32'))
        return ['i32.add', ['i32.mul', lowOf(a), lowOf(b)], ['i32.mul', highOf(a), highOf(b)]]
      })
    if (name === 'i16x8.narrow_i32x4_s')
      return i32((l) => {
        const from = rest[l >> 1]
        const [low, high] = [0, 1].map((i) => saturate(this.lane(from, 2 * (l & 1) + i, 'i32')))
        return pairOf(low, high)
      })
    if (name === 'v128.bitselect')
      return i32((l) => {
        const [a, b, mask] = rest.map((operand) => this.lane(operand, l, 'i32'))
        return ['i32.xor', b, ['i32.and', ['i32.xor', a, b], mask]]
      })
    if (name === 'f32x4.convert_i32x4_s') return f32((l) => ['f32.convert_i32_s', this.lane(rest[0], l, 'i32')])
    if (name === 'f32x4.splat') return f32(() => rest[0])
    if (name === 'i32x4.splat') return i32(() => rest[0])
    if (name === 'i8x16.shuffle') return f32((l) => this.shuffled(rest, l))
    if (name === 'select')
      return f32((l) => ['select', this.lane(rest.at(-3), l, 'f32'), this.lane(rest.at(-2), l, 'f32'), rest.at(-1)])
    if (name.startsWith('v128.load')) return this.load(name, rest)
    throw new Error(`no scalar form of ${name}`)
  }

  shuffled(rest, lane) {
    const bytes = rest.slice(4 * lane, 4 * lane + 4).map(Number)
    const from = bytes[0] >> 2
    if (bytes.some((byte, i) => byte !== 4 * from + i)) throw new Error(`shuffle of bytes ${bytes}`)
    return this.lane(from < 4 ? rest[16] : rest[17], from & 3, 'f32')
  }

  load(name, rest) {
    const { offset, operands } = memoryOperands(rest)
    const at = (word) => ({
      value: ['f32.load', `offset=${offset + 4 * word}`, 'align=4', operands.at(-1)],
      type: 'f32',
    })
    const none = { value: ['f32.const', '0'], type: 'f32' }
    if (name === 'v128.load') return LANES.map(at)
    if (name === 'v128.load32_splat') return LANES.map(() => at(0))
    if (name === 'v128.load8x8_s' || name === 'v128.load16x4_u') return this.loadWide(name, offset, operands.at(-1))
    if (name === 'v128.load64_splat') return LANES.map((lane) => at(lane & 1))
    if (name === 'v128.load32_zero') return LANES.map((lane) => (lane < 1 ? at(lane) : none))
    if (name === 'v128.load64_zero') return LANES.map((lane) => (lane < 2 ? at(lane) : none))
    if (name === 'v128.load32_lane' || name === 'v128.load64_lane') {
      const words = name === 'v128.load32_lane' ? 1 : 2
      const [index, address, vector] = operands
      const first = Number(index) * words
      return LANES.map((lane) => {
        if (lane < first || lane >= first + words) return { value: this.lane(vector, lane, 'f32'), type: 'f32' }
        return { value: ['f32.load', `offset=${offset + 4 * (lane - first)}`, 'align=4', address], type: 'f32' }
      })
    }
    throw new Error(`no scalar form of ${name}`)
  }

  loadWide(name, offset, address) {
    const part = (instruction, at) => [instruction, `offset=${offset + at}`, 'align=1', address]
    return LANES.map((lane) => {
      const value =
        name === 'v128.load16x4_u'
          ? part('i32.load16_u', 2 * lane)
          : pairOf(part('i32.load8_s', 2 * lane), part('i32.load8_s', 2 * lane + 1))
      return { value, type: 'i32' }
    })
  }

  store(node) {
    const { offset, operands } = memoryOperands(node.slice(1))
    return LANES.map((lane) => storeFloat(offset + 4 * lane, operands[0], this.lane(operands[1], lane, 'f32')))
  }

  storeLanes(node) {
    const { offset, operands } = memoryOperands(node.slice(1))
    const words = node[0] === 'v128.store32_lane' ? 1 : 2
    const [index, address, vector] = operands
    return LANES.slice(0, words).map((i) =>
      storeFloat(offset + 4 * i, address, this.lane(vector, Number(index) * words + i, 'f32')),
    )
  }
}

function storeFloat(offset, address, value) {
  return ['f32.store', `offset=${offset}`, 'align=4', address, value]
}

function memoryOperands(rest) {
  const words = rest.filter((part) => !Array.isArray(part) && part.includes('='))
  const offset = words.find((word) => word.startsWith('offset='))
  return { offset: Number(offset?.slice(7) ?? 0), operands: rest.filter((part) => !words.includes(part)) }
}

function convert(value, from, to) {
  if (from === to) return value
  return [to === 'f32' ? 'f32.reinterpret_i32' : 'i32.reinterpret_f32', value]
}

/** By its bits, so that any float survives the text. */
function floatConstant(bits) {
  return ['f32.reinterpret_i32', ['i32.const', `${bits | 0}`]]
}

/** Is this constant made of sign bits alone? */
function signsOnly(node) {
  return (
    node[0] === 'v128.const' && node[1] === 'i32x4' && node.slice(2).every((word) => (Number(word) & 0x7fffffff) === 0)
  )
}

/** May a lane of the target be needed after another of it is written? */
function crossesLanes(value, target) {
  const crosses = value[0] === 'i8x16.shuffle' || value[0] === 'i16x8.narrow_i32x4_s'
  return crosses && value.slice(1).some((operand) => operand[1] === target)
}

function firstStatement(func) {
  const at = func.findIndex(
    (part, i) => i > 0 && Array.isArray(part) && !['param', 'result', 'type', 'local', 'export'].includes(part[0]),
  )
  return at < 0 ? func.length : at
}

/** @param {string} text flat WebAssembly text @returns {string} the same without vectors */
export function scalarise(text) {
  const module = parse(text)
  const scalar = module.map((part) => (part[0] === 'func' ? new Scalariser(part).rewrite() : part))
  const printed = print(scalar)
  const left = printed.match(/\((?:v128|[fi]\d+x\d+)\.[a-z0-9_]+/)
  if (left) throw new Error(`vector instruction left: ${left[0]}`)
  return printed
}
