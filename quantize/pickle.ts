// A restricted unpickler: protocol 2 as torch.save writes it, able to build numbers, strings, lists, dictionaries and
// descriptions of tensors, and nothing else. In: untrusted bytes. Out: plain values. Nothing named in the file is ever
// looked up or called: the few globals below are recognised by name, all others are refused.

import { fail } from './errors.ts'
import { decodeUtf8 } from './text.ts'

class Global {
  constructor(readonly name: string) {}
}

/** Elements of one file of the archive. */
export class Storage {
  constructor(
    readonly type: string,
    readonly key: string,
    readonly count: number,
  ) {}
}

/** A view of a storage: offset, sizes and strides in elements. */
export class TensorView {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly sizes: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

export type Value =
  | null
  | boolean
  | number
  | string
  | Value[]
  | Map<string | number, Value>
  | Global
  | Storage
  | TensorView

const STORAGES = ['FloatStorage', 'DoubleStorage', 'HalfStorage', 'BFloat16Storage', 'LongStorage', 'IntStorage']
const ALLOWED = new Set([
  'collections OrderedDict',
  'torch._utils _rebuild_tensor_v2',
  'torch._utils _rebuild_parameter',
  ...STORAGES.map((type) => `torch ${type}`),
])
const MAX_STACK = 1 << 16
/** A state dict needs about 200 bytes and 50 ops per tensor. One byte can make an empty dictionary of some 200. */
const MAX_BYTES = 1 << 24
const MAX_STEPS = 1 << 19
const MAX_DIMENSIONS = 8

export function readPickle(bytes: Uint8Array): Value {
  if (bytes.length > MAX_BYTES) broken(`pickle larger than ${MAX_BYTES} bytes`, `${bytes.length} bytes`)
  return new Unpickler(bytes).run()
}

class Unpickler {
  private at = 0
  private readonly view: DataView
  private stack: Value[] = []
  /** Stack heights at open MARKs. */
  private readonly marks: number[] = []
  private readonly memo = new Map<number, Value>()

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): Value {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const opcode = this.byte()
      if (opcode === STOP) return this.finish()
      const step = STEPS[opcode]
      if (!step) {
        fail(
          'PICKLE_REFUSED',
          `opcode at byte ${this.at - 1}`,
          `0x${opcode.toString(16)}`,
          'save plain tensors with torch.save',
        )
      }
      step(this)
      if (this.stack.length > MAX_STACK) broken('stack grows too deep', this.stack.length)
    }
    return broken('too many ops', `more than ${MAX_STEPS}`)
  }

  private finish(): Value {
    if (this.stack.length !== 1 || this.marks.length !== 0) broken('values left at the end', this.stack.length)
    return this.stack[0]
  }

  // --- input ---

  take(count: number): number {
    const from = this.at
    if (count > this.bytes.length - from) broken('file ends inside a value', `byte ${from}`)
    this.at += count
    return from
  }

  byte(): number {
    return this.bytes[this.take(1)]
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true)
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true)
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true)
  }

  f64(): number {
    return this.view.getFloat64(this.take(8))
  }

  text(count: number): string {
    const from = this.take(count)
    return decodeUtf8(this.bytes.subarray(from, from + count)) ?? broken('a string is not UTF-8', `byte ${from}`)
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at)
    if (end < 0) broken('file ends inside a line', `byte ${this.at}`)
    const text = this.text(end - this.at)
    this.at++
    return text
  }

  /** A little-endian two's complement number; beyond 2^53 nothing sensible could follow. */
  long(): number {
    const count = this.byte()
    if (count > 7) broken('a whole number is too large', `${count} bytes`)
    let value = 0
    const from = this.take(count)
    for (let i = count - 1; i >= 0; i--) value = value * 256 + this.bytes[from + i]
    const size = 256 ** count
    return count > 0 && value >= size / 2 ? value - size : value
  }

  // --- stack and memo ---

  push(value: Value): void {
    this.stack.push(value)
  }

  pop(): Value {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) broken('stack runs empty', `byte ${this.at}`)
    return this.stack.pop()!
  }

  popMany(count: number): Value[] {
    return Array.from({ length: count }, () => this.pop()).reverse()
  }

  mark(): void {
    this.marks.push(this.stack.length)
  }

  popToMark(): Value[] {
    const height = this.marks.pop()
    if (height === undefined) broken('no mark to return to', `byte ${this.at}`)
    return this.stack.splice(height!)
  }

  store(index: number): void {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) broken('nothing to remember', `byte ${this.at}`)
    this.memo.set(index, this.stack[this.stack.length - 1])
  }

  recall(index: number): void {
    const value = this.memo.get(index)
    if (value === undefined) broken('nothing remembered under', index)
    this.push(value!)
  }

  /** Stores pairs in the dictionary on top of the stack. */
  setItems(pairs: Value[]): void {
    const target = this.pop()
    if (!(target instanceof Map) || pairs.length % 2) broken('items for no dictionary', kindOf(target))
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i]
      if (typeof key !== 'string' && typeof key !== 'number') broken('key of a dictionary', kindOf(key))
      ;(target as Map<string | number, Value>).set(key as string | number, pairs[i + 1])
    }
    this.push(target)
  }

  append(values: Value[]): void {
    const target = this.pop()
    if (!Array.isArray(target)) broken('items for no list', kindOf(target))
    for (const value of values) (target as Value[]).push(value)
    this.push(target)
  }
}

function broken(what: string, value: unknown): never {
  return fail('PICKLE_INVALID', what, value, 'save the checkpoint again')
}

/** Never the value itself: it may be nested to any depth. */
function kindOf(value: Value): string {
  if (value === null) return 'None'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Map) return 'a dictionary'
  return value instanceof Global ? value.name : typeof value
}

const STOP = 0x2e

const STEPS: Record<number, (u: Unpickler) => void> = {
  128: (u) => {
    const protocol = u.byte() // PROTO
    if (protocol !== 2)
      fail('PICKLE_REFUSED', 'pickle protocol', protocol, "save with torch.save's default, protocol 2")
  },
  99: (u) => readGlobal(u), // GLOBAL
  113: (u) => u.store(u.byte()), // BINPUT
  114: (u) => u.store(u.u32()), // LONG_BINPUT
  104: (u) => u.recall(u.byte()), // BINGET
  106: (u) => u.recall(u.u32()), // LONG_BINGET
  40: (u) => u.mark(), // MARK
  41: (u) => u.push([]), // EMPTY_TUPLE
  93: (u) => u.push([]), // EMPTY_LIST
  125: (u) => u.push(new Map()), // EMPTY_DICT
  116: (u) => u.push(u.popToMark()), // TUPLE
  133: (u) => u.push(u.popMany(1)), // TUPLE1
  134: (u) => u.push(u.popMany(2)), // TUPLE2
  135: (u) => u.push(u.popMany(3)), // TUPLE3
  78: (u) => u.push(null), // NONE
  136: (u) => u.push(true), // NEWTRUE
  137: (u) => u.push(false), // NEWFALSE
  75: (u) => u.push(u.byte()), // BININT1
  77: (u) => u.push(u.u16()), // BININT2
  74: (u) => u.push(u.i32()), // BININT
  138: (u) => u.push(u.long()), // LONG1
  71: (u) => u.push(u.f64()), // BINFLOAT
  88: (u) => u.push(u.text(u.u32())), // BINUNICODE
  97: (u) => u.append([u.pop()]), // APPEND
  101: (u) => u.append(u.popToMark()), // APPENDS
  115: (u) => u.setItems(u.popMany(2)), // SETITEM
  117: (u) => u.setItems(u.popToMark()), // SETITEMS
  81: (u) => u.push(makeStorage(u.pop())), // BINPERSID
  82: (u) => reduce(u), // REDUCE
  98: (u) => build(u), // BUILD
}

function readGlobal(u: Unpickler): void {
  const name = `${u.line()} ${u.line()}`
  if (!ALLOWED.has(name)) fail('PICKLE_REFUSED', 'global', name, 'save a plain state dict of float tensors')
  u.push(new Global(name))
}

/** ('storage', type, key, device, elements) */
function makeStorage(value: Value): Storage {
  const fields = Array.isArray(value) ? value : []
  const [tag, type, key, , count] = fields
  const known = type instanceof Global && type.name.startsWith('torch ') && STORAGES.includes(type.name.slice(6))
  if (tag !== 'storage' || !known || typeof key !== 'string' || !isCount(count)) broken('persistent id', kindOf(value))
  return new Storage((type as Global).name.slice(6), key as string, count as number)
}

function isCount(value: Value | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function reduce(u: Unpickler): void {
  const [callee, args] = u.popMany(2)
  if (!(callee instanceof Global) || !Array.isArray(args)) {
    fail('PICKLE_REFUSED', 'call of something that is no known global', kindOf(callee), 'save a plain state dict')
  }
  const name = (callee as Global).name
  const list = args as Value[]
  if (name === 'collections OrderedDict' && list.length === 0) u.push(new Map())
  else if (name === 'torch._utils _rebuild_tensor_v2') u.push(makeTensor(list))
  else if (name === 'torch._utils _rebuild_parameter' && list[0] instanceof TensorView) u.push(list[0])
  else fail('PICKLE_REFUSED', `call with ${list.length} arguments`, name, 'save a plain state dict')
}

/** (storage, offset, sizes, strides, ...) with every element inside of the storage. */
function makeTensor([storage, offset, sizes, strides]: Value[]): TensorView {
  const right =
    storage instanceof Storage &&
    isCount(offset) &&
    isCounts(sizes) &&
    isCounts(strides) &&
    sizes.length === strides.length
  if (!right) broken('tensor description', kindOf(sizes ?? null))
  const view = new TensorView(storage as Storage, offset as number, sizes as number[], strides as number[])
  const elements = view.sizes.reduce((product, size) => product * size, 1)
  const last = view.sizes.reduce((sum, size, i) => sum + (size - 1) * view.strides[i], view.offset)
  const { count } = view.storage
  // more elements than the storage holds would be an expanded view: small in the file, huge in memory
  if (elements > count || (elements > 0 && last >= count))
    broken(`tensor exceeds its storage of ${count}`, `${elements} elements`)
  return view
}

function isCounts(value: Value | undefined): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isCount)
}

/** The only object with further state is the OrderedDict, which carries PyTorch's `_metadata`: dropped. */
function build(u: Unpickler): void {
  const [target, state] = u.popMany(2)
  if (!(target instanceof Map) || !(state instanceof Map)) {
    fail('PICKLE_REFUSED', 'state for something that is no dictionary', kindOf(target), 'save a plain state dict')
  }
  u.push(target)
}
