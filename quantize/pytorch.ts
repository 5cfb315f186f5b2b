// A PyTorch checkpoint (.pt, torch.save since 1.6). In: untrusted bytes of a zip that holds a pickle and one file per
// storage. Out: the tensors of its state dict as f64. See archive.ts and pickle.ts for what is refused.

import { readArchive } from './archive.ts'
import { fail } from './errors.ts'
import { readPickle, TensorView, type Value } from './pickle.ts'
import { decodeBrain, decodeHalf } from './safetensors.ts'
import type { Tensors } from './tensor.ts'
import { decodeUtf8 } from './text.ts'

/** Names under which training scripts wrap the state dict. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'ema']

interface ItemType {
  bytes: number
  read(view: DataView, at: number): number
}

const ITEMS: Record<string, ItemType> = {
  FloatStorage: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  DoubleStorage: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  HalfStorage: { bytes: 2, read: (view, at) => decodeHalf(view.getUint16(at, true)) },
  BFloat16Storage: { bytes: 2, read: (view, at) => decodeBrain(view.getUint16(at, true)) },
}

export function readPytorch(bytes: Uint8Array): Tensors {
  const entries = readArchive(bytes)
  const pickled = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name))
  if (pickled.length !== 1)
    fail('ZIP_INVALID', 'number of data.pkl files in the archive', pickled.length, 'save it with torch.save')
  const folder = pickled[0].slice(0, -'data.pkl'.length)
  const order = entries.get(`${folder}byteorder`)
  if (order && decodeUtf8(order) !== 'little')
    fail('ZIP_INVALID', 'byte order', decodeUtf8(order), 'save it on a little-endian machine')
  const views = findTensors(readPickle(entries.get(pickled[0])!))
  const tensors: Tensors = new Map()
  let elements = 0
  for (const [name, view] of views) {
    elements += view.sizes.reduce((product, size) => product * size, 1)
    // tensors may share a storage, but many views of one would be a bomb
    if (elements > bytes.length)
      fail('PICKLE_INVALID', `elements up to tensor ${name}`, elements, `a file of ${bytes.length} bytes has fewer`)
    tensors.set(name, { shape: view.sizes, data: gather(name, view, entries.get(`${folder}data/${view.storage.key}`)) })
  }
  return tensors
}

/** The state dict itself, or the one a training script wrapped. */
function findTensors(value: Value): Map<string, TensorView> {
  const refuse = (got: unknown): never =>
    fail('PICKLE_INVALID', 'no state dict of tensors', got, 'save model.state_dict()')
  if (!(value instanceof Map)) refuse(typeof value)
  const dictionary = value as Map<string | number, Value>
  const wrapper = WRAPPERS.find((name) => dictionary.get(name) instanceof Map)
  const state = wrapper === undefined ? dictionary : (dictionary.get(wrapper) as Map<string | number, Value>)
  const found = new Map<string, TensorView>()
  for (const [name, view] of state) {
    if (view instanceof TensorView) found.set(String(name), view)
    else refuse(`entry ${name}`)
  }
  if (found.size === 0) refuse('no entries')
  return found
}

/** Copies a strided view into row-major order. */
function gather(
  name: string,
  { storage, offset, sizes, strides }: TensorView,
  bytes: Uint8Array | undefined,
): Float64Array {
  const item = ITEMS[storage.type]
  if (item === undefined) fail('PICKLE_INVALID', `tensor ${name}: number type`, storage.type, 'store it as float')
  if (bytes === undefined) fail('ZIP_INVALID', `tensor ${name}: storage is missing`, storage.key, 'save it again')
  if (bytes!.length !== storage.count * item.bytes) {
    fail('ZIP_INVALID', `tensor ${name}: bytes of its storage`, bytes!.length, `expected ${storage.count * item.bytes}`)
  }
  const view = new DataView(bytes!.buffer, bytes!.byteOffset, bytes!.byteLength)
  const out = new Float64Array(sizes.reduce((product, size) => product * size, 1))
  const index = new Array<number>(sizes.length).fill(0)
  let from = offset
  for (let i = 0; i < out.length; i++) {
    out[i] = item.read(view, from * item.bytes)
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++index[axis] < sizes[axis]) break
      from -= strides[axis] * sizes[axis]
      index[axis] = 0
    }
  }
  return out
}
