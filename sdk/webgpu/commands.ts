/** What may come before a stream's hop: bits of the flags in its row of a batch. */
export const COMMANDS = {
  /** The hop is the first of a stream. */
  reset: 1,
  /** The stream has ended with the hops done so far. */
  end: 2,
  /** The hop's input never came. */
  lost: 4,
} as const
