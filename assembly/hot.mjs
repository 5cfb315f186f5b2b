// `npm run wat`: writes assembly/hot.wat, the hot loops of the core as they are compiled, for reading and for the tests.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describeHotLoops } from './loops.mjs'

writeFileSync(fileURLToPath(new URL('hot.wat', import.meta.url)), describeHotLoops())
