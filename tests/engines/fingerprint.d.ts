// Types of fingerprint.js, for tests that load it in their own process.

import type { Denoiser, MODELS } from '../../sdk/index.ts'

type Hash = (bytes: Uint8Array) => string | Promise<string>

/** SHA-256 of every output, by model, core and rate. */
export function fingerprint(
  sdk: { Denoiser: typeof Denoiser; MODELS: typeof MODELS },
  samples: Float32Array,
  cores: Readonly<Record<string, WebAssembly.Module>>,
  hash: Hash,
): Promise<Record<string, string>>
