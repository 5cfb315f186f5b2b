// Reduction of whole checkpoints: identity at zero, known error at a tolerance, targets reached, refusals.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeNetwork, type NetworkJson } from './attenuate.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { compile, compileCheckpoint, compileWithin, compileWithReport } from './compile.ts'
import { discretise, gainAtRest, impulseResponse, toTensors } from './discretise.ts'
import { AttenuateError } from './errors.ts'
import { execute } from './execution.ts'
import { decodeModel } from './modelfile.ts'
import { realise, reduceStates } from './realisation.ts'
import { analyseLayers, applyRealisations, calibrate, orderAt, reduceByTolerance } from './reduce.ts'
import { measureSnrDb } from './snr.ts'
import { describeSpectral, drawNormal, fillNetwork, seedRandom } from './specimens.ts'

/** Noise that comes and goes, with a low tone: neither white nor steady. */
function drawAudio(samples: number, seed = 1): Float32Array {
  const random = seedRandom(seed)
  let slow = 0
  return Float32Array.from({ length: samples }, (_, t) => {
    slow = 0.9 * slow + 0.1 * drawNormal(random)
    return 0.3 * (1 + Math.sin(t / 700)) * slow + 0.05 * Math.sin(t / 20)
  })
}

/** The paper's topology, small, with more states than it needs. */
function paper(seed = 1): Checkpoint {
  return fillNetwork(
    describeNetwork(['encoder', 'neck', 'decoder'], { channels: [3, 4], factors: [4, 2], order: 24 }),
    seed,
    true,
  )
}

function compareOn(a: Checkpoint, b: Checkpoint, audio: Float32Array): number {
  const [x, y] = [a, b].map(({ graph }) => execute(graph, audio).signals.get('output')!)
  return measureSnrDb(y, x)
}

function refuses(run: () => unknown, pattern: RegExp): void {
  assert.throws(run, (error: unknown) => {
    assert.instance(error, AttenuateError)
    assert.ok(pattern.test((error as Error).message), `${(error as Error).message} against ${pattern}`)
    return true
  })
}

test('tolerance 0 changes nothing', () => {
  const bytes = writeCheckpoint(paper())
  const { checkpoint, report } = compileWithReport(bytes, { tolerance: 0 })
  assert.ok(report!.layers.every((layer) => layer.form === 'original' && layer.relativeBound === 0))
  assert.is(report!.macsPerSecondAfter, report!.macsPerSecondBefore)
  assert.equal(compileCheckpoint(checkpoint), compile(bytes))
})

test('smaller tolerances keep more of the signal and cost more', () => {
  const checkpoint = paper()
  const audio = drawAudio(5000)
  const layers = analyseLayers(checkpoint)
  let last = { snrDb: -1, cost: 0 }
  for (const tolerance of [0.3, 0.03, 0.003]) {
    const realisations = reduceByTolerance(layers, tolerance)
    const cost = realisations.reduce((sum, { macsPerSecond }) => sum + macsPerSecond, 0)
    const snrDb = compareOn(checkpoint, applyRealisations(checkpoint, realisations), audio)
    assert.ok(snrDb > last.snrDb && cost > last.cost, `${tolerance}: ${snrDb} dB at ${cost}`)
    last = { snrDb, cost }
  }
  assert.ok(last.snrDb > 35, `${last.snrDb}`)
})

test('a reduced checkpoint is a checkpoint: written, read, compiled alike', () => {
  const { checkpoint, bytes } = compileWithReport(writeCheckpoint(paper()), { tolerance: 0.01 })
  const again = readCheckpoint(writeCheckpoint(checkpoint, 'F64'))
  assert.equal(compileCheckpoint(again), compileCheckpoint(checkpoint))
  assert.ok(decodeModel(bytes).macsPerHop < decodeModel(compile(writeCheckpoint(paper()))).macsPerHop)
})

test('one channel: the first response and the gain at rest stay exact', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const layers = analyseLayers(paper(seed)).filter(({ direct }) => direct)
    assert.is(layers.length, 4)
    for (const layer of layers) {
      const found = reduceStates(layer, orderAt(layer, 0.1))
      if (!found) continue
      const { system } = found
      const full = discretise(layer.node.tensors)
      const [wanted, kept] = [gainAtRest(full)[0], gainAtRest(system)[0] + system.D![0]]
      assert.ok(Math.abs(wanted - kept) < 1e-9 * (1 + Math.abs(wanted)), `seed ${seed} at rest: ${kept}, ${wanted}`)
      const before = impulseResponse(full, 1)[0][0]
      const after = impulseResponse(system, 1)[0][0] + system.D![0]
      assert.ok(Math.abs(before - after) < 1e-9 * (1 + Math.abs(before)), `seed ${seed} at once: ${after}, ${before}`)
    }
  }
})

test('D survives reduction, diagonal and full', () => {
  const port = { rate: 16000, hop: 8 }
  const graph = [
    { name: 'group', op: 'reshape', in: ['input'], shape: [2, 1, 4] },
    { name: 'x', op: 'ssm', in: ['group'], channels: 4, order: 12 },
    { name: 'output', op: 'reshape', in: ['x'], shape: [8, 1, 1] },
  ]
  const json: NetworkJson = { version: 1, name: 'd', input: port, output: port, graph }
  for (let seed = 1; seed <= 12; seed++) {
    const checkpoint = fillNetwork(json, seed)
    const D = checkpoint.tensors.get('x.D')!
    const [layer] = analyseLayers(checkpoint)
    const realisation = realise(layer, orderAt(layer, 1e-3))!
    const reduced = applyRealisations(checkpoint, [realisation])
    // with the complex states where those stand apart from the real ones
    const kept = reduced.tensors.get('x.D') ?? reduced.tensors.get('x_pairs.D')!
    assert.equal(kept.shape, D.shape)
    assert.equal(kept.data, D.data)
    assert.ok(compareOn(checkpoint, reduced, drawAudio(800, seed)) > 40)
  }
})

test('states apart take names that are free, and not too long', () => {
  const port = { rate: 16000, hop: 16 }
  for (const name of ['x', 'x'.repeat(100)]) {
    const graph = [
      { name: 'group', op: 'reshape', in: ['input'], shape: [4, 1, 4] },
      { name, op: 'ssm', in: ['group'], channels: 4, order: 40 },
      { name: 'x_real', op: 'linear', in: [name], channels: 4 },
      { name: 'output', op: 'reshape', in: ['x_real'], shape: [16, 1, 1] },
    ]
    const checkpoint = fillNetwork({ version: 1, name: 'n', input: port, output: port, graph }, 1, true)
    const { report, checkpoint: reduced } = compileWithin(checkpoint, { tolerance: 0.1 })
    assert.is(report!.layers[0].form, 'complex + real')
    const snrDb = compareOn(checkpoint, reduced, drawAudio(800))
    assert.ok(snrDb > 10, `${snrDb} dB`)
  }
})

test('a layer that reads or writes nothing is reported in numbers', () => {
  for (const name of ['B', 'C']) {
    const checkpoint = paper(11)
    checkpoint.tensors.get(`neck0_ssm.${name}`)!.data.fill(0)
    const { report } = compileWithin(checkpoint, { tolerance: 0.01 })
    const { relativeBound, hankel, sizeAfter } = report!.layers.find((layer) => layer.name === 'neck0_ssm')!
    assert.equal([relativeBound, hankel, sizeAfter], [0, [0], 1])
  }
})

test('a target SNR is reached on the calibration audio, and more costs more', () => {
  const bytes = writeCheckpoint(paper(4))
  const calibration = drawAudio(5000)
  const costs = [25, 40].map((targetSnrDb) => {
    const { report, checkpoint } = compileWithReport(bytes, { targetSnrDb, calibration })
    const measured = compareOn(readCheckpoint(bytes), checkpoint, calibration)
    assert.ok(measured >= targetSnrDb, `${measured} of ${targetSnrDb}`)
    assert.ok(Math.abs(measured - report!.snrDb!) < 1e-6)
    return report!.macsPerSecondAfter
  })
  assert.ok(costs[0] < costs[1], `${costs}`)
})

test('by sensitivity costs no more than one tolerance for all at the same SNR', () => {
  const checkpoint = paper(5)
  const calibration = drawAudio(5000)
  const layers = analyseLayers(checkpoint, calibrate(checkpoint, calibration))
  const flat = reduceByTolerance(layers, 0.01)
  const snrDb = compareOn(checkpoint, applyRealisations(checkpoint, flat), calibration)
  const { report } = compileWithReport(writeCheckpoint(checkpoint, 'F64'), { targetSnrDb: snrDb - 0.5, calibration })
  const cost = flat.reduce((sum, { macsPerSecond }) => sum + macsPerSecond, 0)
  assert.ok(
    report!.ssmMacsPerSecondAfter <= 1.02 * cost,
    `${report!.ssmMacsPerSecondAfter} against ${cost} at ${snrDb} dB`,
  )
})

test('a limit of MACs is kept', () => {
  const bytes = writeCheckpoint(paper(6))
  const calibration = drawAudio(5000)
  const { report } = compileWithReport(bytes, { targetSnrDb: 30, calibration })
  const limit = report!.macsPerSecondAfter
  const found = compileWithReport(bytes, { maxMacsPerSecond: limit, calibration })
  assert.ok(found.report!.macsPerSecondAfter <= limit)
  assert.ok(found.report!.snrDb! > 27, `${found.report!.snrDb}`)
  refuses(
    () => compileWithReport(bytes, { maxMacsPerSecond: 1000, calibration }),
    /^TARGET_IMPOSSIBLE: .*, 1000; at least/,
  )
})

test('a spectral network reduces too, with positions side by side', () => {
  const checkpoint = fillNetwork(describeSpectral(), 2)
  const calibration = drawAudio(128 * 40)
  const { report, bytes } = compileWithReport(writeCheckpoint(checkpoint, 'F64'), { targetSnrDb: 30, calibration })
  assert.ok(report!.snrDb! >= 30)
  assert.ok(decodeModel(bytes).records.length > 0)
})

test('equal input gives equal bytes', () => {
  const bytes = writeCheckpoint(paper(7))
  const options = { targetSnrDb: 30, calibration: drawAudio(4000) }
  assert.equal(compile(bytes, options), compile(bytes, options))
})

test('refusals', () => {
  const bytes = writeCheckpoint(paper())
  const calibration = drawAudio(2000)
  refuses(() => compile(bytes, { tolerance: 1.5 }), /^OPTION_INVALID: tolerance, 1.5/)
  refuses(() => compile(bytes, { tolerance: Number.NaN }), /^OPTION_INVALID: tolerance, NaN/)
  refuses(() => compile(bytes, { targetSnrDb: 30 }), /^OPTION_INVALID: target without calibration audio/)
  refuses(() => compile(bytes, { targetSnrDb: 30, tolerance: 0.1, calibration }), /^OPTION_INVALID: more than one/)
  refuses(() => compile(bytes, { targetSnrDb: -3, calibration }), /^OPTION_INVALID: target SNR in dB, -3/)
  refuses(
    () => compile(bytes, { targetSnrDb: 30, calibration: new Float32Array(4000) }),
    /^AUDIO_INVALID: calibration audio is silent/,
  )
  refuses(
    () => compile(bytes, { targetSnrDb: 30, calibration: Float32Array.of(1, Number.NaN) }),
    /^AUDIO_INVALID: calibration audio at sample 1, NaN/,
  )
  const unstable = paper()
  unstable.tensors.get('down1_ssm.A')!.data[4] = -1e4
  refuses(
    () => compile(writeCheckpoint(unstable), { tolerance: 0.1 }),
    /^TENSOR_VALUE: node down1_ssm: decay per step of pole 2/,
  )
  refuses(() => compile(writeCheckpoint(unstable)), /^TENSOR_VALUE: node down1_ssm: decay per step of pole 2/)
})

test('reduced systems read back from tensors as they were', () => {
  const checkpoint = paper(9)
  const [layer] = analyseLayers(checkpoint).filter(({ direct }) => !direct)
  const { system } = reduceStates(layer, 6)!
  const back = discretise(toTensors(system))
  const [a, b] = [impulseResponse(system, 30), impulseResponse(back, 30)]
  for (const [k, h] of a.entries())
    for (const [i, value] of h.entries()) assert.ok(Math.abs(value - b[k][i]) < 1e-9 * (1 + Math.abs(value)))
})

/** One layer hears the audio, two only whether it was lost. */
function deafNetwork(channels: number): NetworkJson {
  const port = { rate: 16000, hop: 16 }
  const graph = [
    { name: 'heard', op: 'ssm', in: ['input'], channels: 1, order: 12 },
    { name: 'lost', op: 'reshape', in: ['flag'], shape: [1, 1, 1] },
    { name: 'fed', op: 'linear', in: ['lost'], channels },
    { name: 'deaf', op: 'ssm', in: ['fed'], channels, order: 9 },
    { name: 'alone', op: 'ssm', in: ['lost'], channels: 1, order: 9 },
    { name: 'both', op: 'concat', in: ['deaf', 'alone'] },
    { name: 'spread', op: 'linear', in: ['both'], channels: 16 },
    { name: 'samples', op: 'reshape', in: ['spread'], shape: [16, 1, 1] },
    { name: 'output', op: 'add', in: ['heard', 'samples'] },
  ]
  return { version: 1, name: 'deaf', input: port, output: port, graph }
}

test('a layer whose input never varies in the calibration audio is not judged by it', () => {
  const audio = drawAudio(16000)
  const effectOfLoss = ({ graph }: Checkpoint) => {
    const [whole, broken] = [[], [200, 201, 600]].map((lost) => execute(graph, audio, lost).signals.get('output')!)
    return broken.map((value, i) => value - whole[i])
  }
  for (const channels of [1, 3]) {
    const checkpoint = fillNetwork(deafNetwork(channels), 3)
    for (const options of [{ tolerance: 0.01, weighted: true }, { targetSnrDb: 40 }]) {
      const reduced = compileWithin(checkpoint, { ...options, calibration: audio }).checkpoint
      const snrDb = measureSnrDb(effectOfLoss(reduced), effectOfLoss(checkpoint))
      assert.ok(snrDb > 50, `${channels} channels, ${JSON.stringify(options)}: what a loss does, ${snrDb} dB`)
    }
  }
})

test('whatever the arithmetic asked for, a choice within it that exists is found', () => {
  const port = { rate: 16000, hop: 16 }
  const graph = [{ name: 'output', op: 'ssm', in: ['input'], channels: 1, order: 40 }]
  const checkpoint = fillNetwork({ version: 1, name: 'alone', input: port, output: port, graph }, 1)
  const calibration = drawAudio(16000)
  for (const maxMacsPerSecond of [1.3e5, 2e5, 3e5, 5e5, 9e5]) {
    const { macsPerSecondAfter } = compileWithin(checkpoint, { maxMacsPerSecond, calibration }).report!
    assert.ok(macsPerSecondAfter <= maxMacsPerSecond, `${macsPerSecondAfter} of ${maxMacsPerSecond}`)
  }
  refuses(() => compileWithin(checkpoint, { maxMacsPerSecond: 1000, calibration }), /^TARGET_IMPOSSIBLE: multiply/)
})

test.run()
