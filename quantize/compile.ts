// The compiler. In: the bytes of a checkpoint (safetensors with a graph, or a public .pt). Out: the bytes of a model
// file. Pure and deterministic: equal input gives equal bytes.

import type { Part } from './attenuate.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { fail } from './errors.ts'
import { lower } from './lower.ts'
import { type Card, encodeModel, type OpRecord, weightsOffsetOf } from './modelfile.ts'
import { plan } from './plan.ts'
import { countMacs } from './record.ts'

export interface CompileOptions {
  /** Public aTENNuate weights only: parts whose pre-convs are causal (`parseCausal`). */
  readonly causal?: readonly Part[]
}

export function compile(checkpointBytes: Uint8Array, options: CompileOptions = {}): Uint8Array {
  return compileCheckpoint(readCheckpoint(checkpointBytes, options.causal))
}

export function compileCheckpoint({ graph }: Checkpoint, notes: Record<string, unknown> = {}): Uint8Array {
  const program = lower(graph)
  const { placements, weights, ...memory } = plan(program)
  const base = weightsOffsetOf(program.ops.length)
  const records = program.ops.map((op, i): OpRecord => {
    const { inputs, weights: blocks, ...places } = placements[i]
    const [a, b, c, d] = blocks.map((offset) => (offset < 0 ? 0 : base + offset))
    return {
      task: op.task,
      format: 0,
      lag: op.lag,
      inputs: [inputs[0] ?? 0, inputs[1] ?? 0],
      weights: [a, b, c, d],
      ...places,
    }
  })
  const macsPerHop = records.reduce((sum, record) => sum + countMacs(record.task), 0)
  if (macsPerHop > 0xffffffff)
    fail('PROGRAM_TOO_LARGE', 'multiply-accumulates per hop', macsPerHop, 'use a smaller network')
  const algorithmicLatencySamples = program.lookaheadSamples + program.overlapLag + graph.output.hop
  const card: Card = {
    name: graph.name,
    card: graph.card,
    ops: program.ops.map((op) => op.name),
    algorithmicLatencySamples,
    ...notes,
  }
  return encodeModel({
    inputRate: graph.input.rate,
    inputHop: graph.input.hop,
    outputRate: graph.output.rate,
    outputHop: graph.output.hop,
    overlapLag: program.overlapLag,
    lookaheadHops: program.lookaheadHops,
    macsPerHop,
    records,
    card,
    weights,
    ...memory,
  })
}
