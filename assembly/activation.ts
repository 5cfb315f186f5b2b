// Activations and the functions they need: exp, ln, sigmoid, tanh, four lanes at a time. In: f32 lanes. Out: the same
// bits on every machine: only +, -, *, / and integer moves, coefficients are our own minimax fits. Relative errors over
// the stated ranges, as activation.test.ts measures them: exp 1.5e-7, ln 1.5e-7, sigmoid and silu 2.5e-7, tanh 2e-7.

import { LANES, loadPart, madd, nmadd, splat, storePart, VECTOR } from './lanes'

export const NONE: i32 = 0
export const SILU: i32 = 1
export const RELU: i32 = 2
export const SIGMOID: i32 = 3
export const TANH: i32 = 4
export const PRELU: i32 = 5

/** Within -87..87; beyond, the value at that end: no infinity and no denormal comes out. */
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, splat(-87.0)), splat(87.0))
  // x = n ln 2 + r with |r| <= ln 2 / 2: adding 1.5 * 2^23 leaves n in the low bits of the sum.
  const anchor = splat(12582912.0)
  const shifted = f32x4.add(f32x4.mul(clamped, splat(1.4426950408889634)), anchor)
  const n = f32x4.sub(shifted, anchor)
  const r = f32x4.sub(f32x4.sub(clamped, f32x4.mul(n, splat(0.693359375))), f32x4.mul(n, splat(-2.1219444e-4)))
  let p = splat(0.0013814610429108143)
  p = madd(splat(0.008368710987269878), p, r)
  p = madd(splat(0.04166838899254799), p, r)
  p = madd(splat(0.1666652113199234), p, r)
  p = madd(splat(0.4999999403953552), p, r)
  p = madd(f32x4.add(splat(1.0), r), f32x4.mul(r, r), p)
  return i32x4.add(p, i32x4.shl(shifted, 23))
}

/** For x >= 2^-126; below, zero included, about -87. */
export function ln4(x: v128): v128 {
  // x = m 2^e with sqrt(1/2) <= m < sqrt(2): both cut out of the bits, counted from those of sqrt(1/2).
  const bits = i32x4.sub(x, i32x4.splat(0x3f3504f3))
  const exponent = i32x4.shr_s(bits, 23)
  const e = f32x4.convert_i32x4_s(exponent)
  const m = i32x4.sub(x, i32x4.shl(exponent, 23))
  const f = f32x4.sub(m, splat(1.0))
  let p = splat(-0.07635646313428879)
  p = madd(splat(0.1276332437992096), p, f)
  p = madd(splat(-0.1316058486700058), p, f)
  p = madd(splat(0.14201553165912628), p, f)
  p = madd(splat(-0.16623298823833466), p, f)
  p = madd(splat(0.20001232624053955), p, f)
  p = madd(splat(-0.250008225440979), p, f)
  p = madd(splat(0.3333333134651184), p, f)
  const square = f32x4.mul(f, f)
  let small = f32x4.mul(f32x4.mul(p, square), f)
  small = nmadd(small, e, splat(2.1219444e-4))
  small = nmadd(small, splat(0.5), square)
  return f32x4.add(f32x4.add(small, f), f32x4.mul(e, splat(0.693359375)))
}

export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1.0), f32x4.add(splat(1.0), exp4(f32x4.neg(x))))
}

export function silu4(x: v128): v128 {
  return f32x4.div(x, f32x4.add(splat(1.0), exp4(f32x4.neg(x))))
}

/** Below 0.625 a polynomial in x^2, above 1 - 2 / (exp(2 |x|) + 1), with the sign put back. */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x)
  const z = f32x4.mul(x, x)
  let p = splat(-0.005704985931515694)
  p = madd(splat(0.02063908614218235), p, z)
  p = madd(splat(-0.05373971536755562), p, z)
  p = madd(splat(0.13331441581249237), p, z)
  p = madd(splat(-0.3333328068256378), p, z)
  const small = madd(x, f32x4.mul(x, z), p)
  const large = f32x4.sub(splat(1.0), f32x4.div(splat(2.0), f32x4.add(exp4(f32x4.add(size, size)), splat(1.0))))
  const signed = v128.or(large, v128.and(x, i32x4.splat(i32.MIN_VALUE)))
  return v128.bitselect(small, signed, f32x4.lt(size, splat(0.625)))
}

/** max(x, 0) + slope min(x, 0) */
export function prelu4(x: v128, slope: v128): v128 {
  const zeros = splat(0.0)
  return f32x4.add(f32x4.pmax(zeros, x), f32x4.mul(slope, f32x4.pmin(zeros, x)))
}

function silu(at: usize, floats: i32): void {
  let n = floats
  for (; n >= LANES; n -= LANES, at += VECTOR) v128.store(at, silu4(v128.load(at)))
  if (n > 0) storePart(at, silu4(loadPart(at, n)), n)
}

function relu(at: usize, floats: i32): void {
  let n = floats
  for (; n >= LANES; n -= LANES, at += VECTOR) v128.store(at, f32x4.pmax(splat(0.0), v128.load(at)))
  if (n > 0) storePart(at, f32x4.pmax(splat(0.0), loadPart(at, n)), n)
}

function sigmoid(at: usize, floats: i32): void {
  let n = floats
  for (; n >= LANES; n -= LANES, at += VECTOR) v128.store(at, sigmoid4(v128.load(at)))
  if (n > 0) storePart(at, sigmoid4(loadPart(at, n)), n)
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
