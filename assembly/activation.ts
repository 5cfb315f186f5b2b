// Activations and the functions they need: exp(-x), ln, sigmoid, tanh, four lanes at a time. In: f32 lanes. Out: the same
// bits on every machine: only +, -, *, / and integer moves, coefficients are our own minimax fits. Errors over the stated
// ranges, as activation.test.ts measures them: relative, of exp 1.5e-7, ln 1.5e-7, tanh 2e-7; absolute, of sigmoid 2e-7
// (-134 dB; 0 within 5e-8 and 1 at the ends), and of silu that times |x|.

import { LANES, loadPart, loadUpTo, madd, nmadd, splat, storePart, storeUpTo, VECTOR } from './lanes'

export const NONE: i32 = 0
export const SILU: i32 = 1
export const RELU: i32 = 2
export const SIGMOID: i32 = 3
export const TANH: i32 = 4
export const PRELU: i32 = 5

// Constants of four equal lanes cost V8 four instructions each, wherever they stand in a loop, one when they are loaded:
// a third of the time of `silu`, measured. Hence this table, the core's only static data.
const TABLE: usize = memory.data<f32>(
  [
    // exp: range, 1.5 * 2^23, -1 / ln 2, ln 2 in two parts, coefficients with the signs of (-r)^k
    -87.0, 87.0, 12582912.0, -1.4426950408889634, 0.693359375, -2.1219444e-4, 0.4999999403953552, -0.1666652113199234,
    0.04166838899254799, -0.008368710987269878, 0.0013814610429108143, 1.0,
    // ln: coefficients of (ln(1 + f) - f + f^2 / 2) / f^3
    0.3333333134651184, -0.250008225440979, 0.20001232624053955, -0.16623298823833466, 0.14201553165912628,
    -0.1316058486700058, 0.1276332437992096, -0.07635646313428879, 0.5,
    // tanh: coefficients of (tanh x - x) / x^3 in x^2, and the end of their range
    -0.3333328068256378, 0.13331441581249237, -0.05373971536755562, 0.02063908614218235, -0.005704985931515694, 0.625,
    // sigmoid: range of x / -ln 2, coefficients of 2^r for |r| <= 1/2
    -24.5, 24.5, 0.6931470036506653, 0.24022242426872253, 0.05550733581185341, 0.009671512991189957, 0.001326472731307149,
  ],
  16,
)
const LOWEST = 0
const HIGHEST = 1
const ANCHOR = 2
const PER_LN2 = 3
const LN2_HIGH = 4
const LN2_LOW = 5
const EXP = 6
const ONE = 11
const LN = 12
const HALF = 20
const TANH_SERIES = 21
const TANH_END = 26
const GATE_LOW = 27
const GATE_HIGH = 28
const GATE = 29

function constant(index: usize): v128 {
  return v128.load32_splat(TABLE + (index << 2))
}

/** exp(-x) within -87..87; beyond, the value at that end: no infinity and no denormal comes out. */
export function expMinus4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, constant(LOWEST)), constant(HIGHEST))
  // -x = n ln 2 - r with |r| <= ln 2 / 2: adding 1.5 * 2^23 leaves n in the low bits of the sum.
  const shifted = f32x4.add(f32x4.mul(clamped, constant(PER_LN2)), constant(ANCHOR))
  const n = f32x4.sub(shifted, constant(ANCHOR))
  const r = madd(madd(clamped, n, constant(LN2_HIGH)), n, constant(LN2_LOW))
  const square = f32x4.mul(r, r)
  const low = madd(constant(EXP), constant(EXP + 1), r)
  const high = madd(constant(EXP + 2), constant(EXP + 3), r)
  const p = madd(low, madd(high, constant(EXP + 4), square), square)
  return i32x4.add(madd(f32x4.sub(constant(ONE), r), square, p), i32x4.shl(shifted, 23))
}

/** For x >= 2^-126; below, zero included, about -87. */
export function ln4(x: v128): v128 {
  // x = m 2^e with sqrt(1/2) <= m < sqrt(2): both cut out of the bits, counted from those of sqrt(1/2).
  const exponent = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23)
  const e = f32x4.convert_i32x4_s(exponent)
  const f = f32x4.sub(i32x4.sub(x, i32x4.shl(exponent, 23)), constant(ONE))
  const square = f32x4.mul(f, f)
  const p01 = madd(constant(LN), constant(LN + 1), f)
  const p23 = madd(constant(LN + 2), constant(LN + 3), f)
  const p45 = madd(constant(LN + 4), constant(LN + 5), f)
  const p67 = madd(constant(LN + 6), constant(LN + 7), f)
  const p = madd(p01, madd(p23, madd(p45, p67, square), square), square)
  const small = madd(f32x4.mul(f32x4.mul(p, square), f), e, constant(LN2_LOW))
  return f32x4.add(f32x4.add(nmadd(small, constant(HALF), square), f), f32x4.mul(e, constant(LN2_HIGH)))
}

/** a sigmoid(x) = a / (1 + 2^u), u = -x / ln 2 cut into a whole number and the rest. */
export function gate(a: v128, x: v128): v128 {
  const u = f32x4.pmin(f32x4.pmax(f32x4.mul(x, constant(PER_LN2)), constant(GATE_LOW)), constant(GATE_HIGH))
  const shifted = f32x4.add(u, constant(ANCHOR))
  const r = f32x4.sub(u, f32x4.sub(shifted, constant(ANCHOR)))
  const high = madd(constant(GATE + 2), madd(constant(GATE + 3), constant(GATE + 4), r), r)
  const p = madd(constant(GATE + 1), high, r)
  const power = i32x4.add(madd(constant(ONE), madd(constant(GATE), p, r), r), i32x4.shl(shifted, 23))
  return f32x4.div(a, f32x4.add(constant(ONE), power))
}

/**
 * `gate` of four vectors, from memory to memory; the same bits. Four at a time load every constant once, and one's latency
 * hides behind the others.
 */
// @ts-ignore: decorator
@inline
export function gateFour(y: usize, yStride: usize, a: usize, x: usize, stride: usize): void {
  let c = constant(PER_LN2)
  let u0 = f32x4.mul(v128.load(x), c)
  let u1 = f32x4.mul(v128.load(x + stride), c)
  let u2 = f32x4.mul(v128.load(x + 2 * stride), c)
  let u3 = f32x4.mul(v128.load(x + 3 * stride), c)
  c = constant(GATE_LOW)
  u0 = f32x4.pmax(u0, c)
  u1 = f32x4.pmax(u1, c)
  u2 = f32x4.pmax(u2, c)
  u3 = f32x4.pmax(u3, c)
  c = constant(GATE_HIGH)
  u0 = f32x4.pmin(u0, c)
  u1 = f32x4.pmin(u1, c)
  u2 = f32x4.pmin(u2, c)
  u3 = f32x4.pmin(u3, c)
  c = constant(ANCHOR)
  const s0 = f32x4.add(u0, c)
  const s1 = f32x4.add(u1, c)
  const s2 = f32x4.add(u2, c)
  const s3 = f32x4.add(u3, c)
  u0 = f32x4.sub(u0, f32x4.sub(s0, c))
  u1 = f32x4.sub(u1, f32x4.sub(s1, c))
  u2 = f32x4.sub(u2, f32x4.sub(s2, c))
  u3 = f32x4.sub(u3, f32x4.sub(s3, c))
  c = constant(GATE + 3)
  const d = constant(GATE + 4)
  let p0 = madd(c, d, u0)
  let p1 = madd(c, d, u1)
  let p2 = madd(c, d, u2)
  let p3 = madd(c, d, u3)
  c = constant(GATE + 2)
  p0 = madd(c, p0, u0)
  p1 = madd(c, p1, u1)
  p2 = madd(c, p2, u2)
  p3 = madd(c, p3, u3)
  c = constant(GATE + 1)
  p0 = madd(c, p0, u0)
  p1 = madd(c, p1, u1)
  p2 = madd(c, p2, u2)
  p3 = madd(c, p3, u3)
  c = constant(GATE)
  p0 = madd(c, p0, u0)
  p1 = madd(c, p1, u1)
  p2 = madd(c, p2, u2)
  p3 = madd(c, p3, u3)
  c = constant(ONE)
  p0 = i32x4.add(madd(c, p0, u0), i32x4.shl(s0, 23))
  p1 = i32x4.add(madd(c, p1, u1), i32x4.shl(s1, 23))
  p2 = i32x4.add(madd(c, p2, u2), i32x4.shl(s2, 23))
  p3 = i32x4.add(madd(c, p3, u3), i32x4.shl(s3, 23))
  v128.store(y, f32x4.div(v128.load(a), f32x4.add(c, p0)))
  v128.store(y + yStride, f32x4.div(v128.load(a + stride), f32x4.add(c, p1)))
  v128.store(y + 2 * yStride, f32x4.div(v128.load(a + 2 * stride), f32x4.add(c, p2)))
  v128.store(y + 3 * yStride, f32x4.div(v128.load(a + 3 * stride), f32x4.add(c, p3)))
}

/** Below 0.625 a polynomial in x^2, above (1 - e) / (1 + e) with e = exp(-2 |x|) and the sign put back. */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x)
  const z = f32x4.mul(x, x)
  const p01 = madd(constant(TANH_SERIES), constant(TANH_SERIES + 1), z)
  const p23 = madd(constant(TANH_SERIES + 2), constant(TANH_SERIES + 3), z)
  const square = f32x4.mul(z, z)
  const p = madd(p01, madd(p23, constant(TANH_SERIES + 4), square), square)
  const small = madd(x, f32x4.mul(x, z), p)
  const e = expMinus4(f32x4.add(size, size))
  const large = f32x4.div(f32x4.sub(constant(ONE), e), f32x4.add(constant(ONE), e))
  const signed = v128.or(large, v128.and(x, i32x4.splat(i32.MIN_VALUE)))
  return v128.bitselect(small, signed, f32x4.lt(size, constant(TANH_END)))
}

/** max(x, 0) + slope min(x, 0) */
export function prelu4(x: v128, slope: v128): v128 {
  const zeros = splat(0.0)
  return f32x4.add(f32x4.pmax(zeros, x), f32x4.mul(slope, f32x4.pmin(zeros, x)))
}

function silu(at: usize, floats: i32): void {
  let n = floats
  for (; n >= 4 * LANES; n -= 4 * LANES, at += 4 * VECTOR) gateFour(at, VECTOR, at, at, VECTOR)
  for (; n > 0; n -= LANES, at += VECTOR) {
    const x = loadUpTo(at, n)
    storeUpTo(at, gate(x, x), n)
  }
}

function relu(at: usize, floats: i32): void {
  let n = floats
  for (; n >= LANES; n -= LANES, at += VECTOR) v128.store(at, f32x4.pmax(splat(0.0), v128.load(at)))
  if (n > 0) storePart(at, f32x4.pmax(splat(0.0), loadPart(at, n)), n)
}

function sigmoid(at: usize, floats: i32): void {
  let n = floats
  for (; n > 0; n -= LANES, at += VECTOR) storeUpTo(at, gate(constant(ONE), loadUpTo(at, n)), n)
}

function tanh(at: usize, floats: i32): void {
  let n = floats
  for (; n >= LANES; n -= LANES, at += VECTOR) v128.store(at, tanh4(v128.load(at)))
  if (n > 0) storePart(at, tanh4(loadPart(at, n)), n)
}

/** Applies the activation that follows a kernel to its result, in place. */
export function activate(code: i32, at: usize, floats: i32): void {
  if (code === SILU) silu(at, floats)
  else if (code === RELU) relu(at, floats)
  else if (code === SIGMOID) sigmoid(at, floats)
  else if (code === TANH) tanh(at, floats)
}

/** rows x channels, one slope per channel, in place. */
export function prelu(at: usize, slopes: usize, rows: i32, channels: i32): void {
  for (let row = 0; row < rows; row++) {
    let slope = slopes
    let n = channels
    for (; n >= LANES; n -= LANES, at += VECTOR, slope += VECTOR) {
      v128.store(at, prelu4(v128.load(at), v128.load(slope)))
    }
    if (n > 0) storePart(at, prelu4(loadPart(at, n), loadPart(slope, n)), n)
    at += (<usize>n) << 2
  }
}
