// A checkpoint file of either kind. In: its bytes. Out: the checked graph with its tensors (CHECKPOINT.md), the JSON it
// came from, and the way back to a safetensors file, so that a changed network can be trained further.

import { isZip } from './archive.ts'
import { convertAttenuate, isAttenuate, type Part } from './attenuate.ts'
import { fail } from './errors.ts'
import { type Graph, parseGraph } from './graph.ts'
import { readPytorch } from './pytorch.ts'
import { type Dtype, readSafetensors, writeSafetensors } from './safetensors.ts'
import type { Tensors } from './tensor.ts'

export interface Checkpoint {
  /** The JSON text of `__metadata__.attenuate`. */
  readonly text: string
  readonly tensors: Tensors
  readonly graph: Graph
}

/** `causal`: latency variant of public aTENNuate weights; other checkpoints state their own look-ahead. */
export function readCheckpoint(bytes: Uint8Array, causal?: readonly Part[]): Checkpoint {
  if (isZip(bytes)) return convert(readPytorch(bytes), causal)
  if (causal !== undefined)
    fail('OPTION_INVALID', 'causal parts of a checkpoint that has its own graph', causal, 'leave it out')
  // a safetensors header is JSON: nothing else begins like that
  if (bytes.length < 9 || bytes[8] !== 0x7b) {
    fail(
      'FILE_UNKNOWN',
      'neither a safetensors file nor a PyTorch archive',
      `${bytes.length} bytes`,
      'give it a checkpoint',
    )
  }
  const { tensors, metadata } = readSafetensors(bytes)
  const text = metadata.get('attenuate')
  if (text === undefined) {
    fail(
      'GRAPH_INVALID',
      'file holds no network: __metadata__.attenuate',
      'missing',
      'write it as quantize/CHECKPOINT.md says',
    )
  }
  return makeCheckpoint(text as string, tensors)
}

export function makeCheckpoint(text: string, tensors: Tensors): Checkpoint {
  return { text, tensors, graph: parseGraph(text, tensors) }
}

export function writeCheckpoint(
  { text, tensors }: Pick<Checkpoint, 'text' | 'tensors'>,
  dtype: Dtype = 'F32',
): Uint8Array {
  return writeSafetensors(tensors, { attenuate: text }, dtype)
}

function convert(state: Tensors, causal: readonly Part[] = []): Checkpoint {
  if (!isAttenuate(state)) {
    fail(
      'TENSOR_MISSING',
      'state dict is not of the reference code: it lacks',
      'down_ssms.0.1.weight',
      'convert it to safetensors',
    )
  }
  const { json, tensors } = convertAttenuate(state, causal)
  return makeCheckpoint(JSON.stringify(json), tensors)
}
