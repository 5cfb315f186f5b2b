// The compiler end to end: latency of the paper's variants, packing against its definition, plan, determinism.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeNetwork, type NetworkJson, parseCausal } from './attenuate.ts'
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts'
import { compile, compileCheckpoint } from './compile.ts'
import { formatInspection, inspectModel } from './inspect.ts'
import { lower } from './lower.ts'
import { decodeModel } from './modelfile.ts'
import { packRows, softplus } from './pack.ts'
import { measure } from './record.ts'
import { describeSpectral, describeUpsampler, fillNetwork } from './specimens.ts'

const SMALL = { channels: [4, 4, 6, 8, 6, 5], factors: [4, 4, 2, 2, 2, 2], order: 6 }

test("latency variants of the paper's network", () => {
  for (const [causal, delivered, algorithmic] of [
    ['none', 1280, 1256],
    ['neck', 768, 744],
    ['neck,decoder', 512, 500],
    ['encoder,neck', 512, 500],
    ['all', 256, 256],
  ] as const) {
    const model = decodeModel(compileCheckpoint(fillNetwork(describeNetwork(parseCausal(causal), SMALL), 1)))
    assert.is(model.latencySamples, delivered, causal)
    const report = inspectModel(model)
    assert.is(report.latencySamples, delivered)
    assert.is(report.algorithmicLatencySamples, algorithmic, `${causal} before rounding`)
    assert.ok(formatInspection(report).includes(`${delivered} samples (${(delivered / 16).toFixed(1)} ms) delivered`))
  }
  assert.throws(() => parseCausal('nose'), /OPTION_INVALID: causal part, nose/)
})

test("the paper's size and cost", () => {
  const checkpoint = fillNetwork(describeNetwork(), 1, true)
  const norms = [...checkpoint.tensors].filter(([name]) => !/_pre\.bias/.test(name))
  const parameters = norms.reduce((sum, [, { data }]) => sum + data.length, 0)
  const preBiases = 2 * (16 + 32 + 64 + 96 + 128) + 2 * 256
  assert.is(parameters + preBiases, 844864)
  const model = decodeModel(compileCheckpoint(checkpoint))
  assert.is(Math.round((model.macsPerHop * 16000) / 256 / 1e5), 3292)
})

test('a spectral network with look-ahead and overlap', () => {
  const model = decodeModel(compileCheckpoint(fillNetwork(describeSpectral(1), 1)))
  assert.is(model.overlapLag, 128)
  assert.is(model.lookaheadHops, 1)
  assert.is(model.latencySamples, 384)
  assert.is(decodeModel(compileCheckpoint(fillNetwork(describeSpectral(0), 1))).latencySamples, 256)
  assert.equal(model.card.name, 'spectral')
})

test('unequal rates', () => {
  const model = decodeModel(compileCheckpoint(fillNetwork(describeUpsampler(), 1)))
  assert.equal([model.inputRate, model.inputHop, model.outputRate, model.outputHop], [4000, 64, 16000, 256])
  // one step of look-ahead at 1 kHz is 16 samples at 16 kHz
  assert.is(inspectModel(model).algorithmicLatencySamples, 256 + 16)
  assert.is(model.latencySamples, 512)
})

test('every input of an op arrives as late as its result needs', () => {
  for (const checkpoint of [fillNetwork(describeNetwork([], SMALL), 2), fillNetwork(describeSpectral(), 2)]) {
    const { ops, lookaheadHops } = lower(checkpoint.graph)
    // lag of each buffer in hops: reshapes rename steps but not moments
    const hops = new Map<number, number>([[0, 0]])
    for (const op of ops) {
      const lags = op.inputs.map((buffer) => hops.get(buffer)!)
      assert.ok(
        lags.every((lag) => Math.abs(lag - lags[0]) < 1e-12),
        `${op.name} joins ${lags}`,
      )
      assert.ok(Number.isInteger(op.lag), `${op.name} lag ${op.lag}`)
      hops.set(op.result, op.lag / op.task.steps)
    }
    assert.is(hops.get(ops[ops.length - 1].result), lookaheadHops)
  }
})

test('no two values that live at once share scratch, and reuse pays', () => {
  for (const checkpoint of [fillNetwork(describeNetwork([], SMALL), 2), fillNetwork(describeSpectral(), 2)]) {
    const program = lower(checkpoint.graph)
    const { records, scratchBytes } = decodeModel(compileCheckpoint(checkpoint))
    // replay: each byte belongs to the last value written there; whoever reads must find its own
    const owner = new Int32Array(scratchBytes / 4).fill(-1)
    const claim = (offset: number, bytes: number, id: number) => owner.fill(id, offset / 4, (offset + bytes) / 4)
    claim(0, 4 * program.bufferFloats[0], 0)
    let total = 0
    for (const [i, record] of records.entries()) {
      const extent = measure(record.task, record.format)
      const op = program.ops[i]
      claim(record.temporary, extent.temporaryBytes, -2)
      claim(record.result, extent.resultBytes, op.result)
      for (const [k, bytes] of extent.inputBytes.entries()) {
        const held = owner.subarray(record.inputs[k] / 4, (record.inputs[k] + bytes) / 4)
        assert.ok(
          held.every((id) => id === op.inputs[k]),
          `${op.name} reads overwritten values`,
        )
      }
      total += extent.resultBytes + extent.temporaryBytes
    }
    assert.ok(scratchBytes < total / 3, `${scratchBytes} of ${total}`)
  }
})

test('look-ahead of whole samples is counted in whole samples', () => {
  const port = { rate: 16000, hop: 120 }
  const names = Array.from({ length: 7 }, (_, i) => `ahead${i}`)
  const graph = [
    { name: 'group', op: 'reshape', in: ['input'], shape: [3, 1, 40] },
    ...names.map((name, i) => ({ name, op: 'conv', in: [names[i - 1] ?? 'group'], taps: 3, lookahead: 1 })),
    { name: 'output', op: 'reshape', in: [names[6]], shape: [120, 1, 1] },
  ]
  const json: NetworkJson = { version: 1, name: 'ahead', input: port, output: port, graph }
  const { card } = decodeModel(compileCheckpoint(fillNetwork(json)))
  assert.is(card.algorithmicLatencySamples, 7 * 40 + 120)
})

test('packed rows interleave by four, and pad with zeros', () => {
  const packed = packRows(5, 3, (i, k) => 10 * i + k)
  assert.equal([...packed.subarray(0, 8)], [0, 10, 20, 30, 1, 11, 21, 31])
  assert.equal([...packed.subarray(12, 24)], [40, 0, 0, 0, 41, 0, 0, 0, 42, 0, 0, 0])
})

test('ssm blocks follow FORMAT.md', () => {
  const checkpoint = fillNetwork(describeSpectral(), 9)
  const { ops } = lower(checkpoint.graph)
  const op = ops.find((x) => x.name === 'memory')!
  const t = (name: string) => checkpoint.tensors.get(`memory.${name}`)!
  const [poles, B, C] = op.blocks as Float32Array[]
  const N = 10
  const width = 12
  const A = t('A').data
  for (let n = 0; n < width; n++) {
    const dt = n < N ? Math.exp(t('log_dt').data[n]) : 0
    const radius = n < N ? Math.exp(-dt * softplus(A[2 * n])) : 0
    const angle = n < N ? dt * A[2 * n + 1] : 0
    assert.ok(Math.abs(poles[n] - (1 - radius * Math.cos(angle))) < 1e-7)
    assert.ok(Math.abs(poles[width + n] - radius * Math.sin(angle)) < 1e-7)
    const parts = t('B').shape.length === 3 ? 2 : 1
    for (let part = 0; part < parts; part++) {
      const row = part * width + n
      const expected = n < N ? dt * t('B').data[(n * 12 + 7) * parts + part] : 0
      assert.ok(Math.abs(B[(row >> 2) * 4 * 12 + 7 * 4 + (row & 3)] - expected) < 1e-7)
    }
    const partsC = t('C').shape.length === 3 ? 2 : 1
    for (let part = 0; part < partsC; part++) {
      const expected = n < N ? (part ? -1 : 1) * t('C').data[(5 * N + n) * partsC + part] : 0
      const column = part * width + n
      assert.ok(Math.abs(C[(5 >> 2) * 4 * partsC * width + column * 4 + (5 & 3)] - expected) < 1e-7)
    }
  }
})

test('slow poles keep their time constant, unstable ones are refused', () => {
  const withDecay = (a: number): Checkpoint => {
    const checkpoint = fillNetwork(describeUpsampler(), 4)
    checkpoint.tensors.get('memory.A')!.data[0] = a
    checkpoint.tensors.get('memory.A')!.data[1] = 0
    checkpoint.tensors.get('memory.log_dt')!.data[0] = 0
    return checkpoint
  }
  const op = lower(withDecay(-15).graph).ops.find((x) => x.name === 'memory')!
  const decay = softplus(-15)
  assert.ok(Math.abs((op.blocks[0] as Float32Array)[0] / -Math.expm1(-decay) - 1) < 1e-6)
  assert.throws(() => lower(withDecay(-40).graph), /TENSOR_VALUE: node memory: decay per step of pole 0/)
  assert.throws(() => lower(withDecay(-1e9).graph), /TENSOR_VALUE/)
})

test('no pole is rounded onto the unit circle or beyond it, at any frequency', () => {
  const order = 64
  const json = describeUpsampler()
  json.graph.find(({ name }) => name === 'memory')!.order = order
  const checkpoint = fillNetwork(json, 4)
  checkpoint.tensors.get('memory.log_dt')!.data.fill(0)
  // of a decay of 2e-9, which f32 can tell at rest only
  const A = checkpoint.tensors.get('memory.A')!.data
  for (let n = 0; n < order; n++) A.set([-20, (Math.PI * n) / (order - 1)], 2 * n)
  const [poles] = lower(checkpoint.graph).ops.find(({ name }) => name === 'memory')!.blocks as Float32Array[]
  for (let n = 0; n < order; n++) {
    const size = Math.hypot(1 - poles[n], poles[order + n])
    assert.ok(size < 1 && size > 1 - 3e-7, `pole ${n}: 1 - ${1 - size}`)
  }
  A[1] = 1e308
  checkpoint.tensors.get('memory.log_dt')!.data[0] = 10
  assert.throws(() => lower(checkpoint.graph), /TENSOR_VALUE: node memory: a weight leaves the range of f32/)
})

test('activations fuse where nobody else reads the plain value', () => {
  const port = { rate: 16000, hop: 8 }
  const graph = [
    { name: 'a', op: 'linear', in: ['input'], channels: 1 },
    { name: 'a_act', op: 'act', in: ['a'], kind: 'silu' },
    { name: 'b', op: 'linear', in: ['a_act'], channels: 1 },
    { name: 'b_act', op: 'act', in: ['b'], kind: 'tanh' },
    { name: 'dead', op: 'linear', in: ['b'], channels: 3 },
    { name: 'output', op: 'add', in: ['b', 'b_act'] },
  ]
  const json: NetworkJson = { version: 1, name: 'fuse', input: port, output: port, graph }
  const { ops } = lower(fillNetwork(json, 1).graph)
  assert.equal(
    ops.map((op) => [op.name, op.task.kind, op.task.parameters[0]]),
    [
      ['a', 'linear', 1],
      ['b', 'linear', 0],
      ['b_act', 'act', 4],
      ['output', 'add', ops[3].task.parameters[0]],
    ],
  )
})

test('equal checkpoints give equal files', () => {
  for (const json of [describeSpectral(), describeNetwork([], SMALL)]) {
    const bytes = writeCheckpoint(fillNetwork(json, 7))
    const first = compile(bytes)
    assert.equal(compile(bytes.slice()), first)
    const other = compile(writeCheckpoint(fillNetwork(json, 8)))
    assert.not.equal(other, first)
  }
})

test('an identity network compiles to no records', () => {
  const port = { rate: 16000, hop: 8 }
  const json: NetworkJson = {
    version: 1,
    name: 'wire',
    input: port,
    output: port,
    graph: [{ name: 'output', op: 'reshape', in: ['input'], shape: [8, 1, 1] }],
  }
  const model = decodeModel(compileCheckpoint(fillNetwork(json)))
  assert.is(model.records.length, 0)
  assert.is(model.inputOffset, model.outputOffset)
})

test.run()
