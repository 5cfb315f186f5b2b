// What calibration promises, on seeded random systems of every kind: the mean input is answered exactly, states have unit
// RMS, the fit is never worse than plain truncation on the recording, and rescaling changes no response.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { matchRest, type Recording, refitReadout, scaleToRecording, stateAtRest } from './calibration.ts'
import { gainAtRest, impulseResponse, isReal, type LinearSystem } from './discretise.ts'
import { fitFir } from './fir.ts'
import { balance, truncate } from './hankel.ts'
import { visitStates } from './recurrence.ts'
import { drawNormal, type Random, seedRandom } from './specimens.ts'

function drawSystem(random: Random, inputs: number, outputs: number): LinearSystem {
  const order = 3 + Math.floor(12 * random())
  const draw = (count: number) => Float64Array.from({ length: count }, () => drawNormal(random))
  return {
    order,
    inputs,
    outputs,
    decay: Float64Array.from({ length: order }, () => 0.003 + 0.5 * random() ** 2),
    angle: Float64Array.from({ length: order }, (_, n) => (n % 3 ? 2 * random() : 0)),
    B: { re: draw(order * inputs), im: new Float64Array(order * inputs) },
    C: { re: draw(outputs * order), im: random() < 0.5 ? draw(outputs * order) : new Float64Array(outputs * order) },
    D: undefined,
  }
}

/** y = Re(C x) for every step, from states at zero. */
function run(system: LinearSystem, input: Float64Array, positions: number): Float32Array {
  const { order: N, inputs, outputs, C } = system
  const out = new Float32Array((input.length / inputs) * outputs)
  visitStates(system, input, positions, (states, first, rows) => {
    for (let r = 0; r < rows; r++) {
      for (let d = 0; d < outputs; d++) {
        let sum = 0
        for (let n = 0; n < N; n++)
          sum += C.re[d * N + n] * states[2 * r * N + n] - C.im[d * N + n] * states[(2 * r + 1) * N + n]
        out[(first + r) * outputs + d] = sum
      }
    }
  })
  return out
}

/** Coloured noise around a mean, and what the system makes of it. */
function drawRecording(random: Random, system: LinearSystem, positions: number): Recording {
  const { inputs } = system
  const mean = Float64Array.from({ length: inputs }, () => 2 * drawNormal(random))
  const input = new Float32Array(900 * positions * inputs)
  for (let i = 0; i < input.length; i++)
    input[i] = drawNormal(random) + 0.8 * (i >= positions * inputs ? input[i - positions * inputs] : 0)
  const whole = Float64Array.from(input, (value, i) => value + mean[i % inputs])
  return { positions, input, output: run(system, whole, positions), mean, late: false }
}

const SIZES = [
  [1, 1],
  [1, 3],
  [3, 1],
  [4, 4],
  [2, 6],
] as const

function overSystems(seed: number, check: (system: LinearSystem, recording: Recording) => void): number {
  const random = seedRandom(seed)
  let count = 0
  for (let k = 0; k < 20; k++) {
    for (const [inputs, outputs] of SIZES) {
      const system = drawSystem(random, inputs, outputs)
      check(system, drawRecording(random, system, k % 4 === 3 ? 3 : 1))
      count++
    }
  }
  return count
}

function answerAtRest(system: LinearSystem, mean: Float64Array): Float64Array {
  const gain = gainAtRest(system)
  return Float64Array.from({ length: system.outputs }, (_, d) =>
    mean.reduce((sum, value, c) => sum + gain[d * system.inputs + c] * value, 0),
  )
}

function errorOf(recording: Recording, system: LinearSystem): number {
  const { input, mean, output, positions } = recording
  const whole = Float64Array.from(input, (value, i) => value + mean[i % mean.length])
  const found = run(system, whole, positions)
  // the start belongs to the condition at rest, not to the fit
  return found.reduce((sum, value, i) => sum + (i < found.length / 10 ? 0 : (value - output[i]) ** 2), 0)
}

test('the mean input is answered exactly, and states have unit RMS', () => {
  const count = overSystems(1, (system, recording) => {
    const fitted = refitReadout(system, truncate(balance(system), 4).system, recording)
    const [wanted, found] = [answerAtRest(system, recording.mean), answerAtRest(fitted, recording.mean)]
    const scale = Math.hypot(...wanted)
    for (const [d, value] of wanted.entries()) assert.ok(Math.abs(value - found[d]) < 1e-8 * scale)
    const rest = stateAtRest(fitted, recording.mean)
    const power = new Float64Array(fitted.order)
    const rows = recording.input.length / system.inputs
    const whole = Float64Array.from(recording.input, (v, i) => v + recording.mean[i % system.inputs])
    visitStates(fitted, whole, recording.positions, (states, _, count) => {
      for (let i = 0; i < 2 * count * fitted.order; i++) power[i % fitted.order] += states[i] ** 2 / rows
    })
    // slow states are still on their way to rest during the recording
    for (const [n, value] of power.entries())
      if (fitted.decay[n] > 0.05) assert.ok(Math.abs(Math.sqrt(value) - 1) < 0.25, `${value} rest ${rest[n]}`)
  })
  assert.is(count, 100)
})

test('the fit is no worse than truncation with the same gain at rest', () => {
  let better = 0
  overSystems(2, (system, recording) => {
    const { system: raw } = truncate(balance(system), 4)
    const rivals = [matchRest(system, raw, recording.mean), refitReadout(system, raw, recording)]
    const [before, after] = rivals.map((one) => errorOf(recording, one))
    assert.ok(after <= before * 1.3, `${after} against ${before}`)
    if (after < 0.9 * before) better++
  })
  assert.ok(better > 40, `${better} of 100`)
})

test('rescaled states change no response and keep real matrices real', () => {
  overSystems(3, (system, recording) => {
    const scaled = scaleToRecording(system, recording)
    assert.is(isReal(scaled.C), isReal(system.C))
    assert.ok(isReal(scaled.B))
    const [before, after] = [impulseResponse(system, 30), impulseResponse(scaled, 30)]
    const size = Math.max(...before.flatMap((h) => [...h].map(Math.abs)))
    for (const [k, h] of before.entries())
      for (const [i, value] of h.entries()) assert.ok(Math.abs(value - after[k][i]) < 1e-12 * size)
  })
})

test('a FIR takes over where memory is short, and keeps the gain at rest', () => {
  const random = seedRandom(4)
  for (let k = 0; k < 30; k++) {
    const system = drawSystem(random, 1, 1)
    // e^-6 per step: gone after a few
    const short: LinearSystem = { ...system, decay: system.decay.map(() => 2 + 4 * random()) }
    const recording = k % 2 ? drawRecording(random, short, 1) : undefined
    const { system: rival } = truncate(balance(short), 1)
    const taps = fitFir(short, rival, 30, recording)!
    assert.ok(taps.length >= 1 && taps.length <= 30)
    const gain = taps.reduce((sum, value) => sum + value, 0)
    assert.ok(Math.abs(gain - gainAtRest(short)[0]) < 1e-9 * (1 + Math.abs(gain)))
    const slow: LinearSystem = { ...system, decay: system.decay.map(() => 0.002) }
    assert.is(fitFir(slow, slow, 30, undefined), undefined)
  }
})

test.run()
