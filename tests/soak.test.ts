// The soak, shortened: every model, a minute and more of each signal. `npm run soak` does ten million hops.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MODELS } from '../sdk/index.ts'
import { soak } from './soak.ts'

for (const model of Object.keys(MODELS)) {
  test(model, async () => {
    const { hops, findings } = await soak(model, 20_000)
    assert.equal(findings, [])
    assert.ok(hops >= 20_000)
  })
}

test.run()
