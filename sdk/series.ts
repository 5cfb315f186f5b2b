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
