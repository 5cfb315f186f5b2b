// Public .pt files: what torch.save writes is read exactly; whatever else a pickle can hold is refused. The archives
// are those of specimens.pytorch.ts; a real checkpoint is read where one lies beside the repository.
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readArchive } from './archive.ts'
import { parseCausal } from './attenuate.ts'
import { readCheckpoint } from './checkpoint.ts'
import { compile } from './compile.ts'
import { AttenuateError } from './errors.ts'
import { decodeModel } from './modelfile.ts'
import { readPickle } from './pickle.ts'
import { readPytorch } from './pytorch.ts'
import {
  archiveOf,
  ascii,
  floats,
  global,
  int,
  ordered,
  pickle,
  REDUCE,
  referenceState,
  tensorOps,
  torchSave,
  tuple,
  u32,
  unicode,
} from './specimens.pytorch.ts'
import { seedRandom } from './specimens.ts'
import type { Tensors } from './tensor.ts'

const SHARED = new URL('../../shared/checkpoints/attenuate-retrained.pt', import.meta.url)

function refuses(run: () => unknown, pattern: RegExp): void {
  assert.throws(run, (error: unknown) => {
    assert.instance(error, AttenuateError)
    assert.ok(pattern.test((error as Error).message), `${(error as Error).message} against ${pattern}`)
    return true
  })
}

test('a state dict comes back exactly, and maps to the graph', () => {
  const { state, expected } = referenceState()
  const { tensors, graph } = readCheckpoint(torchSave(state), parseCausal('neck'))
  assert.is(tensors.size, expected.size)
  for (const [name, tensor] of expected) {
    assert.equal(tensors.get(name)!.shape, tensor.shape, name)
    assert.equal([...tensors.get(name)!.data], [...Float32Array.from(tensor.data)], name)
  }
  const lookahead = (name: string) => graph.nodes.find((node) => node.name === name)!.attributes.get('lookahead')
  assert.equal(['down1_pre', 'neck0_pre', 'up1_pre'].map(lookahead), [1, 0, 1])
})

test('strides, offsets and number types', () => {
  const data = floats([0, 1, 2, 3, 4, 5, 6])
  const transposed = tensorOps('0', 7, [3, 2], [1, 3], 'FloatStorage', 1)
  const half = Uint8Array.from([0x00, 0x3c, 0x00, 0xc0])
  const double = new Uint8Array(Float64Array.of(0.1).buffer)
  const file = archiveOf({
    'x/data.pkl': pickle(
      ordered,
      [0x28],
      unicode('t'),
      transposed,
      unicode('h'),
      tensorOps('1', 2, [2], [1], 'HalfStorage'),
      unicode('d'),
      tensorOps('2', 1, [], [], 'DoubleStorage'),
      [0x75],
    ),
    'x/data/0': data,
    'x/data/1': half,
    'x/data/2': double,
  })
  const tensors = readPytorch(file)
  assert.equal([...tensors.get('t')!.data], [1, 4, 2, 5, 3, 6])
  assert.equal([...tensors.get('h')!.data], [1, -2])
  assert.is(tensors.get('d')!.data[0], 0.1)
})

test('a wrapped state dict is found', () => {
  const inner = [...ordered, 0x28, ...unicode('w'), ...tensorOps('0', 1, [1], [1]), 0x75]
  const file = archiveOf({
    'x/data.pkl': pickle([0x7d, 0x28], unicode('epoch'), int(3), unicode('state_dict'), inner, [0x75]),
    'x/data/0': floats([7]),
  })
  assert.is(readPytorch(file).get('w')!.data[0], 7)
})

test('malicious pickles are refused', () => {
  const call = (module: string, name: string) => pickle(global(module, name), tuple(unicode('id')), REDUCE)
  for (const [module, name] of [
    ['os', 'system'],
    ['builtins', 'eval'],
    ['torch', 'load'],
    ['torch._utils', '_rebuild_tensor'],
    ['collections', 'OrderedDict\u0000'],
  ]) {
    refuses(() => readPickle(call(module, name)), /^PICKLE_REFUSED: global, /)
  }
  refuses(
    () => readPickle(pickle(global('collections', 'OrderedDict'), tuple(unicode('x')), REDUCE)),
    /^PICKLE_REFUSED: call with 1 arguments/,
  )
  refuses(() => readPickle(pickle(unicode('x'), tuple(), REDUCE)), /^PICKLE_REFUSED: call of something/)
  refuses(() => readPickle(pickle(unicode('x'), [0x7d], [0x62])), /^PICKLE_REFUSED: state for something/)
  refuses(() => readPickle(Uint8Array.from([0x80, 5, 0x4e, 0x2e])), /^PICKLE_REFUSED: pickle protocol, 5/)
  for (const opcode of [0x69, 0x6f, 0x93, 0x81, 0x92, 0x82]) {
    refuses(() => readPickle(pickle([opcode])), /^PICKLE_REFUSED: opcode at byte 2/)
  }
})

test('bombs: nested memo, huge sizes, expanded views, deep stacks', () => {
  // thirty doublings: 2^30 leaves if anything walked it
  const doubled = Array.from({ length: 30 }, (_, i) => [0x71, i, 0x68, i, 0x86]).flat()
  assert.ok(Array.isArray(readPickle(pickle(unicode('x'), doubled))))
  refuses(
    () => readPytorch(archiveOf({ 'x/data.pkl': pickle(unicode('x'), doubled) })),
    /^PICKLE_INVALID: no state dict/,
  )
  const keyed = pickle([0x7d, 0x28], unicode('x'), doubled, int(1), [0x75])
  refuses(() => readPickle(keyed), /^PICKLE_INVALID: key of a dictionary, a list/)
  refuses(() => readPickle(pickle(tensorOps('0', 10, [11], [1]))), /tensor exceeds its storage of 10, 11 elements/)
  refuses(() => readPickle(pickle(tensorOps('0', 10, [2], [10]))), /tensor exceeds/)
  refuses(() => readPickle(pickle(tensorOps('0', 10, [1000000, 1000000], [0, 0]))), /tensor exceeds/)
  refuses(() => readPickle(pickle(tensorOps('0', 10, [-1], [1]))), /tensor description/)
  refuses(() => readPickle(pickle(new Array(70000).fill(0x4e))), /stack grows too deep/)
  refuses(() => readPickle(pickle([0x58, ...u32(0xffffffff)])), /file ends inside a value/)
  const short = archiveOf({
    'x/data.pkl': pickle(ordered, unicode('w'), tensorOps('0', 1000000000, [1000000000], [1]), [0x73]),
    'x/data/0': floats([1]),
  })
  refuses(() => readPytorch(short), /PICKLE_INVALID: elements up to tensor w, 1000000000/)
  const missing = archiveOf({
    'x/data.pkl': pickle(ordered, unicode('w'), tensorOps('0', 2, [2], [1]), [0x73]),
    'x/data/0': floats([1]),
  })
  refuses(() => readPytorch(missing), /ZIP_INVALID: tensor w: bytes of its storage, 4; expected 8/)
})

test('bombs: many small values, many views of one storage, values that contain themselves', () => {
  // a byte each in the file, some hundred in memory
  const dictionaries = [0x5d, ...Array.from({ length: 12 }, () => [0x28, ...new Array(60000).fill(0x7d), 0x65]).flat()]
  refuses(() => readPickle(pickle(dictionaries)), /^PICKLE_INVALID: too many ops, more than 524288/)
  refuses(() => readPickle(new Uint8Array(2 ** 24 + 1)), /^PICKLE_INVALID: pickle larger than 16777216 bytes/)
  const views = Array.from({ length: 200 }, (_, i) => [...unicode(`w${i}`), ...tensorOps('0', 50000, [50000], [1])])
  const shared = archiveOf({
    'x/data.pkl': pickle(ordered, [0x28], views.flat(), [0x75]),
    'x/data/0': floats(new Float32Array(50000)),
  })
  refuses(() => readPytorch(shared), /^PICKLE_INVALID: elements up to tensor w\d+, \d+; a file of \d+ bytes has fewer/)
  const own = [0x7d, 0x71, 0, ...unicode('state_dict'), 0x68, 0, 0x73]
  refuses(() => readPytorch(archiveOf({ 'x/data.pkl': pickle(own) })), /no state dict of tensors, entry state_dict/)
  const list = [0x5d, 0x71, 0, 0x68, 0, 0x61]
  refuses(() => readPytorch(archiveOf({ 'x/data.pkl': pickle(list) })), /no state dict of tensors/)
})

test('broken pickles', () => {
  refuses(() => readPickle(new Uint8Array(0)), /^PICKLE_INVALID: file ends/)
  refuses(() => readPickle(pickle()), /values left at the end, 0/)
  refuses(() => readPickle(pickle([0x74])), /no mark/)
  refuses(() => readPickle(pickle([0x28, 0x52])), /stack runs empty/)
  refuses(() => readPickle(pickle([0x68, 3])), /nothing remembered under, 3/)
  refuses(() => readPickle(pickle([0x51])), /stack runs empty/)
  refuses(() => readPickle(pickle(unicode('x'), [0x51])), /persistent id/)
})

test('archives', () => {
  const good = archiveOf({ 'a/b': floats([1, 2]) })
  assert.equal(readArchive(good).get('a/b'), floats([1, 2]))
  refuses(() => readArchive(good.subarray(0, good.length - 1)), /^ZIP_INVALID: archive has no end record/)
  refuses(() => readArchive(archiveOf({ x: floats([1]) }, 8)), /entry x is compressed, method 8/)
  const flipped = good.slice()
  flipped[34] ^= 1
  refuses(() => readArchive(flipped), /entry a\/b: checksum/)
  const directory = good.length - 22 - 49
  const second = archiveOf({ 'a/b': floats([1, 2]), 'a/c': floats([1, 2]) })
  // both names for the bytes of the first
  second.fill(0, second.length - 22 - 49 + 42, second.length - 22 - 49 + 46)
  refuses(() => readArchive(second), /^ZIP_INVALID: entry a\/b lies over entry a\/c, 41/)
  const long = good.slice()
  for (const at of [20, 24]) long[directory + at] = 60
  refuses(() => readArchive(long), /^ZIP_INVALID: entry a\/b reaches into the directory, 93/)
  refuses(() => readPytorch(good), /number of data.pkl files in the archive, 0/)
})

test('files of neither kind, and options of the other', () => {
  refuses(() => readCheckpoint(Uint8Array.from(ascii('RIFF????WAVE'))), /^FILE_UNKNOWN/)
  refuses(() => readCheckpoint(new Uint8Array(0)), /^FILE_UNKNOWN/)
  const foreign: Tensors = new Map([['conv.weight', { shape: [1], data: Float64Array.of(1) }]])
  refuses(() => readCheckpoint(torchSave(foreign)), /^TENSOR_MISSING: state dict is not of the reference code/)
  const { state } = referenceState()
  state.delete('hid_ssms.1.2.layer_norm.bias')
  refuses(() => readCheckpoint(torchSave(state)), /^TENSOR_MISSING: state dict has no, hid_ssms.1.2.layer_norm.bias/)
  state.set('hid_ssms.1.2.layer_norm.bias', { shape: [4], data: new Float64Array(4) })
  state.set('head.weight', { shape: [4], data: new Float64Array(4) })
  refuses(() => readCheckpoint(torchSave(state)), /^TENSOR_UNEXPECTED: key of no part of the network, head.weight/)
})

test('fuzz: 6000 damaged archives and pickles give a result or a documented error', () => {
  const random = seedRandom(23)
  const { state } = referenceState()
  const file = torchSave(state)
  const plain = readArchive(file).get('a/data.pkl')!
  let refused = 0
  for (let i = 0; i < 6000; i++) {
    const bytes = (i % 2 ? file : plain).slice()
    for (let n = 1 + Math.floor(4 * random()); n > 0; n--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(256 * random())
    const cut = random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
    try {
      if (i % 2) readCheckpoint(cut)
      else readPickle(cut)
    } catch (error) {
      if (!(error instanceof AttenuateError)) throw error
      assert.ok(!error.message.includes('\n') && error.message.length < 600, error.message)
      refused++
    }
  }
  assert.ok(refused > 3000, `${refused} refused`)
})

if (existsSync(SHARED)) {
  test('a real checkpoint of the paper’s network', () => {
    const bytes = new Uint8Array(readFileSync(SHARED))
    const { tensors } = readCheckpoint(bytes)
    const parameters = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)
    assert.is(parameters, 844864)
    for (const [causal, delivered] of [
      ['none', 1280],
      ['neck', 768],
      ['encoder,neck', 512],
      ['all', 256],
    ] as const) {
      assert.is(decodeModel(compile(bytes, { causal: parseCausal(causal) })).latencySamples, delivered)
    }
  })
}

test.run()
