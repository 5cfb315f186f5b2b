// All parsers of untrusted bytes that are fuzzed, by name.

import type { Target } from './campaign.ts'
import { barePickle, pickle } from './pickle.ts'
import { safetensors } from './safetensors.ts'
import { zip } from './zip.ts'

export const TARGETS: readonly Target[] = [zip, pickle, barePickle, safetensors]
