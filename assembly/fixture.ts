// For tests: model files of one or a few records, written by hand from quantize/FORMAT.md (no code shared with the
// compiler), and a bench of one memory in which the built core runs them. All arrays are f32 (steps, positions, channels).

import { existsSync, readFileSync } from 'node:fs'

export const KIND = {
  linear: 1,
  bandconv: 2,
  mix: 3,
  conv: 4,
  ssm: 5,
  norm: 6,
  affine: 7,
  act: 8,
  glu: 9,
  add: 10,
  mul: 11,
  slice: 12,
  concat: 13,
  gather: 14,
  delay: 15,
  frame: 16,
  rfft: 17,
  irfft: 18,
  overlap: 19,
  logpower: 20,
  compress: 21,
  filter: 22,
  flag: 23,
} as const

export interface RecordSpec {
  kind: keyof typeof KIND
  steps: number
  lag?: number
  positions: number
  channels: number
  resultPositions?: number
  resultChannels?: number
  /** Floats of the inputs, each a buffer the test fills, or the result of an earlier record: its index, negative - 1. */
  inputs: number[]
  /** 0 f32, 1 int8, 2 int4. */
  format?: number
  weights?: (Float32Array | Int32Array | Uint8Array | undefined)[]
  parameters?: [number, number]
  stateFloats?: number
  temporaryFloats?: number
}

/** Where a program's buffers lie in scratch, in bytes. */
export interface Placed {
  bytes: Uint8Array
  inputs: number[][]
  results: { at: number; floats: number }[]
  states: number[]
  stateBytes: number
  scratchBytes: number
}

const align = (n: number) => Math.ceil(n / 64) * 64

export function up(n: number): number {
  return Math.ceil(n / 4) * 4
}

export function floatWord(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]
}

/** (d, K) row-major -> (up(d)/4, K, 4). */
export function pack(rows: number, depth: number, weights: ArrayLike<number>): Float32Array {
  const out = new Float32Array(up(rows) * depth)
  for (let d = 0; d < rows; d++) {
    for (let k = 0; k < depth; k++) out[(d >> 2) * 4 * depth + 4 * k + (d & 3)] = weights[d * depth + k]
  }
  return out
}

export function padded(values: ArrayLike<number>, fill = 0): Float32Array {
  const out = new Float32Array(up(values.length)).fill(fill)
  out.set(values)
  return out
}

/** A model file without hash and card, which the core does not read. */
export function buildModel(specs: RecordSpec[], inputHop = 1): Placed {
  let scratch = align(4 * inputHop)
  const take = (floats: number) => {
    const at = scratch
    scratch += align(4 * floats)
    return at
  }
  let state = 64
  const weightsOffset = 128 + 64 * specs.length
  let end = align(weightsOffset)
  const blocks: { at: number; block: Float32Array | Int32Array | Uint8Array }[] = []
  const words: number[] = []
  const results: Placed['results'] = []
  const inputs: number[][] = []
  const states: number[] = []
  for (const spec of specs) {
    const Q = spec.resultPositions ?? spec.positions
    const d = spec.resultChannels ?? spec.channels
    const from = spec.inputs.map((input) => (input < 0 ? results[-input - 1].at : take(input)))
    inputs.push(from)
    results.push({ at: take(spec.steps * Q * d), floats: spec.steps * Q * d })
    const temporary = spec.temporaryFloats ? take(spec.temporaryFloats) : 0
    states.push(spec.stateFloats ? state : 0)
    state += spec.stateFloats ? align(4 * spec.stateFloats) : 0
    const weights = [0, 1, 2, 3].map((i) => {
      const block = spec.weights?.[i]
      if (!block) return 0
      const at = end
      blocks.push({ at, block })
      end = align(end + block.byteLength)
      return at
    })
    words.push(
      KIND[spec.kind] | ((spec.format ?? 0) << 16),
      spec.steps,
      spec.lag ?? 0,
      from[0] ?? 0,
      from[1] ?? 0,
      results.at(-1)!.at,
      states.at(-1)!,
      ...weights,
      temporary,
      spec.positions | (spec.channels << 16),
      Q | (d << 16),
      ...(spec.parameters ?? [0, 0]),
    )
  }
  const last = results.at(-1)!
  const header = [0x454e5441, 1, end, specs.length, 16000, inputHop, 16000, last.floats, 128, weightsOffset]
  header.push(end - weightsOffset, end, 0, state, scratch, 0, last.at, 0, 0, 0, 1)
  const bytes = new Uint8Array(end)
  new Uint32Array(bytes.buffer, 0, header.length).set(header)
  new Uint32Array(bytes.buffer, 128, words.length).set(words.map((word) => word >>> 0))
  for (const { at, block } of blocks) bytes.set(new Uint8Array(block.buffer, block.byteOffset, block.byteLength), at)
  return { bytes, inputs, results, states, stateBytes: state, scratchBytes: scratch }
}

export interface CoreExports {
  heapBase(): number
  numericVersion(): number
  reset(program: number, state: number): void
  run(program: number, state: number, scratch: number, opFrom: number, opTo: number): void
  hop(program: number, state: number, scratch: number): void
  end(state: number): void
}

export type Target = 'simd' | 'relaxed' | 'scalar' | 'debug'

const modules = new Map<Target, WebAssembly.Module>()

/** The compiled module, or undefined where this host refuses it (relaxed SIMD on Node 20). */
export function moduleOf(target: Target): WebAssembly.Module | undefined {
  const url = new URL(`../build/core.${target}.wasm`, import.meta.url)
  if (!existsSync(url)) throw new Error(`build/core.${target}.wasm is missing: run npm run build:wasm`)
  const bytes = readFileSync(url)
  if (!modules.has(target) && WebAssembly.validate(bytes)) modules.set(target, new WebAssembly.Module(bytes))
  return modules.get(target)
}

/** One memory: program, two states, scratch, in this order, with a canary behind each. */
export class Bench {
  readonly core: CoreExports
  readonly memory: WebAssembly.Memory
  readonly program: number
  readonly state: number
  readonly otherState: number
  readonly scratch: number
  readonly canaries: number[]

  constructor(
    readonly placed: Placed,
    target: Target | WebAssembly.Module = 'simd',
  ) {
    const { bytes, stateBytes, scratchBytes } = placed
    const sizes = [bytes.length, stateBytes, stateBytes, scratchBytes]
    const total = sizes.reduce((sum, size) => sum + align(size) + 64, 128)
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((total + 4096) / 65536) })
    const module = target instanceof WebAssembly.Module ? target : moduleOf(target)!
    this.core = new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports as unknown as CoreExports
    const at: number[] = []
    let next = align(this.core.heapBase())
    this.canaries = []
    for (const size of sizes) {
      at.push(next)
      this.canaries.push(next + size)
      next = align(next + size + 16)
    }
    for (const canary of this.canaries) new Uint32Array(this.memory.buffer, canary, 4).fill(0x7fa0dead)
    ;[this.program, this.state, this.otherState, this.scratch] = at
    new Uint8Array(this.memory.buffer).set(bytes, this.program)
    // Scratch comes as it is: whatever a kernel does not write must not be relied upon.
    this.floats(this.scratch, scratchBytes / 4).fill(Number.NaN)
    this.core.reset(this.program, this.state)
    this.core.reset(this.program, this.otherState)
  }

  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length)
  }

  /** Writes the input samples and the inputs of record 0, runs one hop, returns the last record's result. */
  hop(inputs: ArrayLike<number>[], state = this.state, split?: number): Float32Array {
    this.write(inputs)
    if (split === undefined) this.core.hop(this.program, state, this.scratch)
    else {
      this.core.run(this.program, state, this.scratch, 0, split)
      this.core.run(this.program, state, this.scratch, split, this.placed.results.length)
    }
    return this.result()
  }

  write(inputs: ArrayLike<number>[]): void {
    for (const [i, input] of inputs.entries())
      this.floats(this.scratch + this.placed.inputs[0][i], input.length).set(input)
  }

  result(index = this.placed.results.length - 1): Float32Array {
    const { at, floats } = this.placed.results[index]
    return this.floats(this.scratch + at, floats).slice()
  }

  stateBytes(state = this.state): Uint8Array {
    return new Uint8Array(this.memory.buffer, state, this.placed.stateBytes).slice()
  }

  canariesLive(): boolean {
    return this.canaries.every((canary) =>
      new Uint32Array(this.memory.buffer, canary, 4).every((word) => word === 0x7fa0dead),
    )
  }
}

/** Uniform in -1..1, the same on every host (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1
  }
}

export function randoms(length: number, seed: number, scale = 1): Float32Array {
  const next = seeded(seed)
  return Float32Array.from({ length }, () => scale * next())
}

/** Largest difference over the largest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values, expected ${expected.length}`)
  let worst = 0
  let size = 1e-30
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i])
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference)
    size = Math.max(size, Math.abs(expected[i]))
  }
  return worst / size
}
