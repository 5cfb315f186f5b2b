// All parsers of untrusted bytes that are fuzzed, by name.

import type { Target } from './campaign.ts'
import { message } from './message.ts'
import { model } from './model.ts'
import { options } from './options.ts'
import { barePickle, pickle } from './pickle.ts'
import { raw } from './raw.ts'
import { received } from './receiver.ts'
import { safetensors } from './safetensors.ts'
import { packet, replayed, snapshot } from './stream.ts'
import { wav } from './wav.ts'
import { zip } from './zip.ts'

export const TARGETS: readonly Target[] = [
  wav,
  raw,
  zip,
  pickle,
  barePickle,
  safetensors,
  model,
  snapshot,
  replayed,
  packet,
  received,
  message,
  options,
]
