// Seeded random numbers (mulberry32, 32-bit state), so that one seed always gives the same mixes.
// A Deck deals every item once, shuffled, before any is dealt again: coverage without a fixed pattern.

export type Random = () => number // uniform in [0, 1)

export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Fisher-Yates on a copy. */
export const shuffle = <T>(items: readonly T[], random: Random): T[] => {
  const dealt = [...items]
  for (let i = dealt.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const t = dealt[i]
    dealt[i] = dealt[j]
    dealt[j] = t
  }
  return dealt
}

/** Returns a function that deals items without end, each once per round. */
export const dealFrom = <T>(items: readonly T[], random: Random): (() => T) => {
  if (items.length === 0) throw new Error('EMPTY_DECK: nothing to deal; pass at least one item')
  let round: T[] = []
  return () => {
    if (round.length === 0) round = shuffle(items, random)
    return round.pop() as T
  }
}
