// SHA-256 by the host and in JavaScript: the vectors of FIPS 180-4, and the same bytes for parts as for the whole.

import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashParts } from './sha256.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const text = (words: string) => new TextEncoder().encode(words)

/** As on a host without crypto of its own. */
function withoutHost<T>(run: () => T): T {
  const own = process.getBuiltinModule
  Object.assign(process, { getBuiltinModule: undefined })
  try {
    return run()
  } finally {
    Object.assign(process, { getBuiltinModule: own })
  }
}

for (const [where, run] of [
  ['host', <T>(f: () => T) => f()],
  ['JavaScript', withoutHost],
] as const) {
  test(`vectors, ${where}`, () => {
    run(() => {
      assert.is(hex(hashParts([])), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
      assert.is(hex(hashParts([text('abc')])), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
      assert.is(
        hex(hashParts([text('abcdbcdecdefdefgefghfghighijhijkijkljklm'), text('klmnlmnomnopnopq')])),
        '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
      )
    })
  })

  test(`parts of every length, ${where}`, () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 37) & 255)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const expected = createHash('sha256').update(bytes).digest('hex')
      assert.is(
        run(() => hex(hashParts([bytes.subarray(0, cut), bytes.subarray(cut)]))),
        expected,
      )
    }
  })
}

test.run()
