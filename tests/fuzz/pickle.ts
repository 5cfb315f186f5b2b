// Pickles with one thing or more wrong: ops dropped, doubled, moved, from elsewhere, with other numbers, nested or
// repeated thousands of times. In: random numbers. Out: a .pt with sound checksums around the pickle, so that what is
// wrong reaches quantize/pickle.ts and pytorch.ts.

import { readPickle, type Value } from '../../quantize/pickle.ts'
import { readPytorch } from '../../quantize/pytorch.ts'
import {
  archiveOf,
  ascii,
  BUILD,
  EMPTY_DICT,
  EMPTY_TUPLE,
  floats,
  global,
  int,
  MARK,
  ordered,
  PERSISTENT_ID,
  REDUCE,
  SETITEM,
  SETITEMS,
  tuple,
  u32,
  unicode,
} from '../../quantize/specimens.pytorch.ts'
import type { Random } from '../../quantize/specimens.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, damage, disturb, drawSize, happens } from './mutation.ts'

type Op = number[]

export const pickle: Target = {
  name: 'pickle',
  codes: ['ZIP_INVALID', 'PICKLE_INVALID', 'PICKLE_REFUSED'],
  draw(random) {
    const ops = drawStateDict(random)
    for (let n = below(random, 5); n > 0 && ops.length > 0; n--) choose(random, MUTATIONS)(random, ops)
    const text = Uint8Array.from([0x80, 2, ...ops.flat(), 0x2e])
    const data = happens(random, 0.25) ? damage(random, text) : text
    return archiveOf({
      'a/data.pkl': data,
      'a/data/0': floats(new Float32Array(24)),
      'a/data/1': new Uint8Array(16),
      ...(happens(random, 0.9) ? { 'a/byteorder': Uint8Array.from(ascii('little')) } : {}),
    })
  },
  parse(bytes) {
    const tensors = [...readPytorch(bytes).values()]
    for (const { shape, data } of tensors)
      promise(data.length === shape.reduce((product, size) => product * size, 1), 'as many numbers as the shape says')
    const held = tensors.reduce((sum, { data }) => sum + data.length, 0)
    promise(held <= bytes.length, `no more numbers than bytes: ${held} of ${bytes.length}`)
  },
}

/** The pickle on its own, without archive and storages. */
export const barePickle: Target = {
  name: 'pickle-bare',
  codes: ['PICKLE_INVALID', 'PICKLE_REFUSED'],
  draw(random) {
    const ops = happens(random, 0.5) ? drawStateDict(random) : drawOps(random, drawSize(random, 300))
    for (let n = below(random, 5); n > 0 && ops.length > 0; n--) choose(random, MUTATIONS)(random, ops)
    const text = Uint8Array.from([0x80, 2, ...ops.flat(), 0x2e])
    return happens(random, 0.25) ? damage(random, text) : text
  },
  parse(bytes) {
    promise(isPlain(readPickle(bytes)), 'the result is a plain value')
  },
}

/** No value has a life of its own: nothing in it can be called, whatever the pickle said. */
function isPlain(value: Value): boolean {
  return value === null || ['boolean', 'number', 'string', 'object'].includes(typeof value)
}

function drawStateDict(random: Random): Op[] {
  const ops: Op[] = [global('collections', 'OrderedDict'), EMPTY_TUPLE, REDUCE, MARK]
  for (let n = below(random, 4); n >= 0; n--) ops.push(unicode(`w${n}`), ...drawTensor(random))
  ops.push(SETITEMS)
  if (happens(random, 0.3)) ops.push(EMPTY_DICT, unicode('_metadata'), ordered, SETITEM, BUILD)
  if (happens(random, 0.2)) return [EMPTY_DICT, unicode('state_dict'), ...ops, SETITEM]
  return ops
}

/** Parts of one tensor as ops of their own, so that each can be damaged. */
function drawTensor(random: Random): Op[] {
  const isDouble = happens(random, 0.3)
  const count = isDouble ? 2 : 24
  const shape = choose(random, isDouble ? [[2], [1, 2], []] : [[24], [4, 6], [2, 3, 4], [1, 24], [3]])
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  return [
    global('torch._utils', '_rebuild_tensor_v2'),
    MARK,
    MARK,
    unicode('storage'),
    global('torch', isDouble ? 'DoubleStorage' : 'FloatStorage'),
    unicode(isDouble ? '1' : '0'),
    unicode('cpu'),
    int(count),
    [0x74],
    PERSISTENT_ID,
    int(0),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    [0x89],
    ordered,
    [0x74],
    REDUCE,
  ]
}

const GLOBALS: readonly (readonly [string, string])[] = [
  ['os', 'system'],
  ['builtins', 'eval'],
  ['__builtin__', 'getattr'],
  ['torch', 'load'],
  ['torch', 'FloatStorage'],
  ['torch', 'HalfStorage'],
  ['torch', 'LongStorage'],
  ['torch._utils', '_rebuild_tensor_v2'],
  ['torch._utils', '_rebuild_parameter'],
  ['collections', 'OrderedDict'],
  ['', ''],
  ['torch FloatStorage\nc', 'x'],
]

/** One op of any kind, with some argument. */
function drawOp(random: Random): Op {
  const size = drawSize(random, 400)
  return choose(random, [
    () => MARK,
    () => EMPTY_TUPLE,
    () => EMPTY_DICT,
    () => [0x5d], // EMPTY_LIST
    () => [choose(random, [0x74, 0x85, 0x86, 0x87])], // tuples
    () => [choose(random, [0x4e, 0x88, 0x89])], // None, True, False
    () => [choose(random, [0x61, 0x65, 0x73, 0x75])], // items
    () => [choose(random, [0x51, 0x52, 0x62])],
    () => [choose(random, [0x68, 0x71]), below(random, 6)], // memo
    () => [choose(random, [0x6a, 0x72]), ...u32(happens(random, 0.8) ? below(random, 6) : below(random, 2 ** 32))],
    () => int(happens(random, 0.8) ? below(random, 30) : below(random, 2 ** 32)),
    () => [0x4b, below(random, 256)],
    () => [0x4d, below(random, 256), below(random, 256)],
    () => [0x47, ...Array.from({ length: 8 }, () => below(random, 256))],
    () => [0x8a, below(random, 12), ...Array.from({ length: 8 }, () => below(random, 256))],
    () => unicode('w'.repeat(Math.max(0, size))),
    () => [0x58, ...u32(disturb(random, size)), ...ascii('short')],
    () => global(...choose(random, GLOBALS)),
    () => [below(random, 256)],
  ] as const)()
}

function drawOps(random: Random, count: number): Op[] {
  return Array.from({ length: Math.max(0, count) }, () => drawOp(random))
}

/** Of a passage: what a generator makes must not be what fills the memory. */
const MAX_REPEATED_BYTES = 200_000

type Mutation = (random: Random, ops: Op[]) => void

const MUTATIONS: readonly Mutation[] = [
  (random, ops) => void ops.splice(below(random, ops.length + 1), 0, ...drawOps(random, 1 + below(random, 4))),
  (random, ops) => void ops.splice(below(random, ops.length + 1), 1 + below(random, 3)),
  (random, ops) => {
    ops[below(random, ops.length)] = drawOp(random)
  },
  (random, ops) => {
    const [i, j] = [below(random, ops.length), below(random, ops.length)]
    ;[ops[i], ops[j]] = [ops[j], ops[i]]
  },
  // a passage again, seldom many times
  (random, ops) => {
    const from = below(random, ops.length)
    const part = ops.slice(from, from + 1 + below(random, 6))
    const times = happens(random, 0.2) ? drawSize(random, 5000) : below(random, 4)
    const room = Math.floor(MAX_REPEATED_BYTES / Math.max(1, part.flat().length))
    ops.splice(from, 0, ...Array.from({ length: Math.max(0, Math.min(times, room)) }, () => part).flat())
  },
  // another number in a place that had one
  (random, ops) => {
    const places = ops.flatMap((op, i) => (op.length === 5 && op[0] === 0x4a ? [i] : []))
    if (places.length > 0) ops[choose(random, places)] = int(choose(random, [-1, 0, 1, 25, 2 ** 31 - 1, -(2 ** 31)]))
  },
  // nests: tuples of tuples, lists in lists, marks, memos that double
  (random, ops) => {
    const depth = Math.max(0, drawSize(random, 20_000))
    const way = below(random, 4)
    const at = below(random, ops.length + 1)
    if (way === 0) ops.splice(at, 0, [0x5d, ...new Array(depth).fill(0x85)])
    else if (way === 1) ops.splice(at, 0, new Array(depth).fill(0x5d), new Array(depth).fill(0x61))
    else if (way === 2) ops.splice(at, 0, new Array(depth).fill(0x28))
    else
      ops.splice(
        at,
        0,
        [0x5d],
        ...Array.from({ length: Math.min(depth, 200) }, (_, i) => [0x71, i & 255, 0x68, i & 255, 0x86]),
      )
  },
  // a value that contains itself
  (random, ops) => {
    ops.splice(
      below(random, ops.length + 1),
      0,
      choose(random, [
        [0x5d, 0x71, 0, 0x68, 0, 0x61],
        [0x7d, 0x71, 0, ...unicode('state_dict'), 0x68, 0, 0x73],
        [0x7d, 0x71, 0, 0x68, 0, 0x4e, 0x73],
      ]),
    )
  },
]
