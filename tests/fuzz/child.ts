// The process in which cases run: the one that may hang or run out of memory. In: arguments: target, seed, first case, end
// in milliseconds since 1970. Out: on descriptor 4 the number of each case before it runs, a line each; at the end the
// tally, as a message.

import { writeSync } from 'node:fs'
import { runCases } from './campaign.ts'
import { TARGETS } from './targets.ts'

const PROGRESS = 4

const [name, seed, from, until] = process.argv.slice(2)
const target = TARGETS.find((each) => each.name === name)!
await target.prepare?.()
const tally = await runCases(
  target,
  Number(seed),
  Number(from),
  ({ cases }) => cases === 0 || Date.now() < Number(until), // on a busy machine the start alone may take that long
  // at once: this thread may never come back
  (number) => writeSync(PROGRESS, `${number}\n`),
)
process.send!(tally, () => process.disconnect())
