// Where a state ends up after many hops of silence, without running them. In: a model and its state one hop apart, both in
// silence. Out: the state `hops` hops later, in place. Every state-space record is diagonal and linear, so under an input
// that no longer changes each of its states runs along a geometric series (arXiv 2409.03377, eq. 3 iterated):
//   x[h+n] = x[h] + (1 - L^n) / (1 - L) (x[h] - x[h-1]),   L = lambda^steps
// Exact as far as the inputs have settled; what is left of their drift is the error: half a second after a gap of 200 / 2000 /
// 8000 hops differs from that after as much silence by -26 / -18 / -36 dB of the signal with lite, -23 / -17 / -22 with
// base, -26 / -7 / -10 with hq; had 160 silent hops been run and no more: -15 / -8 / -8, -14 / 1 / 1, -18 / -4 / -4. Leaps double, with
// hops run between them, so a gap of n hops costs about 8 log2(n) hops, 300 at most. Histories of other records (frames,
// taps, delays) hold silence already after AFTERGLOW_HOPS.

import type { Model, OpRecord } from '../quantize/modelfile.ts'
import { up } from '../quantize/record.ts'
import type { Core } from './core.ts'

/** Hops that are run before a state may coast: longer than any history but that of state-space records. */
export const AFTERGLOW_HOPS = 48

/** Hops that are run between two leaps, so that each layer hears what the one before it has become. */
export const SETTLING_HOPS = 8

/** `before`, `state`: (stateBytes) of the same stream, one silent hop apart; `state` is moved on. */
export function coast(
  model: Model,
  core: Core,
  programAddress: number,
  before: Uint8Array,
  state: Uint8Array,
  hops: number,
): void {
  for (const record of model.records)
    if (record.task.kind === 'ssm') coastRecord(record, polesOf(record, core, programAddress), before, state, hops)
  const header = new DataView(state.buffer, state.byteOffset, 8)
  header.setBigUint64(0, header.getBigUint64(0, true) + BigInt(hops), true)
}

/** (2, up(N)): 1 - Re(lambda), then Im(lambda) (FORMAT.md, kind 5). */
function polesOf({ task, weights }: OpRecord, core: Core, programAddress: number): Float32Array {
  return core.floats(programAddress + weights[0], 2 * up(task.parameters[0]))
}

function coastRecord(
  { task, state: offset }: OpRecord,
  poles: Float32Array,
  before: Uint8Array,
  state: Uint8Array,
  hops: number,
): void {
  const width = up(task.parameters[0])
  const count = task.positions * 2 * width
  const last = new Float32Array(before.buffer, before.byteOffset + offset, count) // (positions, [xr, xi], up(N))
  const now = new Float32Array(state.buffer, state.byteOffset + offset, count)
  for (let n = 0; n < width; n++) {
    const [re, im] = sumGeometric(1 - poles[n], poles[width + n], task.steps, hops)
    for (let p = 0; p < task.positions; p++) {
      const r = p * 2 * width + n
      const i = r + width
      const [dr, di] = [now[r] - last[r], now[i] - last[i]]
      now[r] += re * dr - im * di
      now[i] += re * di + im * dr
    }
  }
}

/** L + L^2 + ... + L^hops, L = lambda^steps: how many of the last differences are still to come. */
function sumGeometric(lambdaRe: number, lambdaIm: number, steps: number, hops: number): [number, number] {
  const size = Math.hypot(lambdaRe, lambdaIm)
  if (size === 0) return [0, 0]
  const angle = Math.atan2(lambdaIm, lambdaRe)
  const power = (n: number): [number, number] => [size ** n * Math.cos(angle * n), size ** n * Math.sin(angle * n)]
  const [a, b] = power(steps)
  const [c, d] = power(steps * hops)
  // L (1 - L^hops) / (1 - L); a pole at 1 itself is refused by the compiler
  const [topRe, topIm] = [a * (1 - c) + b * d, b * (1 - c) - a * d]
  const [bottomRe, bottomIm] = [1 - a, -b]
  const norm = bottomRe * bottomRe + bottomIm * bottomIm
  if (norm < 1e-20) return [hops, 0]
  return [(topRe * bottomRe + topIm * bottomIm) / norm, (topIm * bottomRe - topRe * bottomIm) / norm]
}
