// Speed of the core's kernels at the sizes networks have. In: build/core.{simd,relaxed,scalar}.wasm. Out: tables of GMAC/s by
// number format, as a share of the peak of the same instructions measured in the same run (the same tile without end, on data
// in the first-level cache, same engine), and the ratio to the plain loop one would write in JavaScript. The columns N = steps x positions pick the tile (dispatch.test.ts).

import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import binaryen from 'wasm-opt'
import { drawBytes, drawNibbles, packBytes, packNibbles } from '../assembly/fixture.integers.ts'
import { Bench, buildModel, moduleOf, pack, type RecordSpec, randoms, type Target, up } from '../assembly/fixture.ts'

const { all } = new Command('npm run bench:kernels --')
  .option('--all', 'the relaxed and the scalar build too')
  .parse()
  .opts<{ all?: true }>()

// Optimised code from the first call: how long an engine takes to get there is another bench's business.
setFlagsFromString('--no-liftoff')
// Node 20 has relaxed SIMD behind a flag, later ones need none.
setFlagsFromString('--experimental-wasm-relaxed-simd')

const SIZES = [32, 48, 64, 128, 256]
const COLUMNS = [1, 4, 24, 64]
const ROUNDS = 20
const ROUND_MS = 2
const WARM_MS = 40

/** Seconds per call: the best of many short rounds, so that a busy machine does not count. */
function time(call: () => void): number {
  let calls = 1
  for (const until = performance.now() + WARM_MS; performance.now() < until; calls++) call()
  calls = Math.max(1, Math.round((calls * ROUND_MS) / WARM_MS))
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now()
    for (let i = 0; i < calls; i++) call()
    best = Math.min(best, (performance.now() - from) / calls)
  }
  return best / 1000
}

/** What a product and its operands are in WebAssembly text. */
interface Arithmetic {
  /** Products of one instruction. */
  readonly macs: number
  readonly add: string
  readonly multiply: string
  readonly loadWeights: string
}

const FLOATS: Arithmetic = { macs: 4, add: 'f32x4.add', multiply: 'f32x4.mul', loadWeights: 'v128.load' }
const INTEGERS: Arithmetic = {
  macs: 8,
  add: 'i32x4.add',
  multiply: 'i32x4.dot_i16x8_s',
  loadWeights: 'v128.load8x8_s',
}

/** GMAC/s of eight sums of two weights and four numbers, all from a kilobyte of memory, and nothing done with the results. */
function measurePeak({ macs, add, multiply, loadWeights }: Arithmetic): number {
  const weights = [0, 1].map((i) => `(local.set $w${i} (${loadWeights} offset=${512 * i} (local.get $at)))`)
  const columns = [0, 1, 2, 3].map((column) => {
    const sum = (i: number) =>
      `(local.set $s${column}${i} (${add} (local.get $s${column}${i}) (${multiply} (local.get $w${i}) (local.get $x))))`
    return `(local.set $x (v128.load32_splat offset=${1024 + 4 * column} (local.get $at))) ${sum(0)} ${sum(1)}`
  })
  const sums = [0, 1, 2, 3].flatMap((column) => [`$s${column}0`, `$s${column}1`])
  const text = `(module (memory 1) (func (export "spin") (param $n i32) (result f32)
    (local $at i32) ${['$w0', '$w1', '$x', ...sums].map((name) => `(local ${name} v128)`).join(' ')}
    (loop $again
      ${weights.join(' ')} ${columns.join(' ')}
      (local.set $at (i32.and (i32.add (local.get $at) (i32.const 16)) (i32.const 511)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f32x4.extract_lane 0 ${sums.reduce((total, name) => `(${add} ${total} (local.get ${name}))`, '(local.get $w0)')})))`
  const module = binaryen.parseText(text)
  module.setFeatures(binaryen.Features.SIMD128)
  const bytes = module.emitBinary() as Uint8Array<ArrayBuffer>
  const spin = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.spin as (n: number) => number
  return (8 * macs * 1e4) / time(() => spin(1e4)) / 1e9
}

/** The loop one would write first. */
function plainProduct(W: Float32Array, x: Float32Array, y: Float32Array, rows: number, depth: number): void {
  for (let n = 0; n < x.length / depth; n++) {
    for (let d = 0; d < rows; d++) {
      let sum = 0
      for (let k = 0; k < depth; k++) sum += W[d * depth + k] * x[n * depth + k]
      y[n * rows + d] = sum
    }
  }
}

function prepare(spec: RecordSpec, target: Target): () => void {
  const bench = new Bench(buildModel([spec]), target)
  bench.write(spec.inputs.map((floats, i) => randoms(floats, i)))
  const { core, program, state, scratch } = bench
  return () => core.hop(program, state, scratch)
}

const FORMATS = {
  f32: { peak: FLOATS, weights: (size: number) => pack(size, size, randoms(size * size, 1)) },
  int8: { peak: INTEGERS, weights: (size: number) => packBytes(drawBytes(size, size, 1)) },
  int4: { peak: INTEGERS, weights: (size: number) => packNibbles(drawNibbles(size, size, 1)) },
} as const
type Format = keyof typeof FORMATS

function linearOf(size: number, columns: number, format: Format): RecordSpec {
  return {
    kind: 'linear',
    format: Object.keys(FORMATS).indexOf(format),
    steps: 1,
    positions: columns,
    channels: size,
    resultChannels: size,
    inputs: [columns * size],
    weights: [FORMATS[format].weights(size)],
    temporaryFloats: columns * size + 64 * size,
  }
}

/** Records other than products at the sizes of the shipped networks: name, spec, numbers they yield. */
function others(): [string, RecordSpec, number][] {
  const shape = { steps: 1, positions: 24, channels: 48, inputs: [24 * 48] }
  const w = (n: number) => randoms(up(n), 3, 0.3)
  const poles = (n: number) => new Float32Array(2 * n).fill(0.1)
  const ssm = (P: number, C: number, N: number): RecordSpec => ({
    kind: 'ssm',
    steps: 1,
    positions: P,
    channels: C,
    resultChannels: 2 * C,
    inputs: [P * C],
    weights: [poles(N), w(N * C), w(2 * C * 2 * N)],
    parameters: [N, 2],
    stateFloats: P * 2 * N,
    temporaryFloats: P * 3 * N,
  })
  const transform = (kind: 'rfft' | 'irfft'): RecordSpec => ({
    kind,
    steps: 1,
    positions: kind === 'rfft' ? 1 : 257,
    channels: kind === 'rfft' ? 512 : 2,
    resultPositions: kind === 'rfft' ? 257 : 1,
    resultChannels: kind === 'rfft' ? 2 : 256,
    inputs: [514],
    weights: [w(512), w(768)],
    parameters: kind === 'rfft' ? [512, 0] : [512, 256],
    temporaryFloats: 1024,
  })
  return [
    ['ssm 24 x 48 -> 96, order 64', ssm(24, 48, 64), 24 * 64],
    ['ssm 64 x 24 -> 48, order 16', ssm(64, 24, 16), 64 * 16],
    [
      'mix 24 -> 24, 4 groups of 12',
      { kind: 'mix', ...shape, weights: [w(4 * 24 * 24), w(24)], parameters: [4, 0] },
      1152,
    ],
    [
      'conv 3 taps',
      { kind: 'conv', ...shape, weights: [w(3 * 48), w(48)], parameters: [3 | 256, 0], stateFloats: 2304 },
      1152,
    ],
    ['norm over 48', { kind: 'norm', ...shape, weights: [w(48), w(48)], parameters: [0x3727c5ac, 0] }, 1152],
    ['silu', { kind: 'act', ...shape, parameters: [1, 0] }, 1152],
    ['tanh', { kind: 'act', ...shape, parameters: [4, 0] }, 1152],
    ['glu', { kind: 'glu', ...shape, channels: 96, resultChannels: 48, inputs: [24 * 96] }, 1152],
    ['add', { kind: 'add', ...shape, inputs: [1152, 1152] }, 1152],
    ['rfft of 512', transform('rfft'), 512],
    ['irfft of 512, last 256', transform('irfft'), 256],
    [
      'logpower',
      {
        kind: 'logpower',
        steps: 1,
        positions: 257,
        channels: 2,
        resultChannels: 1,
        inputs: [514],
        parameters: [0x322bcc77, 0],
      },
      257,
    ],
    [
      'compress',
      { kind: 'compress', steps: 1, positions: 257, channels: 2, inputs: [514], parameters: [0x3e99999a, 0x322bcc77] },
      257,
    ],
    [
      'filter, 2 taps',
      {
        kind: 'filter',
        steps: 1,
        positions: 257,
        channels: 2,
        inputs: [514, 1028],
        parameters: [2, 0],
        stateFloats: 514,
      },
      257,
    ],
  ]
}

function benchLinear(target: Target, format: Format, peak: number): void {
  console.log(`\nlinear ${format}, ${target}: GMAC/s (share of the peak of ${peak.toFixed(1)}, times plain JavaScript)`)
  console.log(['K = d'.padEnd(6), ...COLUMNS.map((n) => `N = ${n}`.padStart(20))].join(''))
  for (const size of SIZES) {
    const cells = COLUMNS.map((columns) => {
      const seconds = time(prepare(linearOf(size, columns, format), target))
      const [W, x, y] = [randoms(size * size, 1), randoms(size * columns, 2), new Float32Array(size * columns)]
      const plain = time(() => plainProduct(W, x, y, size, size))
      const gmacs = (size * size * columns) / seconds / 1e9
      return `${gmacs.toFixed(1)} (${Math.round((100 * gmacs) / peak)} %, ${(plain / seconds).toFixed(1)}x)`.padStart(
        20,
      )
    })
    console.log(String(size).padEnd(6) + cells.join(''))
  }
}

function benchOthers(target: Target): void {
  console.log(`\nother records, ${target}: microseconds, nanoseconds per result`)
  for (const [name, spec, results] of others()) {
    const seconds = time(prepare(spec, target))
    console.log(
      `${name.padEnd(32)}${(seconds * 1e6).toFixed(2).padStart(8)}${((seconds * 1e9) / results).toFixed(2).padStart(8)}`,
    )
  }
}

// Shared machines change their pace: the fastest of some moments apart.
const fastest = (arithmetic: Arithmetic) => Math.max(...Array.from({ length: 6 }, () => measurePeak(arithmetic)))
const peaks = new Map([FLOATS, INTEGERS].map((arithmetic) => [arithmetic, fastest(arithmetic)]))
console.log(
  `node ${process.version}, ${process.arch}; peak GMAC/s: f32x4 mul + add ${peaks.get(FLOATS)!.toFixed(1)}, i16x8 dot + add ${peaks.get(INTEGERS)!.toFixed(1)}`,
)
const targets: Target[] = all ? ['simd', 'relaxed', 'scalar'] : ['simd']
for (const target of targets) {
  if (!moduleOf(target)) {
    console.log(`\n${target}: this Node does not accept it`)
    continue
  }
  for (const format of Object.keys(FORMATS) as Format[]) benchLinear(target, format, peaks.get(FORMATS[format].peak)!)
  benchOthers(target)
}
