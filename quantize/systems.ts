// What the state-space layers of a model remember. In: a decoded model and its bytes. Out: per `ssm` record its poles with
// time constants and frequencies, Hankel singular values and frequency response, as plain data for tables, JSON, figures.

import { SingularValueDecomposition } from 'ml-matrix'
import { type LinearSystem, oneMinusExp } from './discretise.ts'
import { printable } from './errors.ts'
import { choleskyPivoted, observability, reachability } from './hankel.ts'
import type { Model } from './modelfile.ts'
import { multiplyMatrices } from './product.ts'
import { countMacs } from './record.ts'
import { alignColumns } from './table.ts'
import { unpackSystem } from './unpack.ts'

export interface Pole {
  /** Until the state has fallen to 1/e. */
  readonly timeConstantMs: number
  readonly frequencyHz: number
}

export interface InspectedSystem {
  readonly name: string
  /** Steps per second. */
  readonly rate: number
  readonly positions: number
  readonly inputs: number
  readonly outputs: number
  /** Complex states. */
  readonly order: number
  readonly share: number
  /** Slowest first. */
  readonly poles: readonly Pole[]
  /** Descending. */
  readonly hankel: readonly number[]
  /** Root of the summed squares of all gains from inputs to outputs, in dB, at `frequenciesHz`. */
  readonly frequenciesHz: readonly number[]
  readonly gainDb: readonly number[]
}

const FREQUENCIES = 96
/** From rest to half the step rate: the lowest octaves below it that are looked at. */
const OCTAVES = 12
const FLOOR_DB = -200

/** A pole on the real line: at rest, or alternating at every step. */
export function isRealPole({ frequencyHz }: Pole, rate: number): boolean {
  return frequencyHz < 1e-6 * rate || frequencyHz > (0.5 - 1e-6) * rate
}

export function inspectSystems(bytes: Uint8Array, model: Model): InspectedSystem[] {
  return model.records.flatMap((record, i) => {
    if (record.task.kind !== 'ssm') return []
    const rate = (model.outputRate / model.outputHop) * record.task.steps
    const system = unpackSystem(bytes, record)
    const frequenciesHz = spreadFrequencies(rate)
    return [
      {
        name: printable(model.card.ops?.[i] ?? `op${i}`),
        rate,
        positions: record.task.positions,
        inputs: system.inputs,
        outputs: system.outputs,
        order: system.order,
        share: countMacs(record.task) / Math.max(1, model.macsPerHop),
        poles: listPoles(system, rate),
        hankel: hankelValues(system),
        frequenciesHz,
        gainDb: measureGains(
          system,
          frequenciesHz.map((hz) => (2 * Math.PI * hz) / rate),
        ),
      },
    ]
  })
}

/** Evenly in octaves. */
function spreadFrequencies(rate: number): number[] {
  return Array.from({ length: FREQUENCIES }, (_, k) => (rate / 2) * 2 ** (OCTAVES * (k / (FREQUENCIES - 1) - 1)))
}

function listPoles({ decay, angle }: LinearSystem, rate: number): Pole[] {
  return [...decay]
    .map((value, n) => ({
      timeConstantMs: 1000 / (value * rate),
      frequencyHz: (Math.abs(angle[n]) * rate) / (2 * Math.PI),
    }))
    .sort((a, b) => b.timeConstantMs - a.timeConstantMs)
}

/** Singular values of the map from past inputs to future outputs, for white input; D has no part in it. */
export function hankelValues(system: LinearSystem): number[] {
  const [Lp, Lq] = [choleskyPivoted(reachability(system)), choleskyPivoted(observability(system))]
  const { diagonal } = new SingularValueDecomposition(multiplyMatrices(Lq.transpose(), Lp), {
    autoTranspose: true,
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
  })
  return diagonal
}

/**
 * |H|_F at angular frequencies per step. With m_n = 1 / (1 - lambda_n e^{-i omega}) over all poles and their conjugates,
 * H = D + C m B / 2, so that |H|^2 needs only products of columns of C and rows of B, formed once.
 */
export function measureGains(system: LinearSystem, omegas: readonly number[]): number[] {
  const { order: N, decay, angle, D } = system
  const weights = [false, true].map((conjugate) => pairWeights(system, conjugate))
  const direct = D && crossWeights(system, D)
  const offset = D ? D.reduce((sum, value) => sum + value * value, 0) : 0
  return omegas.map((omega) => {
    const m = [1, -1].map((sign) => {
      const [re, im] = [new Float64Array(N), new Float64Array(N)]
      for (let n = 0; n < N; n++) {
        const [p, q] = oneMinusExp(-decay[n], sign * angle[n] - omega)
        re[n] = p / (p * p + q * q)
        im[n] = -q / (p * p + q * q)
      }
      return { re, im }
    })
    // over both halves: own with own twice, own with the other's conjugate twice
    let sum = offset
    sum += (quadratic(m[0], m[0], weights[0], 1) + quadratic(m[1], m[1], weights[0], -1)) / 4
    sum += (2 * quadratic(m[1], m[0], weights[1], 1)) / 4
    if (direct) for (const [k, half] of m.entries()) sum += linear(half, direct, k === 0 ? 1 : -1)
    return Math.max(FLOOR_DB, 10 * Math.log10(sum + 1e-30))
  })
}

interface Complex {
  readonly re: Float64Array
  readonly im: Float64Array
}

/** W_ij = (c_i^H c_j) (b_j b_i^H), or with c_i and b_i of the conjugate pole. */
function pairWeights({ order: N, inputs, outputs, B, C }: LinearSystem, conjugate: boolean): Complex {
  const W = { re: new Float64Array(N * N), im: new Float64Array(N * N) }
  const sign = conjugate ? 1 : -1
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      let [cre, cim, bre, bim] = [0, 0, 0, 0]
      for (let d = 0; d < outputs; d++) {
        const [a, b, c, e] = [C.re[d * N + i], sign * C.im[d * N + i], C.re[d * N + j], C.im[d * N + j]]
        cre += a * c - b * e
        cim += a * e + b * c
      }
      for (let k = 0; k < inputs; k++) {
        const [a, b] = [B.re[i * inputs + k], sign * B.im[i * inputs + k]]
        const [c, e] = [B.re[j * inputs + k], B.im[j * inputs + k]]
        bre += a * c - b * e
        bim += a * e + b * c
      }
      W.re[i * N + j] = cre * bre - cim * bim
      W.im[i * N + j] = cre * bim + cim * bre
    }
  }
  return W
}

/** Re of sum_ij conj(x_i) W_ij y_j; `sign` -1 takes the conjugate of W. */
function quadratic(x: Complex, y: Complex, W: Complex, sign: number): number {
  const N = x.re.length
  let total = 0
  for (let i = 0; i < N; i++) {
    let [re, im] = [0, 0]
    for (let j = 0; j < N; j++) {
      const [a, b] = [W.re[i * N + j], sign * W.im[i * N + j]]
      re += a * y.re[j] - b * y.im[j]
      im += a * y.im[j] + b * y.re[j]
    }
    total += x.re[i] * re + x.im[i] * im
  }
  return total
}

/** sum over outputs and inputs of D (c b), per pole. */
function crossWeights({ order: N, inputs, outputs, B, C }: LinearSystem, D: Float64Array): Complex {
  const out = { re: new Float64Array(N), im: new Float64Array(N) }
  const diagonal = D.length === outputs && inputs === outputs
  for (let n = 0; n < N; n++) {
    for (let d = 0; d < outputs; d++) {
      for (let c = diagonal ? d : 0; c < (diagonal ? d + 1 : inputs); c++) {
        const weight = diagonal ? D[d] : D[d * inputs + c]
        const [a, b] = [C.re[d * N + n], C.im[d * N + n]]
        const [e, f] = [B.re[n * inputs + c], B.im[n * inputs + c]]
        out.re[n] += weight * (a * e - b * f)
        out.im[n] += weight * (a * f + b * e)
      }
    }
  }
  return out
}

/** Re of 2 D H / 2. */
function linear(m: Complex, weights: Complex, sign: number): number {
  let sum = 0
  for (let n = 0; n < m.re.length; n++) sum += m.re[n] * weights.re[n] - m.im[n] * sign * weights.im[n]
  return sum
}

const TITLES = [
  'ssm',
  'in',
  'out',
  'states',
  'real',
  'steps/s',
  'time constants ms',
  'up to Hz',
  'values above',
  'peak',
]

/** One line per layer; nothing where there is none. */
export function formatSystems(systems: readonly InspectedSystem[]): string[] {
  if (systems.length === 0) return []
  const rows = systems.map((system) => {
    const times = system.poles.map(({ timeConstantMs }) => timeConstantMs)
    const frequencies = system.poles.map(({ frequencyHz }) => frequencyHz)
    const peak = system.gainDb.reduce((best, value, k) => (value > system.gainDb[best] ? k : best), 0)
    const above = [20, 40, 60].map((db) => system.hankel.filter((x) => x > system.hankel[0] * 10 ** (-db / 20)).length)
    return [
      system.name,
      `${system.inputs}`,
      `${system.outputs}`,
      `${system.order}`,
      `${system.poles.filter((pole) => isRealPole(pole, system.rate)).length}`,
      `${system.rate}`,
      `${short(times[times.length - 1])} .. ${short(times[times.length >> 1])} .. ${short(times[0])}`,
      short(Math.max(...frequencies)),
      above.join(' '),
      `${system.gainDb[peak].toFixed(0)} dB at ${short(system.frequenciesHz[peak])} Hz`,
    ]
  })
  return [
    'state-space layers; time constants shortest .. median .. longest, Hankel singular values above -20 -40 -60 dB',
    ...alignColumns([TITLES, ...rows], [1, 2, 3, 4, 5, 7]),
  ]
}

function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(2)
}
