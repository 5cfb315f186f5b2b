// A model file that does nothing: what goes in comes out a hop later. With it a test sees every sample that the way there and
// back loses, repeats or shifts.

import { makeCheckpoint } from '../../quantize/checkpoint.ts'
import { compileCheckpoint } from '../../quantize/compile.ts'

export function compileIdentity(rate = 16000, hop = 128): Uint8Array {
  const graph = [{ name: 'output', op: 'affine', in: ['input'] }]
  const json = { version: 1, name: 'identity', input: { rate, hop }, output: { rate, hop }, graph }
  const tensors = new Map([['output.weight', { shape: [1], data: Float64Array.of(1) }]])
  return compileCheckpoint(makeCheckpoint(JSON.stringify(json), tensors))
}
