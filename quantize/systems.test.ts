// Inspection of state-space layers against first principles: weights read back from the file, gains against a Fourier sum of
// the impulse response, Hankel values against those of balancing.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NetworkJson } from './attenuate.ts'
import type { Checkpoint } from './checkpoint.ts'
import { compileCheckpoint, compileWithin } from './compile.ts'
import { discretise, impulseResponse } from './discretise.ts'
import { balance } from './hankel.ts'
import { decodeModel } from './modelfile.ts'
import { drawNormal, fillNetwork, seedRandom } from './specimens.ts'
import { hankelValues, inspectSystems, measureGains } from './systems.ts'
import { unpackSystem } from './unpack.ts'

function network(inputs: number, outputs: number, seed: number): Checkpoint {
  const port = { rate: 16000, hop: inputs * outputs }
  const json: NetworkJson = {
    version: 1,
    name: 'one',
    input: port,
    output: port,
    graph: [
      { name: 'group', op: 'reshape', in: ['input'], shape: [outputs, 1, inputs] },
      { name: 'x', op: 'ssm', in: ['group'], channels: outputs, order: 7 },
      { name: 'flat', op: 'reshape', in: ['x'], shape: [1, 1, outputs * outputs] },
      { name: 'all', op: 'linear', in: ['flat'], channels: inputs * outputs },
      { name: 'output', op: 'reshape', in: ['all'], shape: [inputs * outputs, 1, 1] },
    ],
  }
  const checkpoint = fillNetwork(json, seed)
  const random = seedRandom(seed + 100)
  for (const [name, { data }] of checkpoint.tensors)
    if (name === 'x.A') for (let i = 0; i < data.length; i += 2) data[i] = 3 + drawNormal(random)
  return checkpoint
}

const SIZES = [
  [1, 1],
  [1, 3],
  [3, 1],
  [4, 4],
  [2, 5],
] as const

test('weights come back from the file, and gains are those of the impulse response', () => {
  for (let seed = 1; seed <= 6; seed++) {
    for (const [inputs, outputs] of SIZES) {
      const checkpoint = network(inputs, outputs, seed)
      const bytes = compileCheckpoint(checkpoint)
      const model = decodeModel(bytes)
      const system = unpackSystem(bytes, model.records.find(({ task }) => task.kind === 'ssm')!)
      const original = discretise(checkpoint.graph.nodes.find(({ name }) => name === 'x')!.tensors)
      const [h, wanted] = [impulseResponse(system, 3000), impulseResponse(original, 3000)]
      const size = Math.max(...wanted.flatMap((one) => [...one].map(Math.abs)))
      for (const [k, one] of wanted.entries())
        for (const [i, value] of one.entries()) assert.ok(Math.abs(value - h[k][i]) < 1e-5 * size)
      assert.is(system.D?.length, original.D?.length)
      for (const omega of [0, 0.01, 0.3, 2, Math.PI]) {
        const gain = 10 ** (measureGains(system, [omega])[0] / 20)
        assert.ok(Math.abs(gain / sumGain(h, system.D, inputs, outputs, omega) - 1) < 1e-4, `${gain}`)
      }
    }
  }
})

/** |sum_k h[k] e^{-i omega k} + D|_F */
function sumGain(h: Float64Array[], D: Float64Array | undefined, inputs: number, outputs: number, omega: number) {
  const [re, im] = [new Float64Array(inputs * outputs), new Float64Array(inputs * outputs)]
  for (const [k, one] of h.entries()) {
    for (const [i, value] of one.entries()) {
      re[i] += value * Math.cos(omega * k)
      im[i] -= value * Math.sin(omega * k)
    }
  }
  if (D?.length === outputs && inputs === outputs) for (let d = 0; d < outputs; d++) re[d * inputs + d] += D[d]
  else if (D) for (const [i, value] of D.entries()) re[i] += value
  return Math.hypot(...re, ...im)
}

test('integers come back as the compiler rounded them', () => {
  for (const [inputs, outputs] of SIZES) {
    const checkpoint = network(inputs, outputs, 3)
    const original = discretise(checkpoint.graph.nodes.find(({ name }) => name === 'x')!.tensors)
    for (const [format, steps] of [
      ['int8', 127],
      ['int4', 7],
    ] as const) {
      const { bytes } = compileWithin(checkpoint, { format })
      const record = decodeModel(bytes).records.find(({ task }) => task.kind === 'ssm')!
      assert.is(record.format, format === 'int8' ? 1 : 2)
      const system = unpackSystem(bytes, record)
      for (let n = 0; n < 7; n++) {
        for (const part of ['re', 'im'] as const) {
          const wanted = original.B[part].subarray(n * inputs, (n + 1) * inputs)
          const largest = Math.max(...wanted.map(Math.abs))
          for (const [c, value] of wanted.entries())
            assert.ok(Math.abs(system.B[part][n * inputs + c] - value) <= (0.51 * largest) / steps + 1e-12, format)
        }
      }
    }
  }
})

test('a summary per ssm record: poles, values, response', () => {
  const checkpoint = network(4, 4, 9)
  const bytes = compileCheckpoint(checkpoint)
  const [found, ...others] = inspectSystems(bytes, decodeModel(bytes))
  assert.is(others.length, 0)
  assert.is(found.name, 'x')
  assert.is(found.rate, 4000)
  assert.is(found.poles.length, 7)
  const { decay, ...system } = discretise(checkpoint.graph.nodes.find(({ name }) => name === 'x')!.tensors)
  const slowest = 1000 / (Math.min(...decay) * 4000)
  assert.ok(Math.abs(found.poles[0].timeConstantMs / slowest - 1) < 1e-4)
  const { sigma } = balance({ decay, ...system, D: undefined })
  assert.ok(Math.abs(found.hankel[0] / sigma[0] - 1) < 1e-4)
  assert.ok(Math.abs(hankelValues({ decay, ...system })[2] / sigma[2] - 1) < 1e-9)
  assert.is(found.gainDb.length, found.frequenciesHz.length)
  assert.is(found.frequenciesHz.at(-1), 2000)
})

test.run()
