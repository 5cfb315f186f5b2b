// One op record of the model file (FORMAT.md): its fields, and what follows from them: bytes of inputs, result, state,
// temporary and weights, and multiply-accumulates. Plan, encoder, validation and report all ask here.

export const KINDS = {
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

export type Kind = keyof typeof KINDS

export const KIND_NAMES = new Map<number, Kind>(Object.entries(KINDS).map(([name, code]) => [code, name as Kind]))

export const ACTIVATION_CODES = { none: 0, silu: 1, relu: 2, sigmoid: 3, tanh: 4, prelu: 5 } as const
export type Activation = keyof typeof ACTIVATION_CODES
export const ACTIVATION_NAMES = Object.keys(ACTIVATION_CODES) as Activation[]

/** How the weights of a record's matrices are stored; everything else is f32. */
export const FORMATS = { f32: 0, int8: 1, int4: 2 } as const
export type Format = keyof typeof FORMATS

/** Columns of an int8 matrix whose sum of products with int16 is sure to fit 32 bits: 516 * 127 * 32767 < 2^31. */
export const MAX_INT8_COLUMNS = 516
/** Columns of an int4 matrix that share a scale. */
export const INT4_GROUP = 32

export const SSM_FLAGS = { complexB: 1, complexC: 2, diagonalD: 4, fullD: 8 } as const

/** 1 - |lambda|^2 of a pole that is stored as p = 1 - Re(lambda) and q = Im(lambda). */
export function lossOf(p: number, q: number): number {
  return 2 * p - p * p - q * q
}

/** Of weight blocks, and of all areas the plan lays out, in bytes. */
export const ALIGNMENT = 64
export const STATE_HEADER_BYTES = 64
export const MAX_SCRATCH_BYTES = 2 ** 28
export const MAX_STATE_BYTES = 2 ** 26

/** What a record computes, without where its buffers lie. */
export interface Task {
  readonly kind: Kind
  /** Steps of the result per hop. */
  readonly steps: number
  readonly positions: number
  readonly channels: number
  readonly resultPositions: number
  readonly resultChannels: number
  /** Words 14 and 15 as they stand in the file. */
  readonly parameters: readonly [number, number]
}

export interface Extent {
  /** Bytes of each input; the length of the list is the number of inputs. */
  readonly inputBytes: number[]
  readonly resultBytes: number
  readonly stateBytes: number
  readonly temporaryBytes: number
  /** Bytes of the weight blocks 7..10; 0 where the kind has none. */
  readonly weightBytes: [number, number, number, number]
  /** Which of them must be there. */
  readonly weightNeeded: [boolean, boolean, boolean, boolean]
}

export function roundUp(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit
}

/** A multiple of four, one SIMD vector of f32. */
export function up(n: number): number {
  return roundUp(n, 4)
}

const bits = new DataView(new ArrayBuffer(4))

/** The word that holds an f32 parameter. */
export function wordOfFloat(value: number): number {
  bits.setFloat32(0, value)
  return bits.getUint32(0)
}

export function floatOfWord(word: number): number {
  bits.setUint32(0, word)
  return bits.getFloat32(0)
}

/** The matrices of a record: which weight block, and their sizes. */
export function matricesOf(task: Task): { block: number; rows: number; columns: number; groups: number }[] {
  const { kind, positions: P, channels: C, resultPositions: Q, resultChannels: d } = task
  const [first, second] = task.parameters
  switch (kind) {
    case 'linear':
      return [{ block: 0, rows: d, columns: C, groups: 1 }]
    case 'bandconv':
      return [{ block: 0, rows: d, columns: unpackBandconv(first).taps * C, groups: 1 }]
    case 'mix':
      return [{ block: 0, rows: Q, columns: P, groups: first }]
    case 'ssm': {
      const width = up(first)
      return [
        { block: 1, rows: (second & SSM_FLAGS.complexB ? 2 : 1) * width, columns: C, groups: 1 },
        { block: 2, rows: d, columns: (second & SSM_FLAGS.complexC ? 2 : 1) * width, groups: 1 },
      ]
    }
    default:
      return []
  }
}

/** `groups` matrices of (rows, columns) in a format. */
export function matrixBytes(format: number, rows: number, columns: number, groups = 1): number {
  const blocks = (groups * up(rows)) / 4
  if (format === FORMATS.int8) return roundUp(blocks * Math.ceil(columns / 2) * 8, 16) + 16 * blocks
  if (format === FORMATS.int4) return blocks * (Math.ceil(columns / 8) * 16 + Math.ceil(columns / INT4_GROUP) * 8)
  return 16 * blocks * columns
}

/** n int16 and what may be read behind them. */
function integerBytes(n: number): number {
  return 2 * roundUp(n, 8) + 16
}

/** Steps of a hop that `linear` and `ssm` take at a time: about 16 columns. */
export function chunkSteps(steps: number, positions: number): number {
  return Math.min(steps, Math.max(1, Math.floor(16 / positions)))
}

export interface BandconvParameters {
  taps: number
  stride: number
  padLeft: number
  activation: number
}

export function unpackBandconv(word: number): BandconvParameters {
  return { taps: word & 255, stride: (word >>> 8) & 255, padLeft: (word >>> 16) & 255, activation: word >>> 24 }
}

export function packBandconv({ taps, stride, padLeft, activation }: BandconvParameters): number {
  return (taps | (stride << 8) | (padLeft << 16) | (activation << 24)) >>> 0
}

export function unpackConv(word: number): { taps: number; bands: number } {
  return { taps: word & 255, bands: (word >>> 8) & 255 }
}

export interface NormParameters {
  activation: number
  /** Weights (P, C), not (C). */
  perPosition: boolean
}

export function unpackNorm(word: number): NormParameters {
  return { activation: word & 255, perPosition: word >>> 8 === 1 }
}

export function packNorm({ activation, perPosition }: NormParameters): number {
  return activation | (perPosition ? 256 : 0)
}

/** Code of the activation a record applies to its result; 0 where none. */
export function activationOf({ kind, parameters: [first, second] }: Task): number {
  if (kind === 'bandconv') return unpackBandconv(first).activation
  if (kind === 'linear' || kind === 'act') return first
  if (kind === 'norm') return unpackNorm(second).activation
  return kind === 'mix' || kind === 'conv' ? second : 0
}

/** Bytes of everything a record touches; `format` is that of its matrices. */
export function measure(task: Task, format: number = FORMATS.f32): Extent {
  const { kind, steps: S, positions: P, channels: C, resultPositions: Q, resultChannels: d } = task
  const [first, second] = task.parameters
  const integers = format !== FORMATS.f32
  const columns = chunkSteps(S, P) * P
  const matrix = (rows: number, depth: number, groups = 1) => matrixBytes(format, rows, depth, groups) / 4
  // eight rows of int4 widened to int16
  const strip = (depth: number) => (format === FORMATS.int4 ? 4 * roundUp(depth, 8) : 0)
  const integerFloats = (n: number) => integerBytes(n) / 4
  const inputs = [S * P * C]
  let state = 0
  let temporary = 0
  let weights: number[] = []
  let optional: number[] = []
  switch (kind) {
    case 'linear':
      weights = [matrix(d, C), up(d)]
      optional = [1]
      if (integers) temporary = integerFloats(columns * C) + up(columns) + strip(C)
      break
    case 'bandconv': {
      const { taps, stride, padLeft } = unpackBandconv(first)
      weights = [matrix(d, taps * C), up(d)]
      optional = [1]
      if (integers)
        temporary = integerFloats(Math.max((Q - 1) * stride + taps, padLeft + P) * C) + up(Q) + strip(taps * C)
      break
    }
    case 'mix':
      weights = [integers ? matrix(Q, P, first) : first * Q * P, up(Q)]
      optional = [1]
      if (integers) temporary = Math.ceil(P / 2) * C + 4
      break
    case 'conv': {
      const { taps, bands } = unpackConv(first)
      weights = [taps * bands * C, up(C)]
      optional = [1]
      state = (taps - 1) * P * C
      break
    }
    case 'ssm': {
      const rowsB = (second & SSM_FLAGS.complexB ? 2 : 1) * up(first)
      const columnsC = (second & SSM_FLAGS.complexC ? 2 : 1) * up(first)
      const D = second & SSM_FLAGS.fullD ? up(d) * C : second & SSM_FLAGS.diagonalD ? up(d) : 0
      weights = [2 * up(first), matrix(rowsB, C), matrix(d, columnsC), D]
      state = P * 2 * up(first)
      temporary = integers
        ? columns * rowsB + integerFloats(columns * Math.max(C, columnsC)) + up(columns) + strip(Math.max(C, columnsC))
        : columns * (rowsB + 2 * up(first))
      break
    }
    case 'norm': {
      const floats = unpackNorm(second).perPosition ? P * C : C
      weights = [floats, floats]
      break
    }
    case 'affine':
      weights = [first ? P * C : C, first ? P * C : C]
      optional = [1]
      break
    case 'act':
      weights = first === ACTIVATION_CODES.prelu ? [C] : []
      break
    case 'add':
      inputs.push(S * P * C)
      weights = first === 0 ? [] : [first === 1 ? 1 : C]
      break
    case 'mul':
      inputs.push(S * P * C)
      break
    case 'concat':
      inputs.push(S * P * first)
      break
    case 'gather':
      weights = [Q]
      break
    case 'delay':
      state = first * P * C
      break
    case 'frame':
      inputs[0] = S * second
      state = first - second
      break
    case 'rfft':
      weights = [first, 1.5 * first]
      temporary = first
      break
    case 'irfft':
      weights = [second, 1.5 * first]
      temporary = 2 * first
      break
    case 'overlap':
      inputs[0] = (S / second) * first
      state = first - second
      break
    case 'filter':
      inputs.push(S * P * 2 * first)
      state = (first - 1) * P * 2
      break
    case 'flag':
      inputs.length = 0
      break
  }
  return {
    inputBytes: inputs.map((n) => 4 * n),
    resultBytes: 4 * S * Q * d,
    stateBytes: 4 * state,
    temporaryBytes: 4 * temporary,
    weightBytes: [0, 1, 2, 3].map((i) => 4 * (weights[i] ?? 0)) as Extent['weightBytes'],
    weightNeeded: [0, 1, 2, 3].map((i) => (weights[i] ?? 0) > 0 && !optional.includes(i)) as Extent['weightNeeded'],
  }
}

/** Numbers in a record's result, per hop. */
export function countResults({ steps, resultPositions, resultChannels }: Task): number {
  return steps * resultPositions * resultChannels
}

/**
 * Multiply-accumulates per hop: products with weights, four per complex state update, transforms by their butterflies.
 * Norms and activations count nothing, as in the paper's own count.
 */
export function countMacs(task: Task): number {
  const { kind, steps: S, positions: P, channels: C, resultChannels: d } = task
  const [first, second] = task.parameters
  const results = countResults(task)
  switch (kind) {
    case 'linear':
      return results * C
    case 'bandconv':
      return results * C * unpackBandconv(first).taps
    case 'mix':
      return results * P
    case 'conv':
      return results * unpackConv(first).taps * unpackConv(first).bands
    case 'ssm': {
      const B = first * C * (second & SSM_FLAGS.complexB ? 2 : 1)
      const readout = first * d * (second & SSM_FLAGS.complexC ? 2 : 1)
      const D = second & SSM_FLAGS.fullD ? d * C : second & SSM_FLAGS.diagonalD ? d : 0
      return S * P * (B + 4 * first + readout + D)
    }
    case 'affine':
    case 'glu':
    case 'mul':
      return results
    case 'add':
      return first === 0 ? 0 : results
    case 'rfft':
    case 'irfft': // n/4 log2(n/2) butterflies and n/2 split steps of four products each, and the window
      return S * (first * Math.log2(first / 2) + 2 * first + (kind === 'rfft' ? first : second))
    case 'logpower':
    case 'compress':
      return S * P * 2
    case 'filter':
      return S * P * 4 * first
    default:
      return 0
  }
}
