// What `inspect` says about latency, measured: a stream is played twice, once with one sample changed. Where the outputs
// begin to differ is how far the network looks ahead; how many inputs are in when an output comes is what it waits. For
// every latency variant of the paper's network and every shipped model.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeNetwork, PAPER, parseCausal } from '../quantize/attenuate.ts'
import { writeCheckpoint } from '../quantize/checkpoint.ts'
import { compile } from '../quantize/compile.ts'
import { inspectModel } from '../quantize/inspect.ts'
import { decodeModel } from '../quantize/modelfile.ts'
import { fillNetwork } from '../quantize/specimens.ts'
import { Denoiser } from '../sdk/index.ts'
import { drawSamples } from './golden/signal.ts'

/** The paper's levels with few channels: latency depends on the levels alone. */
const NARROW = { ...PAPER, channels: [4, 5, 6, 6, 6, 6], order: 6 }
const shipped = (name: string) => readFileSync(fileURLToPath(new URL(`../models/${name}.ssm`, import.meta.url)))

const VARIANTS = [
  ['none', 1280],
  ['neck', 768],
  ['neck,decoder', 512],
  ['encoder,neck', 512],
  ['all', 256],
] as const

for (const [causal, expected] of VARIANTS) {
  test(`paper's network, causal ${causal}: ${expected} samples`, async () => {
    await measure(compileNarrow(causal), expected)
  })
}

for (const [name, expected] of [
  ['base', 256],
  ['lite', 256],
  ['hq', 768],
] as const) {
  test(`${name}: ${expected} samples`, () => measure(shipped(name), expected, 1))
}

/** `unheard`: samples at the end of the reach that count nothing, as where a window begins with zero. */
async function measure(bytes: Uint8Array, expected: number, unheard = 0): Promise<void> {
  const inspection = inspectModel(decodeModel(bytes))
  assert.is(inspection.latencySamples, expected)
  using denoiser = await Denoiser.create({ model: bytes })
  assert.is(denoiser.latencySamples, expected)
  const hop = inspection.input.hop
  assert.is(longestWait(denoiser, 4 * expected), expected)
  assert.is(farthestLook(denoiser, hop, expected, unheard === 0), inspection.algorithmicLatencySamples - 1 - unheard)
}

/** Without what is not linear and with positive weights: a change reaches all that it can reach, and nothing cancels. */
function compileNarrow(causal: string): Uint8Array {
  const json = describeNetwork(parseCausal(causal), NARROW)
  const through = new Map(
    json.graph.filter(({ op }) => op === 'norm' || op === 'act').map((node) => [node.name, node.in[0]]),
  )
  const source = (name: string): string => (through.has(name) ? source(through.get(name)!) : name)
  json.graph = json.graph.filter(({ name }) => !through.has(name)).map((node) => ({ ...node, in: node.in.map(source) }))
  const checkpoint = fillNetwork(json, 5, true)
  for (const [name, { data }] of checkpoint.tensors) {
    if (name.endsWith('.log_dt')) data.fill(0)
    else if (name.endsWith('_ssm.A')) for (let i = 0; i < data.length; i += 2) data.set([1, 0], i)
    else data.fill(0.3)
  }
  return compile(writeCheckpoint(checkpoint, 'F32'))
}

/** The most inputs that must be in, one after the other, before an output comes, beyond its own number. */
function longestWait(denoiser: Denoiser, samples: number): number {
  denoiser.reset()
  let [made, longest] = [0, 0]
  for (let given = 1; given <= samples; given++) {
    const ready = denoiser.process(new Float32Array(1)).length
    if (ready > 0) longest = Math.max(longest, given - made)
    made += ready
  }
  return longest
}

/** The largest distance from a changed input back to the first output that it changes. */
function farthestLook(denoiser: Denoiser, hop: number, latency: number, isLinear: boolean): number {
  const before = 6 * hop
  const length = before + hop + latency + hop
  const samples = isLinear ? new Float32Array(length) : drawSamples(length, 3, 0.1)
  const play = (input: Float32Array) => {
    denoiser.reset()
    return denoiser.process(input)
  }
  const plain = play(samples)
  let farthest = 0
  for (let at = before; at < before + hop; at++) {
    const changed = samples.slice()
    changed[at] += 1
    const out = play(changed)
    const first = out.findIndex((x, i) => x !== plain[i])
    assert.ok(first >= 0, `nothing follows a change at ${at}`)
    farthest = Math.max(farthest, at - first)
  }
  return farthest
}

test.run()
