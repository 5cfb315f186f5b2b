// Model files with one thing or more wrong, sealed again so that the SHA-256 does not keep anyone from reading on. In: random
// numbers. Out: bytes for quantize/modelfile.ts; what it accepts runs in the real core, where nothing may trap, hang or be
// no number.

import { describeNetwork } from '../../quantize/attenuate.ts'
import { writeCheckpoint } from '../../quantize/checkpoint.ts'
import { compile } from '../../quantize/compile.ts'
import { HEADER_BYTES, RECORD_BYTES, sealModel } from '../../quantize/modelfile.ts'
import { SMALL } from '../../quantize/specimens.pytorch.ts'
import { describeSpectral, describeUpsampler, fillNetwork, type Random } from '../../quantize/specimens.ts'
import type { Core } from '../../sdk/core.ts'
import { shareCore } from '../../sdk/cores.ts'
import { nodeHost } from '../../sdk/host.node.ts'
import { ParsedModel } from '../../sdk/model.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, damage, disturb, happens } from './mutation.ts'

const SOUND = [describeNetwork([], SMALL), describeSpectral(), describeUpsampler()].map((json, i) =>
  compile(writeCheckpoint(fillNetwork(json, 1 + i), 'F32')),
)
/** Larger ones are sound but slow. */
const MAX_RUN_BYTES = 1 << 24
const MAX_RUN_MACS = 1e7
const HOPS = 3
let core: Core

export const model: Target = {
  name: 'model',
  codes: ['MODEL_INVALID', 'MODEL_VERSION', 'MODEL_TRUNCATED', 'MODEL_HASH'],
  async prepare() {
    core = await shareCore(nodeHost)
  },
  draw(random) {
    const bytes = choose(random, SOUND).slice()
    for (let n = 1 + below(random, 3); n > 0; n--) spoilWord(random, bytes)
    if (happens(random, 0.1)) return damage(random, bytes)
    return sealModel(bytes)
  },
  parse(bytes) {
    const parsed = ParsedModel.parse(bytes)
    const { stateBytes, scratchBytes, macsPerHop } = parsed.model
    if (stateBytes + scratchBytes > MAX_RUN_BYTES || macsPerHop > MAX_RUN_MACS) return
    run(parsed)
  },
}

/** A field of the header or of a record, mostly; else anything. */
function spoilWord(random: Random, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records = Math.min(64, Math.floor((bytes.length - HEADER_BYTES) / RECORD_BYTES))
  const end = happens(random, 0.9) ? HEADER_BYTES + RECORD_BYTES * records : bytes.length
  const at = 4 * below(random, Math.floor(end / 4))
  if (happens(random, 0.3)) view.setUint16(at, disturb(random, view.getUint16(at, true)) & 65535, true)
  else view.setUint32(at, disturb(random, view.getUint32(at, true)) >>> 0, true)
}

function run(parsed: ParsedModel): void {
  const program = core.acquireProgram(parsed)
  const { inputHop, outputHop, inputOffset, outputOffset } = parsed.model
  const state = core.acquireState(program)
  try {
    for (let hop = 0; hop < HOPS; hop++) {
      const input = core.floats(program.scratch + inputOffset, inputHop)
      for (let i = 0; i < inputHop; i++) input[i] = 0.3 * Math.sin(i * (hop + 1))
      core.exports.hop(program.address, state, program.scratch)
    }
    promise(core.floats(program.scratch + outputOffset, outputHop).length === outputHop, 'a whole result')
  } finally {
    core.releaseState(program, state)
    core.releaseProgram(program)
  }
}
