// Spectra: transform of real frames and back, log power, compression, complex filtering. A spectrum is (positions, 2),
// re and im interleaved, two complex numbers to a vector. n-point transforms run as complex ones of n/2 points (Stockham's
// autosort, radix 2 in pairs of passes, decimation in frequency: Cooley & Tukey 1965, Stockham 1966) and one split step.

import { expMinus4, ln4 } from './activation'
import { copy } from './arena'
import { LANES, loadPart, madd, splat, storePart, VECTOR } from './lanes'
import { Op } from './record'

/** Kind of a record (program.ts). */
const COMPRESS: u32 = 21

/** Bytes of one complex number. */
const COMPLEX: usize = 8

/** Windowed frames (S, 1, n) -> spectra (S, n/2 + 1, 2). */
export function rfft(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const n = op.parameter0
  const half = n >>> 1
  const tables = program + op.weights1
  const temporary = scratch + op.temporaryAt
  for (let step = from; step < to; step++) {
    const X = op.resultStep(scratch, step)
    applyWindow(op.inputStep(scratch, step), program + op.weights0, temporary, n)
    split(transform(temporary, X, half, tables), X, half, tables + <usize>half * 4)
  }
}

/** Spectra (S, k, 2) -> the last m samples (S, 1, m) of the inverse transform, windowed. */
export function irfft(op: Op, program: usize, scratch: usize, from: i32, to: i32): void {
  const n = op.parameter0
  const m = op.parameter1
  const half = n >>> 1
  const tables = program + op.weights1
  const temporary = scratch + op.temporaryAt
  for (let step = from; step < to; step++) {
    join(op.inputStep(scratch, step), temporary, half, tables + <usize>half * 4)
    const z = transform(temporary, temporary + ((<usize>n) << 2), half, tables)
    unfold(z, program + op.weights0, op.resultStep(scratch, step), n - m, m, <f32>1 / <f32>n)
  }
}

function applyWindow(x: usize, window: usize, y: usize, n: i32): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += VECTOR) {
    v128.store(y + i, f32x4.mul(v128.load(x + i), v128.load(window + i)))
  }
}

/** (b0 i, b1 i) for two complex numbers. */
function timesI(b: v128): v128 {
  return v128.xor(exchange(b), negativeFirst())
}

/** (b0 / i, b1 / i) */
function perI(b: v128): v128 {
  return conjugate(exchange(b))
}

function negativeFirst(): v128 {
  return i32x4(i32.MIN_VALUE, 0, i32.MIN_VALUE, 0)
}

function conjugate(a: v128): v128 {
  return v128.xor(a, i32x4(0, i32.MIN_VALUE, 0, i32.MIN_VALUE))
}

function realParts(a: v128): v128 {
  return i8x16.shuffle(a, a, 0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11)
}

function imaginaryParts(a: v128): v128 {
  return i8x16.shuffle(a, a, 4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15)
}

/** Two complex products. */
function multiply2(a: v128, b: v128): v128 {
  return madd(f32x4.mul(realParts(a), b), imaginaryParts(a), timesI(b))
}

/** The two complex numbers in reverse order. */
function reverse(a: v128): v128 {
  return i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
}

/**
 * Complex transform of `points` (8 or more) numbers at a; a and b change roles from pass to pass. Two passes of radix 2 are
 * made at once, so that what lies between them stays in registers. Returns where the result is.
 */
function transform(a: usize, b: usize, points: i32, twiddles: usize): usize {
  const halfBytes = <usize>points * 4
  firstTwoPasses(a, b, halfBytes, twiddles)
  let x = b
  let y = a
  let run: usize = 4 * COMPLEX
  for (; run < halfBytes; run <<= 2) {
    twoPasses(x, y, halfBytes, run, twiddles)
    const swap = x
    x = y
    y = swap
  }
  if (run > halfBytes) return x
  lastPass(x, y, halfBytes)
  return y
}

function firstComplex(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
}

function secondComplex(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
}

/** Runs of one number, then of two: neighbours in a vector have different twiddles and part ways. */
function firstTwoPasses(x: usize, y: usize, halfBytes: usize, twiddles: usize): void {
  const quarter = halfBytes >> 1
  for (let j: usize = 0; j < quarter; j += VECTOR) {
    const a0 = v128.load(x + j)
    const b0 = v128.load(x + halfBytes + j)
    const a1 = v128.load(x + quarter + j)
    const b1 = v128.load(x + halfBytes + quarter + j)
    const s0 = f32x4.add(a0, b0)
    const s1 = f32x4.add(a1, b1)
    const d0 = multiply2(v128.load(twiddles + j), f32x4.sub(a0, b0))
    const d1 = multiply2(v128.load(twiddles + quarter + j), f32x4.sub(a1, b1))
    const w = firstComplex(v128.load(twiddles + 2 * j), v128.load(twiddles + 2 * j, 16))
    const sum = f32x4.add(s0, s1)
    const sumLater = f32x4.add(d0, d1)
    const difference = multiply2(w, f32x4.sub(s0, s1))
    const differenceLater = multiply2(w, f32x4.sub(d0, d1))
    const out = y + 4 * j
    v128.store(out, firstComplex(sum, sumLater))
    v128.store(out, firstComplex(difference, differenceLater), 16)
    v128.store(out, secondComplex(sum, sumLater), 32)
    v128.store(out, secondComplex(difference, differenceLater), 48)
  }
}

/** w d, where w is one number: its real part in all lanes, its imaginary part with the signs that multiplying by i needs. */
function turn(re: v128, im: v128, d: v128): v128 {
  return madd(f32x4.mul(re, d), im, exchange(d))
}

function signed(w: v128): v128 {
  return v128.xor(imaginaryParts(w), negativeFirst())
}

/**
 * Runs of `run` bytes share a twiddle: y[2j] = x[j] + x[j + half], y[2j + run] = w^j (x[j] - x[j + half]); then the same
 * with runs twice as long, whose halves are those that come from j and from j + half/2 here.
 */
function twoPasses(x: usize, y: usize, halfBytes: usize, run: usize, twiddles: usize): void {
  const quarter = halfBytes >> 1
  for (let j: usize = 0; j < quarter; j += run) {
    const w0 = v128.load64_splat(twiddles + j)
    const w1 = v128.load64_splat(twiddles + quarter + j)
    const w2 = v128.load64_splat(twiddles + 2 * j)
    const re0 = realParts(w0)
    const im0 = signed(w0)
    const re1 = realParts(w1)
    const im1 = signed(w1)
    const re2 = realParts(w2)
    const im2 = signed(w2)
    let at = x + j
    let out = y + 4 * j
    for (const end = at + run; at < end; at += VECTOR, out += VECTOR) {
      const a0 = v128.load(at)
      const b0 = v128.load(at + halfBytes)
      const a1 = v128.load(at + quarter)
      const b1 = v128.load(at + halfBytes + quarter)
      const s0 = f32x4.add(a0, b0)
      const s1 = f32x4.add(a1, b1)
      const d0 = turn(re0, im0, f32x4.sub(a0, b0))
      const d1 = turn(re1, im1, f32x4.sub(a1, b1))
      v128.store(out, f32x4.add(s0, s1))
      v128.store(out + run, f32x4.add(d0, d1))
      v128.store(out + 2 * run, turn(re2, im2, f32x4.sub(s0, s1)))
      v128.store(out + 3 * run, turn(re2, im2, f32x4.sub(d0, d1)))
    }
  }
}

/** The pass that is left over where their number is odd: one run, whose twiddle is 1. */
function lastPass(x: usize, y: usize, halfBytes: usize): void {
  for (let k: usize = 0; k < halfBytes; k += VECTOR) {
    const a = v128.load(x + k)
    const b = v128.load(x + halfBytes + k)
    v128.store(y + k, f32x4.add(a, b))
    v128.store(y + halfBytes + k, f32x4.sub(a, b))
  }
}

/**
 * From Z, the transform of even samples + i odd samples, to X[k] = E + w^k O, X[half - k] = conj(E - w^k O) with
 * E = (Z[k] + conj Z[half-k]) / 2, O = (Z[k] - conj Z[half-k]) / 2i. Z and X may be one buffer.
 */
function split(Z: usize, X: usize, half: i32, twiddles: usize): void {
  const bytes = <usize>half * COMPLEX
  const re = load<f32>(Z)
  const im = load<f32>(Z + 4)
  const halves = splat(0.5)
  for (let k = COMPLEX; k < bytes >> 1; k += VECTOR) {
    const a = v128.load(Z + k)
    const b = conjugate(reverse(v128.load(Z + bytes - k - COMPLEX)))
    const even = f32x4.mul(halves, f32x4.add(a, b))
    const odd = perI(f32x4.mul(halves, f32x4.sub(a, b)))
    const turned = multiply2(v128.load(twiddles + k), odd)
    v128.store(X + k, f32x4.add(even, turned))
    v128.store(X + bytes - k - COMPLEX, reverse(conjugate(f32x4.sub(even, turned))))
  }
  store<f32>(X, re + im)
  store<f32>(X + 4, 0)
  store<f32>(X + bytes, re - im)
  store<f32>(X + bytes + 4, 0)
}

/** The reverse of `split`, times 2, with re and im exchanged so that the forward transform inverts. */
function join(X: usize, Z: usize, half: i32, twiddles: usize): void {
  const bytes = <usize>half * COMPLEX
  for (let k = COMPLEX; k < bytes >> 1; k += VECTOR) {
    const a = v128.load(X + k)
    const b = conjugate(reverse(v128.load(X + bytes - k - COMPLEX)))
    const even = f32x4.add(a, b)
    const odd = timesI(multiply2(conjugate(v128.load(twiddles + k)), f32x4.sub(a, b)))
    v128.store(Z + k, exchange(f32x4.add(even, odd)))
    v128.store(Z + bytes - k - COMPLEX, exchange(reverse(conjugate(f32x4.sub(even, odd)))))
  }
  const first = load<f32>(X)
  const last = load<f32>(X + bytes)
  store<f32>(Z, first - last)
  store<f32>(Z + 4, first + last)
}

/** re and im change places. */
function exchange(a: v128): v128 {
  return i8x16.shuffle(a, a, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
}

/** y[i] = scale window[i] x[skip + i], where x lies in z with even and odd samples exchanged. */
function unfold(z: usize, window: usize, y: usize, skip: i32, m: i32, scale: f32): void {
  let i = 0
  if (!(skip & 3)) {
    const s = splat(scale)
    for (; i + LANES <= m; i += LANES) {
      const x = exchange(v128.load(z + ((<usize>(skip + i)) << 2)))
      const at = (<usize>i) << 2
      v128.store(y + at, f32x4.mul(f32x4.mul(x, s), v128.load(window + at)))
    }
  }
  for (; i < m; i++) {
    const at = (<usize>i) << 2
    store<f32>(y + at, load<f32>(z + ((<usize>((skip + i) ^ 1)) << 2)) * scale * load<f32>(window + at))
  }
}

/** ln(re^2 + im^2 + eps) of four complex numbers. */
function lnPower(a: v128, b: v128, eps: v128): v128 {
  const re = i8x16.shuffle(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
  const im = i8x16.shuffle(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
  return ln4(f32x4.add(madd(f32x4.mul(re, re), im, im), eps))
}

/** Two complex numbers, of which only the first is read where n === 1. */
function loadPair(at: usize, n: i32): v128 {
  return n >= 2 ? v128.load(at) : v128.load64_zero(at)
}

function storePair(at: usize, v: v128, n: i32): void {
  if (n >= 2) v128.store(at, v)
  else v128.store64_lane(at, v, 0)
}

// The log power that the last `logpower` of this call has made: a `compress` of the same numbers reads it instead of making
// it again. Of n complex numbers at notedX, with notedEps, to n floats at notedY; n is 0 where nothing is noted.
let notedFloats: i32 = 0
let notedX: usize = 0
let notedY: usize = 0
let notedEps: f32 = 0

export function forgetPowers(): void {
  notedFloats = 0
}

/** Before a record runs: forgets where it may write to what was read or made. */
export function guardPowers(op: Op, scratch: usize): void {
  if (notedFloats === 0 || (op.kind & 0xffff) === COMPRESS) return
  const bytes = (<usize>notedFloats) << 2
  if (op.temporaryAt !== 0 || writes(op, scratch, notedX, 2 * bytes) || writes(op, scratch, notedY, bytes)) forgetPowers()
}

function writes(op: Op, scratch: usize, at: usize, bytes: usize): bool {
  const result = op.resultStep(scratch, 0)
  return result < at + bytes && at < op.resultStep(scratch, op.steps)
}

/** ln(|x|^2 + eps) / 2 of n complex numbers. */
function lnPowers(x: usize, y: usize, n: i32, eps: f32): void {
  const e = splat(eps)
  const halves = splat(0.5)
  for (; n >= LANES; n -= LANES, x += 2 * VECTOR, y += VECTOR) {
    v128.store(y, f32x4.mul(halves, lnPower(v128.load(x), v128.load(x, 16), e)))
  }
  if (n > 0) {
    const second = n > 2 ? v128.load64_zero(x + VECTOR) : splat(0.0)
    storePart(y, f32x4.mul(halves, lnPower(loadPair(x, n), second, e)), n)
  }
}

/** ln(|x|^2 + eps) / 2 */
export function logpower(op: Op, scratch: usize, from: i32, to: i32): void {
  notedFloats = (to - from) * op.positions
  notedX = op.inputStep(scratch, from)
  notedY = op.resultStep(scratch, from)
  notedEps = reinterpret<f32>(op.parameter0)
  lnPowers(notedX, notedY, notedFloats, notedEps)
}

/**
 * x (|x|^2 + eps)^((q-1)/2). The logarithms come first, all of them: one loop of both would wait for each exp in turn. They may
 * stand where the result begins, so that goes from the end to the front.
 */
export function compress(op: Op, scratch: usize, from: i32, to: i32): void {
  const exponent = splat(<f32>1 - reinterpret<f32>(op.parameter0))
  const eps = reinterpret<f32>(op.parameter1)
  const n = (to - from) * op.positions
  let x = op.inputStep(scratch, from)
  let y = op.resultStep(scratch, from)
  let ln = y
  const isApart = !writes(op, scratch, notedY, (<usize>n) << 2)
  if (notedX === x && notedFloats === n && notedEps === eps && (isApart || notedY === y)) ln = notedY
  else lnPowers(x, y, n, eps)
  forgetPowers()
  const whole = (<usize>(n & ~3)) << 2
  const first = ln
  x += 2 * whole
  y += 2 * whole
  ln += whole
  const rest = n & 3
  if (rest > 0) {
    const gain = expMinus4(f32x4.mul(exponent, loadPart(ln, rest)))
    const second = rest > 2 ? v128.load64_zero(x + VECTOR) : splat(0.0)
    storePair(y, f32x4.mul(loadPair(x, rest), lowPairs(gain)), rest)
    if (rest > 2) v128.store64_lane(y + VECTOR, f32x4.mul(second, highPairs(gain)), 0)
  }
  while (ln > first) {
    x -= 2 * VECTOR
    y -= 2 * VECTOR
    ln -= VECTOR
    const gain = expMinus4(f32x4.mul(exponent, v128.load(ln)))
    v128.store(y, f32x4.mul(v128.load(x), lowPairs(gain)))
    v128.store(y, f32x4.mul(v128.load(x, 16), highPairs(gain)), 16)
  }
}

/** The first two lanes, and the last two, each twice: factors of complex numbers. */
function lowPairs(a: v128): v128 {
  return i8x16.shuffle(a, a, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7)
}

function highPairs(a: v128): v128 {
  return i8x16.shuffle(a, a, 8, 9, 10, 11, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15)
}

/** y[t,p] = sum_i M_i[t,p] x[t-i,p], complex; the state holds x[t-1], x[t-2], .. newest first. */
export function filter(op: Op, state: usize, scratch: usize, from: i32, to: i32): void {
  const taps = op.parameter0
  const positions = op.positions
  const bytes = <usize>positions * COMPLEX
  const history = state + op.stateAt
  for (let step = from; step < to; step++) {
    const M = op.secondStep(scratch, step, positions * 2 * taps)
    filterStep(op, history, scratch, step, M, op.resultStep(scratch, step), taps)
  }
  const taken = min(taps - 1, op.steps)
  for (let i = taps - 2; i >= taken; i--)
    copy(history + <usize>i * bytes, history + <usize>(i - taken) * bytes, 2 * positions)
  for (let i = 0; i < taken; i++)
    copy(history + <usize>i * bytes, op.inputStep(scratch, op.steps - 1 - i), 2 * positions)
}

function filterStep(op: Op, history: usize, scratch: usize, step: i32, M: usize, y: usize, taps: i32): void {
  const bytes = <usize>op.positions * COMPLEX
  for (let i = 0; i < taps; i++, M += COMPLEX) {
    const past = i - step - 1
    const x = past < 0 ? op.inputStep(scratch, step - i) : history + <usize>past * bytes
    filterTap(x, M, <usize>taps * COMPLEX, y, op.positions, i === 0)
  }
}

/** y = M x, or y += M x after the first tap; factors of neighbours are `strideM` apart. */
function filterTap(x: usize, M: usize, strideM: usize, y: usize, positions: i32, first: bool): void {
  let n = positions
  for (; n >= 2; n -= 2, x += VECTOR, y += VECTOR, M += 2 * strideM) {
    const m = v128.load64_lane(M + strideM, v128.load64_zero(M), 1)
    const product = multiply2(m, v128.load(x))
    v128.store(y, first ? product : f32x4.add(v128.load(y), product))
  }
  if (n > 0) {
    const product = multiply2(v128.load64_zero(M), v128.load64_zero(x))
    v128.store64_lane(y, first ? product : f32x4.add(v128.load64_zero(y), product), 0)
  }
}
