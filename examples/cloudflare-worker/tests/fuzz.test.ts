// The fuzzing of fuzz.ts, short: real workerd, connections that say anything, and a stream beside them that does not notice.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CLOSE } from '../client/protocol.ts'
import { fuzzEdge } from './fuzz.ts'

test('150 connections that say anything', async () => {
  const ends = await fuzzEdge({ seed: 20261125, from: 0, connections: 150 })
  for (const name of [400, CLOSE.ended, CLOSE.badMessage])
    assert.ok(ends[name] > 0, `${name} among ${JSON.stringify(ends)}`)
})

test.run()
