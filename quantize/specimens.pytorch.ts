// PyTorch archives for tests, written byte by byte as torch.save writes them: opcodes of a protocol 2 pickle, a zip of
// stored entries, and the state dict of the reference code for a small network. In: tensors, or ops. Out: bytes.

import { checksum } from './archive.ts'
import { describeNetwork, type NetworkSizes } from './attenuate.ts'
import { fillNetwork } from './specimens.ts'
import { countElements, type Tensors } from './tensor.ts'

export const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0))
export const u16 = (n: number) => [n & 255, (n >>> 8) & 255]
export const u32 = (n: number) => [...u16(n & 0xffff), ...u16(n >>> 16)]

// --- opcodes ---

export const MARK = [0x28]
export const EMPTY_DICT = [0x7d]
export const EMPTY_TUPLE = [0x29]
export const SETITEM = [0x73]
export const SETITEMS = [0x75]
export const PERSISTENT_ID = [0x51]
export const REDUCE = [0x52]
export const BUILD = [0x62]
export const unicode = (text: string) => [0x58, ...u32(text.length), ...ascii(text)]
export const int = (n: number) => [0x4a, ...u32(n)]
export const tuple = (...items: number[][]) => [...MARK, ...items.flat(), 0x74]
export const global = (module: string, name: string) => ascii(`c${module}\n${name}\n`)
export const ordered = [...global('collections', 'OrderedDict'), ...EMPTY_TUPLE, ...REDUCE]
export const pickle = (...ops: number[][]) => Uint8Array.from([0x80, 2, ...ops.flat(), 0x2e])

/** One tensor as a list of ops: storage, offset, sizes, strides. */
export function tensorOps(
  key: string,
  count: number,
  shape: readonly number[],
  strides: readonly number[],
  type = 'FloatStorage',
  offset = 0,
): number[] {
  const storage = tuple(unicode('storage'), global('torch', type), unicode(key), unicode('cpu'), int(count))
  return [
    ...global('torch._utils', '_rebuild_tensor_v2'),
    ...tuple(
      [...storage, ...PERSISTENT_ID],
      int(offset),
      tuple(...shape.map(int)),
      tuple(...strides.map(int)),
      [0x89], // no gradient
      ordered,
    ),
    ...REDUCE,
  ]
}

// --- archive ---

/** A zip of entries in the given order; `method` 0 says they are stored. */
export function archiveOf(entries: Record<string, Uint8Array>, method = 0): Uint8Array {
  const body: number[] = []
  const directory: number[] = []
  for (const [name, data] of Object.entries(entries)) {
    const common = [
      ...u16(0x800),
      ...u16(method),
      ...u32(0),
      ...u32(checksum(data)),
      ...u32(data.length),
      ...u32(data.length),
    ]
    directory.push(
      ...ascii('PK\x01\x02'),
      ...u16(20),
      ...u16(20),
      ...common,
      ...u16(name.length),
      ...new Array(12).fill(0),
      ...u32(body.length),
      ...ascii(name),
    )
    body.push(...ascii('PK\x03\x04'), ...u16(20), ...common, ...u16(name.length), ...u16(0), ...ascii(name))
    for (const byte of data) body.push(byte)
  }
  const count = Object.keys(entries).length
  const end = [
    ...ascii('PK\x05\x06'),
    ...u32(0),
    ...u16(count),
    ...u16(count),
    ...u32(directory.length),
    ...u32(body.length),
    ...u16(0),
  ]
  return Uint8Array.from([...body, ...directory, ...end])
}

export function floats(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}

/** A .pt of a state dict, each tensor with a storage of its own. */
export function torchSave(state: Tensors): Uint8Array {
  const entries: Record<string, Uint8Array> = {}
  const items: number[] = []
  for (const [i, [name, { shape, data }]] of [...state].entries()) {
    const strides = shape.map((_, axis) => countElements(shape.slice(axis + 1)))
    items.push(...unicode(name), ...tensorOps(String(i), data.length, shape, strides))
    entries[`a/data/${i}`] = floats(data)
  }
  return archiveOf({
    'a/data.pkl': pickle(ordered, MARK, items, SETITEMS),
    'a/byteorder': Uint8Array.from(ascii('little')),
    ...entries,
  })
}

// --- state dict ---

export const SMALL: NetworkSizes = { channels: [3, 4], factors: [4, 2], order: 5 }

/** The reference code's state dict of a network of two levels: the inverse of the conversion, written out by index. */
export function referenceState(sizes = SMALL, seed = 3): { state: Tensors; expected: Tensors } {
  const { tensors } = fillNetwork(describeNetwork([], sizes), seed, true)
  for (const [name, { shape }] of [...tensors]) {
    if (name.endsWith('_pre.weight'))
      tensors.set(name.replace('weight', 'bias'), { shape: [shape[2]], data: new Float64Array(shape[2]).fill(0.25) })
  }
  const state: Tensors = new Map()
  const widths = [1, ...sizes.channels]
  const neck = widths[widths.length - 1]
  const put = (key: string, shape: number[], at: (i: number, j: number, k: number) => number) => {
    const data: number[] = []
    for (let i = 0; i < shape[0]; i++)
      for (let j = 0; j < shape[1]; j++) for (let k = 0; k < shape[2]; k++) data.push(at(i, j, k))
    state.set(key, { shape, data: Float64Array.from(data) })
  }
  const block = (node: string, prefix: string, width: number) => {
    for (const name of ['log_dt', 'A', 'B', 'C'])
      state.set(`${prefix}.${width > 1 ? 1 : 0}.${name}`, tensors.get(`${node}_ssm.${name}`)!)
    if (width === 1) return
    const pre = tensors.get(`${node}_pre.weight`)!.data
    put(`${prefix}.0.weight`, [width, 1, 3], (c, _, k) => pre[k * width + c])
    state.set(`${prefix}.0.bias`, tensors.get(`${node}_pre.bias`)!)
    for (const name of ['weight', 'bias'])
      state.set(`${prefix}.2.layer_norm.${name}`, tensors.get(`${node}_norm.${name}`)!)
  }
  for (const i of sizes.factors.keys()) {
    const [c, d, r] = [widths[i], widths[i + 1], sizes.factors[i]]
    const patch = tensors.get(`down${i}_patch.weight`)!.data // (d, r*c)
    const unpatch = tensors.get(`up${i}_unpatch.weight`)!.data // (r*c, d)
    block(`down${i}`, `down_ssms.${i}.0`, c)
    put(`down_ssms.${i}.1.weight`, [c, d, r], (a, b, k) => patch[b * r * c + k * c + a])
    put(`up_ssms.${i}.0.weight`, [d, c, r], (a, b, k) => unpatch[(k * c + b) * d + a])
    block(`up${i}`, `up_ssms.${i}.1`, c)
  }
  for (const i of [0, 1]) {
    block(`neck${i}`, `hid_ssms.${i}`, neck)
    block(`last${i}`, `last_ssms.${i}`, 1)
  }
  return { state, expected: tensors }
}
