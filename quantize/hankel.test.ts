// Balanced truncation on hundreds of seeded random stable systems: the error bound holds at every frequency, nothing
// dropped means nothing changed, Gramians solve their equations, pivoted Cholesky reproduces its matrix.
import { Matrix } from 'ml-matrix'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { matchRest } from './calibration.ts'
import {
  discretise,
  gainAtRest,
  impulseResponse,
  inverseSoftplus,
  isReal,
  type LinearSystem,
  oneMinusExp,
  toTensors,
} from './discretise.ts'
import { balance, choleskyPivoted, observability, reachability, truncate } from './hankel.ts'
import { softplus } from './pack.ts'
import { drawNormal, type Random, seedRandom } from './specimens.ts'

interface Kind {
  complexB?: boolean
  complexC?: boolean
  /** Poles in clusters that differ by a millionth. */
  nearEqual?: boolean
  /** 1 - |lambda| down to 1e-4. */
  nearUnit?: boolean
  /** Half of the frequencies are exactly zero, as at the start of training. */
  atRest?: boolean
}

function drawSystem(random: Random, order: number, inputs: number, outputs: number, kind: Kind = {}): LinearSystem {
  const draw = (count: number, wanted = true) =>
    Float64Array.from({ length: count }, () => (wanted ? drawNormal(random) : 0))
  const decay = Float64Array.from({ length: order }, () =>
    Math.exp(Math.log(kind.nearUnit ? 1e-4 : 1e-2) + random() * Math.log(kind.nearUnit ? 2e4 : 200)),
  )
  const angle = Float64Array.from({ length: order }, (_, n) => (kind.atRest && n % 2 ? 0 : Math.PI * random()))
  if (kind.nearEqual) {
    for (let n = 1; n < order; n += 2) {
      decay[n] = decay[n - 1] * (1 + 1e-6 * random())
      angle[n] = angle[n - 1]
    }
  }
  return {
    order,
    inputs,
    outputs,
    decay,
    angle,
    B: { re: draw(order * inputs), im: draw(order * inputs, kind.complexB) },
    C: { re: draw(outputs * order), im: draw(outputs * order, kind.complexC) },
    D: undefined,
  }
}

const KINDS: Kind[] = [
  {},
  { complexB: true },
  { complexC: true },
  { complexB: true, complexC: true },
  { nearEqual: true, complexC: true },
  { nearUnit: true },
  { atRest: true },
  { nearUnit: true, complexB: true, nearEqual: true },
]
const SIZES = [
  [1, 1],
  [1, 3],
  [3, 1],
  [4, 4],
  [2, 6],
] as const

/** Runs over every kind and size; returns how many systems were seen. */
function overSystems(seed: number, repeats: number, check: (system: LinearSystem, kind: Kind) => void): number {
  const random = seedRandom(seed)
  let count = 0
  for (let k = 0; k < repeats; k++) {
    for (const kind of KINDS) {
      for (const [inputs, outputs] of SIZES) {
        check(drawSystem(random, 3 + Math.floor(14 * random()), inputs, outputs, kind), kind)
        count++
      }
    }
  }
  return count
}

/** Largest singular value of H(e^{i omega}), H = sum of h[k] z^-k of y = Re(C x) in real coordinates. */
function gainDifference(a: LinearSystem, b: LinearSystem, omega: number): number {
  const [ha, hb] = [response(a, omega), response(b, omega)]
  const [d, c] = [a.outputs, a.inputs]
  // a complex matrix as a real one of twice the size has the same norm
  const M = Matrix.zeros(2 * d, 2 * c)
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < c; j++) {
      const [re, im] = [ha.re[i * c + j] - hb.re[i * c + j], ha.im[i * c + j] - hb.im[i * c + j]]
      M.set(i, j, re)
      M.set(d + i, c + j, re)
      M.set(i, c + j, -im)
      M.set(d + i, j, im)
    }
  }
  return spectralNorm(M)
}

function spectralNorm(M: Matrix): number {
  const square = M.transpose().mmul(M)
  let x = Matrix.ones(square.rows, 1).add(Matrix.columnVector(Array.from({ length: square.rows }, (_, i) => 0.1 * i)))
  let size = 0
  for (let k = 0; k < 60; k++) {
    x = square.mmul(x)
    size = x.norm()
    if (size === 0) return 0
    x.div(size)
  }
  return Math.sqrt(size)
}

/** sum over poles and their conjugates of c b / (1 - lambda e^{-i omega}), halved. */
function response({ order, inputs, outputs, decay, angle, B, C }: LinearSystem, omega: number) {
  const out = { re: new Float64Array(outputs * inputs), im: new Float64Array(outputs * inputs) }
  for (let n = 0; n < order; n++) {
    for (const sign of [1, -1]) {
      const [p, q] = oneMinusExp(-decay[n], sign * angle[n] - omega)
      const size = p * p + q * q
      for (let i = 0; i < outputs; i++) {
        for (let j = 0; j < inputs; j++) {
          const [a, b] = [C.re[i * order + n], sign * C.im[i * order + n]]
          const [c, d] = [B.re[n * inputs + j], sign * B.im[n * inputs + j]]
          const [re, im] = [a * c - b * d, a * d + b * c]
          out.re[i * inputs + j] += (re * p + im * q) / size / 2
          out.im[i * inputs + j] += (im * p - re * q) / size / 2
        }
      }
    }
  }
  return out
}

test('Gramians solve the Lyapunov equations', () => {
  const count = overSystems(1, 2, (system) => {
    const n = 2 * system.order
    const A = Matrix.zeros(n, n)
    for (let k = 0; k < system.order; k++) {
      const [re, im] = [
        Math.exp(-system.decay[k]) * Math.cos(system.angle[k]),
        Math.exp(-system.decay[k]) * Math.sin(system.angle[k]),
      ]
      A.set(k, k, re)
      A.set(k, system.order + k, -im)
      A.set(system.order + k, k, im)
      A.set(system.order + k, system.order + k, re)
    }
    const square = ({ data }: { data: Float64Array }) => Matrix.from1DArray(n, n, Array.from(data))
    const [P, Q] = [square(reachability(system)), square(observability(system))]
    const rows = (x: { re: Float64Array; im: Float64Array }, sign: number) => [...x.re, ...x.im.map((v) => sign * v)]
    const B = Matrix.from1DArray(n, system.inputs, rows(system.B, 1))
    const C = Matrix.zeros(system.outputs, n)
    for (let i = 0; i < system.outputs; i++) {
      for (let k = 0; k < system.order; k++) {
        C.set(i, k, system.C.re[i * system.order + k])
        C.set(i, system.order + k, -system.C.im[i * system.order + k])
      }
    }
    const restP = Matrix.sub(Matrix.sub(P, A.mmul(P).mmul(A.transpose())), B.mmul(B.transpose()))
    const restQ = Matrix.sub(Matrix.sub(Q, A.transpose().mmul(Q).mmul(A)), C.transpose().mmul(C))
    assert.ok(restP.norm() < 1e-12 * P.norm(), `P ${restP.norm() / P.norm()}`)
    assert.ok(restQ.norm() < 1e-12 * Q.norm(), `Q ${restQ.norm() / Q.norm()}`)
  })
  assert.is(count, 80)
})

test('pivoted Cholesky reproduces a matrix of low rank, and stops there', () => {
  const random = seedRandom(2)
  for (let k = 0; k < 50; k++) {
    const n = 4 + Math.floor(20 * random())
    const rank = 1 + Math.floor(n * random())
    const F = Matrix.zeros(n, rank)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < rank; j++) F.set(i, j, drawNormal(random) * 10 ** (4 * random() - 2))
    const G = F.mmul(F.transpose())
    const L = choleskyPivoted({ size: n, data: Float64Array.from(G.to1DArray()) }, 1e-12)
    assert.ok(L.columns <= rank, `${L.columns} of ${rank}`)
    assert.ok(Matrix.sub(G, L.mmul(L.transpose())).norm() < 1e-9 * G.norm())
  }
})

test('the error stays below twice the discarded singular values at every frequency', () => {
  let tight = 0
  const count = overSystems(3, 6, (system) => {
    const balanced = balance(system)
    const order = 1 + Math.floor(balanced.sigma.length / 3)
    const { system: reduced } = truncate(balanced, order)
    assert.ok(
      reduced.decay.every((value) => value > 0),
      'stable',
    )
    assert.ok(reduced.order <= order)
    const bound = 2 * balanced.sigma.slice(order).reduce((a, b) => a + b, 0)
    let worst = 0
    for (let k = 0; k <= 24; k++) worst = Math.max(worst, gainDifference(system, reduced, (Math.PI * k) / 24))
    // poles of slow states have peaks between the grid's points: look there too
    for (const angle of system.angle) worst = Math.max(worst, gainDifference(system, reduced, angle))
    assert.ok(worst <= bound * (1 + 1e-6) + 1e-9 * balanced.sigma[0], `${worst} exceeds ${bound}`)
    if (worst > bound / 20) tight++
  })
  assert.is(count, 240)
  assert.ok(tight > 120, `bound is near in ${tight}`)
})

test('nothing dropped, nothing changed: impulse responses agree to rounding', () => {
  const count = overSystems(4, 5, (system, kind) => {
    const balanced = balance(system)
    const { system: reduced, condition } = truncate(balanced, 2 * system.order)
    const [before, after] = [impulseResponse(system, 40), impulseResponse(reduced, 40)]
    const scale = Math.max(...before.flatMap((h) => [...h].map(Math.abs)))
    const miss = Math.max(...before.flatMap((h, k) => [...h].map((value, i) => Math.abs(value - after[k][i]))))
    // near-equal poles make an ill-conditioned basis: that is what `condition` reports
    const tolerance = kind.nearEqual ? 1e-4 : 1e-6
    assert.ok(miss < tolerance * scale, `${miss / scale}, condition ${condition}`)
  })
  assert.is(count, 200)
})

test('one input makes B real, one output makes C real; states have unit variance', () => {
  overSystems(5, 1, (system) => {
    const { system: reduced } = truncate(balance(system), 4)
    if (system.inputs === 1) assert.ok(isReal(reduced.B))
    else if (system.outputs === 1) assert.ok(isReal(reduced.C))
    for (let n = 0; n < reduced.order; n++) {
      let power = 0
      for (let j = 0; j < reduced.inputs; j++)
        power += reduced.B.re[n * reduced.inputs + j] ** 2 + reduced.B.im[n * reduced.inputs + j] ** 2
      assert.ok(Math.abs(power / -Math.expm1(-2 * reduced.decay[n]) - 1) < 1e-9)
    }
  })
})

test('tensors hold a system', () => {
  overSystems(6, 1, (system) => {
    const back = discretise(toTensors(system))
    const [before, after] = [impulseResponse(system, 20), impulseResponse(back, 20)]
    for (const [k, h] of before.entries())
      for (const [i, value] of h.entries()) assert.ok(Math.abs(value - after[k][i]) < 1e-10 * (1 + Math.abs(value)))
  })
  for (const x of [1e-9, 1e-3, 1, 40]) assert.ok(Math.abs(softplus(inverseSoftplus(x)) / x - 1) < 1e-9)
})

test('gain at rest is the sum of the impulse response, and is kept exactly', () => {
  overSystems(7, 1, (system, kind) => {
    if (!kind.nearUnit) {
      const sum = impulseResponse(system, 4000).reduce((total, h) => total.map((value, i) => value + h[i]))
      for (const [i, value] of gainAtRest(system).entries())
        assert.ok(Math.abs(value - sum[i]) < 1e-9 * (1 + Math.abs(value)))
    }
    const { system: reduced } = truncate(balance(system), 3)
    const rest = Float64Array.from({ length: system.inputs }, (_, j) => 1 - 0.3 * j)
    const matched = matchRest(system, reduced, rest)
    const answer = (gain: Float64Array, i: number) =>
      rest.reduce((sum, value, j) => sum + value * gain[i * system.inputs + j], 0)
    const [wanted, held] = [gainAtRest(system), gainAtRest(matched)]
    for (let i = 0; i < system.outputs; i++)
      assert.ok(Math.abs(answer(wanted, i) - answer(held, i)) < 1e-9 * (1 + Math.abs(answer(wanted, i))))
  })
})

test.run()
