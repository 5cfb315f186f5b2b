// The input itself: the row every other row is compared with.
import type { System } from './system.ts'

export const noisy: System = { name: 'noisy', enhance: async (x) => x.slice() }
