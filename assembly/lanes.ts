// Four f32 lanes: the few idioms every kernel shares. Small enough that the optimiser inlines each of them.
// A row whose length is no multiple of 4 ends in a part of 1..3 lanes: read with zeros behind it, written without them.

/** Bytes of one vector. */
export const VECTOR: usize = 16
export const LANES: i32 = 4

/** n up to a multiple of 4. */
export function up(n: i32): i32 {
  return (n + 3) & ~3
}

export function splat(value: f32): v128 {
  return f32x4.splat(value)
}

/** sum + a b; one rounding in the relaxed build where the machine has it, else two. */
export function madd(sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum)
  return f32x4.add(sum, f32x4.mul(a, b))
}

/** sum - a b */
export function nmadd(sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, sum)
  return f32x4.sub(sum, f32x4.mul(a, b))
}

/** |v|. V8 makes the mask of `f32x4.abs` anew at each use, three instructions where one will do. */
export function magnitude(v: v128): v128 {
  return v128.and(v, i32x4.splat(i32.MAX_VALUE))
}

/** The order of this sum is part of the numeric version. */
export function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
}

/** The first n (1..3) lanes from memory, zeros behind; touches nothing beyond them. */
export function loadPart(at: usize, n: i32): v128 {
  if (n === 1) return v128.load32_zero(at)
  const pair = v128.load64_zero(at)
  if (n === 2) return pair
  return v128.load32_lane(at + 8, pair, 2)
}

/** The first n lanes from memory, all of them where n >= 4. */
export function loadUpTo(at: usize, n: i32): v128 {
  return n >= LANES ? v128.load(at) : loadPart(at, n)
}

/** The first n (1..3) lanes to memory. */
export function storePart(at: usize, v: v128, n: i32): void {
  if (n === 1) {
    v128.store32_lane(at, v, 0)
    return
  }
  v128.store64_lane(at, v, 0)
  if (n === 3) v128.store32_lane(at + 8, v, 2)
}

/** The first n lanes to memory, all of them where n >= 4. */
export function storeUpTo(at: usize, v: v128, n: i32): void {
  if (n >= LANES) v128.store(at, v)
  else storePart(at, v, n)
}

/** Four vectors that are not stored whole, on their way. */
const PARTS: usize = memory.data(64, 16)

/** The first n lanes of four vectors to places `stride` apart; `rows` of the vectors. */
// @ts-ignore: decorator
@inline
export function storeFour(at: usize, stride: usize, a: v128, b: v128, c: v128, d: v128, n: i32, rows: i32 = 4): void {
  if (n >= LANES && rows >= 4) {
    v128.store(at, a)
    v128.store(at + stride, b)
    v128.store(at + 2 * stride, c)
    v128.store(at + 3 * stride, d)
    return
  }
  v128.store(PARTS, a)
  v128.store(PARTS, b, 16)
  v128.store(PARTS, c, 32)
  v128.store(PARTS, d, 48)
  const end = PARTS + <usize>min(rows, 4) * VECTOR
  for (let part = PARTS; part < end; part += VECTOR, at += stride) storeUpTo(at, v128.load(part), n)
}

/**
 * What lies below 2^-63 (-379 dB of full scale) becomes zero, long before it, or its square, could be denormal.
 * Denormals would cost ~100 cycles each on some machines, and other bits on those that flush them.
 */
export function settle(v: v128): v128 {
  return v128.and(v, f32x4.ge(magnitude(v), f32x4.splat(1.0842021724855044e-19)))
}
