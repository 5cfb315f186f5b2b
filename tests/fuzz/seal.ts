// Snapshots and recordings with something wrong, sealed again: their check sum, and mostly their length, are those of what they
// are now, so that they are read to where the damage is.

import type { Random } from '../../quantize/specimens.ts'
import { crc32 } from '../../sdk/snapshot.ts'
import { damage, happens, joined } from './mutation.ts'

const CHECK_BYTES = 4
const LENGTH_AT = 8

/** `sound`: with its check sum. Damage anywhere, most often sealed again. */
export function spoil(random: Random, sound: Uint8Array): Uint8Array {
  const spoilt = damage(random, sound.subarray(0, -CHECK_BYTES))
  if (happens(random, 0.1)) return spoilt.slice()
  return happens(random, 0.8) ? resealed(spoilt) : withCheck(spoilt)
}

/** `body`: without its check sum. */
export function resealed(body: Uint8Array): Uint8Array {
  const out = body.slice()
  if (out.length >= LENGTH_AT + 4) new DataView(out.buffer).setUint32(LENGTH_AT, out.length + CHECK_BYTES, true)
  return withCheck(out)
}

function withCheck(body: Uint8Array): Uint8Array {
  const check = new Uint8Array(CHECK_BYTES)
  new DataView(check.buffer).setUint32(0, crc32(body), true)
  return joined(body, check)
}
