// How near a signal is to another. In: two of one length. Out: the energy of the expected one over that of what differs, in dB.

export function measureSnrDb(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) throw new Error(`${found.length} samples, expected ${expected.length}`)
  let [signal, error] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i] ** 2
    error += (found[i] - expected[i]) ** 2
  }
  return 10 * Math.log10(signal / error)
}
