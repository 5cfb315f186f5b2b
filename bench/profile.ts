// Where the time of a hop goes, record by record. In: a model file. Out: microseconds, share and GMAC/s per record and
// per kind, and the sum beside whole hops timed in one call. Each record is the best of many hops, on noise.

import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { Argument, Command } from 'commander'
import { type CoreExports, moduleOf, randoms, type Target } from '../assembly/fixture.ts'
import { decodeModel } from '../quantize/modelfile.ts'
import { countMacs } from '../quantize/record.ts'

setFlagsFromString('--no-liftoff')
const HOPS = 3000

const command: Command = new Command('node --import tsx bench/profile.ts')
  .argument('<model>', 'file')
  .addArgument(new Argument('[build]', 'of the core').choices(['simd', 'relaxed', 'scalar']).default('simd'))
  .parse()
const [path, target] = command.processedArgs as [string, Target]
const bytes = readFileSync(path)
const model = decodeModel(bytes)
const align = (n: number) => Math.ceil(n / 64) * 64
const module = moduleOf(target)
if (!module) command.error(`core ${target}: this Node does not accept it, use simd`)

const memory = new WebAssembly.Memory({
  initial: Math.ceil((4096 + bytes.length + model.stateBytes + model.scratchBytes) / 65536) + 1,
})
const core = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as CoreExports
const program = align(core.heapBase())
const state = align(program + bytes.length)
const scratch = align(state + model.stateBytes)
new Uint8Array(memory.buffer).set(bytes, program)
core.reset(program, state)
const samples = new Float32Array(memory.buffer, scratch + model.inputOffset, model.inputHop)

const best = new Float64Array(model.records.length).fill(Number.POSITIVE_INFINITY)
let bestHop = Number.POSITIVE_INFINITY
for (let hop = 0; hop < HOPS; hop++) {
  const noise = randoms(model.inputHop, hop, 0.1)
  samples.set(noise)
  const from = performance.now()
  core.hop(program, state, scratch)
  // look-ahead leaves the first hops idle
  const idle = hop < model.lookaheadHops + 2
  if (!idle) bestHop = Math.min(bestHop, performance.now() - from)
  samples.set(noise)
  for (let i = 0; i < best.length; i++) {
    const before = performance.now()
    core.run(program, state, scratch, i, i + 1)
    if (!idle) best[i] = Math.min(best[i], performance.now() - before)
  }
}
// the clock's own cost, which each record pays once
let clock = Number.POSITIVE_INFINITY
for (let i = 0; i < 10000; i++) {
  const before = performance.now()
  clock = Math.min(clock, performance.now() - before)
}

const sum = best.reduce((total, ms) => total + ms - clock, 0)
const names = model.card.ops ?? []
const kinds = new Map<string, { ms: number; macs: number; records: number }>()
const line = (name: string, kind: string, ms: number, macs: number) =>
  `${name.padEnd(24)}${kind.padEnd(10)}${(ms * 1000).toFixed(2).padStart(9)}${((100 * ms) / sum).toFixed(1).padStart(7)} %${(macs / ms / 1e6).toFixed(1).padStart(8)}`

console.log(
  `${'record'.padEnd(24)}${'kind'.padEnd(10)}${'us'.padStart(9)}${'share'.padStart(9)}${'GMAC/s'.padStart(8)}`,
)
for (const [i, { task }] of model.records.entries()) {
  const ms = best[i] - clock
  const macs = countMacs(task)
  console.log(line(names[i] ?? String(i), task.kind, ms, macs))
  const kind = kinds.get(task.kind) ?? { ms: 0, macs: 0, records: 0 }
  kinds.set(task.kind, { ms: kind.ms + ms, macs: kind.macs + macs, records: kind.records + 1 })
}
console.log()
for (const [kind, { ms, macs, records }] of [...kinds].sort(([, a], [, b]) => b.ms - a.ms)) {
  console.log(line(`${records} records`, kind, ms, macs))
}
const hopMs = (1000 * model.inputHop) / model.inputRate
console.log(
  `\nsum ${(sum * 1000).toFixed(1)} us, whole hop ${(bestHop * 1000).toFixed(1)} us of ${hopMs} ms: real-time factor ${(bestHop / hopMs).toFixed(5)}; ${(model.macsPerHop / hopMs / 1000).toFixed(1)} MMAC/s`,
)
