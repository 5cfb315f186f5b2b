// SHA-256 of parts in a row, synchronously. In: byte arrays. Out: 32 bytes. The host's own where it has one at hand (Node, Deno, Bun:
// a tenth of the time before a first hop), else in JavaScript: a worklet has no crypto, and elsewhere it is asynchronous.

import { sha256 } from '@noble/hashes/sha2.js'

interface Hash {
  update(bytes: Uint8Array): Hash
  digest(): Uint8Array
}

interface Host {
  readonly process?: { readonly getBuiltinModule?: (name: string) => { createHash(name: string): Hash } | undefined }
}

export function hashParts(parts: readonly Uint8Array[]): Uint8Array {
  const hash: Hash = ownHash() ?? sha256.create()
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

function ownHash(): Hash | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.('node:crypto')?.createHash('sha256')
}
