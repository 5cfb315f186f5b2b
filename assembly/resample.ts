// Change of sample rate by a factor L / M: each output is a dot product of the inputs around its moment with the row of a
// table for its phase (polyphase FIR; Crochiere and Rabiner 1983, section 4.3). In: `count` samples that the host put behind
// those still needed. Out: every sample whose inputs are complete, in `out`; their number. The table is the host's
// (sdk/resampling.ts); where L is too large for one, weights between two neighbouring rows are interpolated.

import { madd, splat, sumLanes, VECTOR } from './lanes'

/** One pair of rates: followed by the table, rows of `taps` f32. */
@unmanaged
class Filter {
  /** Samples each output needs, a multiple of 4. */
  taps: i32
  /** L and M without a common factor: outputs and inputs in the same time. */
  outputs: i32
  inputs: i32
  /** Rows of the table per input sample: L, or fewer (then there is one row more). */
  phases: i32
}
const FILTER_BYTES: usize = 64

/** One stream: followed by its samples. */
@unmanaged
class Window {
  /** Samples that wait. */
  filled: i32
  /** First sample that the next output needs, among them. */
  at: i32
  /** Moment of the next output past that sample's neighbour, in 1 / L of an input sample. */
  phase: i32
  reserved: i32
}
const WINDOW_BYTES: usize = 16

export function resample(filterAt: usize, windowAt: usize, count: i32, out: usize): i32 {
  const filter = changetype<Filter>(filterAt)
  const window = changetype<Window>(windowAt)
  const table = filterAt + FILTER_BYTES
  const samples = windowAt + WINDOW_BYTES
  const taps = filter.taps
  const step = filter.inputs / filter.outputs
  const rest = filter.inputs % filter.outputs
  const filled = window.filled + count
  let at = window.at
  let phase = window.phase
  let made = 0
  for (; at + taps <= filled; made++) {
    const x = samples + ((<usize>at) << 2)
    store<f32>(out + ((<usize>made) << 2), weigh(filter, table, x, phase))
    at += step
    phase += rest
    if (phase >= filter.outputs) {
      phase -= filter.outputs
      at++
    }
  }
  const done = min(at, filled)
  memory.copy(samples, samples + ((<usize>done) << 2), (<usize>(filled - done)) << 2)
  window.filled = filled - done
  window.at = at - done
  window.phase = phase
  return made
}

function weigh(filter: Filter, table: usize, x: usize, phase: i32): f32 {
  const bytes = (<usize>filter.taps) << 2
  if (filter.phases === filter.outputs) return dot(table + <usize>phase * bytes, x, bytes)
  const place = <i64>phase * filter.phases
  const row = <i32>(place / filter.outputs)
  const share = <f32>(<f64>(place % filter.outputs) / <f64>filter.outputs)
  const from = table + <usize>row * bytes
  const low = dot(from, x, bytes)
  return low + share * (dot(from + bytes, x, bytes) - low)
}

/** Of `bytes` / 4 weights and samples; four sums of every second vector, so that additions do not wait for one another. */
function dot(w: usize, x: usize, bytes: usize): f32 {
  let a = splat(0.0)
  let b = splat(0.0)
  const end = w + (bytes & ~(2 * VECTOR - 1))
  for (; w < end; w += 2 * VECTOR, x += 2 * VECTOR) {
    a = madd(a, v128.load(w), v128.load(x))
    b = madd(b, v128.load(w, VECTOR), v128.load(x, VECTOR))
  }
  if (bytes & VECTOR) a = madd(a, v128.load(w), v128.load(x))
  return sumLanes(f32x4.add(a, b))
}
