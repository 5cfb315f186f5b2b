// All parsers of untrusted bytes that are fuzzed, by name.

import type { Target } from './campaign.ts'
import { model } from './model.ts'
import { barePickle, pickle } from './pickle.ts'
import { safetensors } from './safetensors.ts'
import { packet, replayed, snapshot } from './stream.ts'
import { wav } from './wav.ts'
import { zip } from './zip.ts'

export const TARGETS: readonly Target[] = [wav, zip, pickle, barePickle, safetensors, model, snapshot, replayed, packet]
