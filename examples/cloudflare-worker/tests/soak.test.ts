// The soak of soak.ts, short: what it promises, it promises of eight streams of twenty seconds too.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { soak } from './soak.ts'

test('eight streams of twenty seconds over a bad radio and a bad network', async () => {
  const { totals } = await soak({ streams: 8, seconds: 20, cuts: 3, crashes: 1, windows: 0 })
  // everything that can happen has happened
  for (const [name, count] of Object.entries(totals)) assert.ok(count > 0, name)
})

test.run()
