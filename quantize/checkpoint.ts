// A checkpoint file of either kind. In: its bytes. Out: the checked graph with its tensors (CHECKPOINT.md), the JSON it
// came from, and the way back to a safetensors file, so that a changed network can be trained further.

import { fail } from './errors.ts'
import { type Graph, parseGraph } from './graph.ts'
import { type Dtype, readSafetensors, writeSafetensors } from './safetensors.ts'
import type { Tensors } from './tensor.ts'

export interface Checkpoint {
  /** The JSON text of `__metadata__.attenuate`. */
  readonly text: string
  readonly tensors: Tensors
  readonly graph: Graph
}

export function readCheckpoint(bytes: Uint8Array): Checkpoint {
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
