// For tests and benches: integer weights written by hand from quantize/FORMAT.md (no code shared with the compiler), and
// what the integer kernels must yield, as plain loops. Products of integers are exact in f64, scales as f32 rounds them.

import { seeded, up } from './fixture.ts'

/** Integer weights of d rows and K columns. int8: one scale per row; int4: one per row and 32 columns, (d, groups). */
export interface Integers {
  rows: number
  depth: number
  grouped: boolean
  values: Int8Array
  scales: Float32Array
}

const roundUp = (n: number, unit: number) => Math.ceil(n / unit) * unit

/** Seeded weights over the whole range of their format. */
export function drawBytes(rows: number, depth: number, seed: number): Integers {
  const next = seeded(seed)
  const values = Int8Array.from({ length: rows * depth }, () => Math.round(127 * next()))
  return { rows, depth, grouped: false, values, scales: Float32Array.from({ length: rows }, () => 0.002 * (1.5 + next())) }
}

export function drawNibbles(rows: number, depth: number, seed: number): Integers {
  const next = seeded(seed)
  const values = Int8Array.from({ length: rows * depth }, () => Math.round(7 * next()))
  const scales = Float32Array.from({ length: rows * Math.ceil(depth / 32) }, () => upperHalf(0.03 * (1.5 + next())))
  return { rows, depth, grouped: true, values, scales }
}

/** The nearest f32 below in size whose lower sixteen bits are zero. */
export function upperHalf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)
  bits[0] &= 0xffff0000
  return new Float32Array(bits.buffer)[0]
}

/** Number format 1; `groups` matrices of equal size one after the other (mix). */
export function packBytes({ rows, depth, values, scales }: Integers, groups = 1): Uint8Array {
  const pairs = Math.ceil(depth / 2)
  const each = rows / groups
  const weightBytes = roundUp(groups * up(each) * pairs * 2, 16)
  const out = new Uint8Array(weightBytes + 4 * groups * up(each))
  const floats = new DataView(out.buffer)
  for (let i = 0; i < rows; i++) {
    const row = Math.floor(i / each) * up(each) + (i % each)
    floats.setFloat32(weightBytes + 4 * row, scales[i], true)
    for (let k = 0; k < depth; k++) {
      out[((row >> 2) * pairs + (k >> 1)) * 8 + (row & 3) * 2 + (k & 1)] = values[i * depth + k]
    }
  }
  return out
}

/** Number format 2. */
export function packNibbles({ rows, depth, values, scales }: Integers): Uint8Array {
  const vectors = Math.ceil(depth / 8)
  const groups = Math.ceil(depth / 32)
  const weightBytes = (up(rows) / 4) * vectors * 16
  const out = new Uint8Array(weightBytes + (up(rows) / 4) * groups * 8)
  const view = new DataView(out.buffer)
  for (let d = 0; d < rows; d++) {
    for (let g = 0; g < groups; g++) {
      const at = weightBytes + ((d >> 2) * groups + g) * 8 + (d & 3) * 2
      view.setUint16(at, new Uint32Array(Float32Array.of(scales[d * groups + g]).buffer)[0] >>> 16, true)
    }
    for (let k = 0; k < depth; k++) {
      const at = ((d >> 2) * vectors + (k >> 3)) * 16 + (d & 3) * 4 + (k & 1) * 2
      const nibble = (values[d * depth + k] & 15) << (12 - 4 * ((k & 7) >> 1))
      view.setUint16(at, view.getUint16(at, true) | nibble, true)
    }
  }
  return out
}

/** Int16 of one step, and its scale. */
export function quantised(x: ArrayLike<number>): { q: Int16Array; scale: number } {
  const f = Math.fround
  const peak = Array.from(x).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  const silent = peak < 1e-30
  const factor = silent ? 0 : f(32767 / peak)
  const q = Int16Array.from(x, (v) => {
    const r = f(f(v) * factor)
    const down = Math.floor(r)
    return r - down > 0.5 || (r - down === 0.5 && down % 2 !== 0) ? down + 1 : down
  })
  return { q, scale: silent ? 0 : f(peak / 32767) }
}

/** One row times one column: exact sums, then f32 in the order of the kernel. */
export function integerDot(W: Integers, row: number, q: ArrayLike<number>, at: number, scale: number, bias = 0): number {
  const f = Math.fround
  const { depth, grouped, values, scales } = W
  const width = grouped ? 32 : depth
  const groups = Math.ceil(depth / width)
  let total = 0
  for (let g = 0; g < groups; g++) {
    let sum = 0
    for (let k = width * g; k < Math.min(depth, width * (g + 1)); k++) sum += values[row * depth + k] * q[at + k]
    if (sum !== (sum | 0)) throw new Error(`sum ${sum} leaves 32 bits`)
    total = grouped ? f(total + f(f(sum) * scales[row * groups + g])) : f(sum)
  }
  return f(bias + f(total * (grouped ? scale : f(scales[row] * scale))))
}
