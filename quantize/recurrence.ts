// The states of a diagonal system over a whole signal, in f64: x[t] = lambda x[t-1] + B u[t] for P positions side by side.
// In: a system, its input (T, P, inputs). Out: blocks of rows of states, (rows, 2N) as [Re, Im], handed to a visitor in
// order of time. The products are formed per block, so that they cost what a matrix product costs.

import { isReal, type LinearSystem } from './discretise.ts'
import { multiplyRows, type Numbers } from './product.ts'

/** `states` holds `rows` rows, the first of them row `first` of the whole; the array is used again for the next block. */
export type Visit = (states: Float64Array, first: number, rows: number) => void

/** Rows of one block, at least a step. */
const BLOCK = 256

export function visitStates(
  system: LinearSystem,
  input: Numbers,
  positions: number,
  visit: Visit,
  /** (2N): where every position starts. */
  initial?: ArrayLike<number>,
): void {
  const { order: N, inputs } = system
  const rows = input.length / inputs
  const block = Math.max(1, Math.floor(BLOCK / positions)) * positions
  const real = isReal(system.B)
  const B = stackInputs(system, real)
  const drive = new Float64Array(block * (real ? N : 2 * N))
  const states = new Float64Array(block * 2 * N)
  const last = new Float64Array(positions * 2 * N)
  for (let p = 0; initial && p < positions; p++) for (let i = 0; i < 2 * N; i++) last[p * 2 * N + i] = initial[i]
  const poles = polesOf(system)
  for (let first = 0; first < rows; first += block) {
    const count = Math.min(block, rows - first)
    const part = input.subarray(first * inputs, (first + count) * inputs)
    multiplyRows(part, B, drive, { rows: count, K: inputs, d: real ? N : 2 * N })
    advance(poles, drive, states, last, { rows: count, positions, N, real })
    visit(states, first, count)
  }
}

/** [Re B; Im B], (2N, inputs), or Re B alone. */
function stackInputs({ B }: LinearSystem, real: boolean): Float64Array {
  if (real) return B.re
  const both = new Float64Array(2 * B.re.length)
  both.set(B.re)
  both.set(B.im, B.re.length)
  return both
}

/** (2, N): Re and Im of lambda. */
function polesOf({ order: N, decay, angle }: LinearSystem): Float64Array {
  const poles = new Float64Array(2 * N)
  for (let n = 0; n < N; n++) {
    poles[n] = Math.exp(-decay[n]) * Math.cos(angle[n])
    poles[N + n] = Math.exp(-decay[n]) * Math.sin(angle[n])
  }
  return poles
}

function advance(
  poles: Float64Array,
  drive: Float64Array,
  states: Float64Array,
  last: Float64Array,
  { rows, positions, N, real }: { rows: number; positions: number; N: number; real: boolean },
): void {
  const width = real ? N : 2 * N
  for (let r = 0; r < rows; r++) {
    const from = r * width
    const at = r * 2 * N
    const was = r < positions ? r * 2 * N : (r - positions) * 2 * N
    const before = r < positions ? last : states
    for (let n = 0; n < N; n++) {
      const a = before[was + n]
      const b = before[was + N + n]
      states[at + n] = poles[n] * a - poles[N + n] * b + drive[from + n]
      states[at + N + n] = poles[N + n] * a + poles[n] * b + (real ? 0 : drive[from + N + n])
    }
  }
  last.set(states.subarray((rows - positions) * 2 * N, rows * 2 * N))
}
