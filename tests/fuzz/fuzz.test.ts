// Every fuzz target for some hundred cases of a seed of its own; `npm run fuzz` goes on for as long as one likes.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatTally, runCases } from './campaign.ts'
import { TARGETS } from './targets.ts'

const CASES = 400
const SEED = 20261123

for (const target of TARGETS) {
  test(`${target.name}: documented errors only`, async () => {
    await target.prepare?.()
    const tally = await runCases(target, SEED, 0, ({ cases }) => cases < CASES)
    assert.is(tally.findings.length, 0, `${formatTally(tally)}\n${tally.findings.map(({ what }) => what).join('\n')}`)
    assert.ok(tally.outcomes.accepted > CASES / 50, 'sound ones get through')
    assert.ok(tally.outcomes.accepted < CASES, 'damaged ones do not')
  })
}

test.run()
