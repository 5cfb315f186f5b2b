// The core's ABI. One imported memory (env.memory) holds, wherever the host puts them at or after heapBase(): programs
// (model files, 64-byte aligned), states and scratch blocks (16-byte aligned, sizes from the file's header). The host
// writes input samples at scratch + inputOffset and reads the result at scratch + outputOffset. Nothing here allocates,
// traps on valid files, or calls out.

import { Program, settleFloats, StateHeader } from './arena'
import { runOps } from './program'

export { resample } from './resample'

/** First byte that is the host's. */
export function heapBase(): usize {
  return __heap_base
}

/** Files of the same version yield the same bits; bit 16 is set where bits may depend on the machine (relaxed build). */
export function numericVersion(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 0x10001 : 1
}

/** A new stream: everything zero, its end unknown. */
export function reset(program: usize, state: usize): void {
  memory.fill(state, 0, changetype<Program>(program).stateBytes)
  changetype<StateHeader>(state).hopsInAll = u64.MAX_VALUE
}

/** Records opFrom..opTo-1 of the coming hop; calls for one hop follow each other without gaps, any number of them. */
export function run(program: usize, state: usize, scratch: usize, opFrom: i32, opTo: i32): void {
  const header = changetype<Program>(program)
  const samples = scratch + header.inputOffset
  if (opFrom === 0) settleFloats(samples, samples, header.inputHop)
  runOps(program, state, scratch, opFrom, opTo)
  if (opFrom < opTo && opTo === <i32>header.opCount) changetype<StateHeader>(state).hopsDone++
}

/** One whole hop. */
export function hop(program: usize, state: usize, scratch: usize): void {
  run(program, state, scratch, 0, changetype<Program>(program).opCount)
}

/** The stream ends with the hops done so far; further hops only deliver what look-ahead still holds. */
export function end(state: usize): void {
  const header = changetype<StateHeader>(state)
  header.hopsInAll = header.hopsDone
}
