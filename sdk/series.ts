// Functions whose last bit may differ from engine to engine, by their series: +, -, *, / alone give the same everywhere.

/** sin(pi x). Taylor's series within half a turn: exact to 1e-16. */
export function sinPi(x: number): number {
  const turns = Math.round(x)
  const angle = Math.PI * (x - turns)
  const square = angle * angle
  let term = angle
  let sum = angle
  for (let k = 2; k <= 22; k += 2) {
    term *= -square / (k * (k + 1))
    sum += term
  }
  return turns % 2 === 0 ? sum : -sum
}

/** Modified Bessel function of the first kind, order 0. */
export function besselI0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

/** Natural logarithm of a positive number: twice the series of artanh, around powers of 2. */
export function ln(x: number): number {
  let exponent = 0
  let mantissa = x
  for (; mantissa > 1.5; exponent++) mantissa /= 2
  for (; mantissa < 0.75; exponent--) mantissa *= 2
  const ratio = (mantissa - 1) / (mantissa + 1)
  const square = ratio * ratio
  let term = ratio
  let sum = 0
  for (let k = 1; k < 40; k += 2, term *= square) sum += term / k
  return 2 * sum + exponent * Math.LN2
}

/** e to a power of at most some hundreds: Taylor's series within half of ln 2. */
export function exp(x: number): number {
  const doublings = Math.round(x / Math.LN2)
  const rest = x - doublings * Math.LN2
  let term = 1
  let sum = 1
  for (let k = 1; k < 20; k++) {
    term *= rest / k
    sum += term
  }
  return sum * 2 ** doublings
}
