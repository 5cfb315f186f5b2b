// What each kind of record does, as WGSL of one workgroup (quantize/FORMAT.md has the formulas). In: a stage. Out: its
// pieces, in order, added to a writer. Products lie in products.ts, transforms in transforms.ts.

import type { OpRecord } from '../../quantize/modelfile.ts'
import { ACTIVATION_CODES, activationOf, floatOfWord, unpackConv, unpackNorm } from '../../quantize/record.ts'
import { COMMANDS } from './commands.ts'
import { emitBandconv, emitLinear, emitMix, emitSsm } from './products.ts'
import { folded, sum } from './rows.ts'
import type { Stage } from './stages.ts'
import { withTails } from './tails.ts'
import { emitForward, emitInverse } from './transforms.ts'
import { activated, literal, stepOf, type Touched, type Writer } from './writer.ts'

const EMITTERS: Record<OpRecord['task']['kind'], (writer: Writer, stage: Stage) => void> = {
  linear: emitLinear,
  bandconv: emitBandconv,
  mix: emitMix,
  ssm: emitSsm,
  conv: emitConv,
  norm: emitNorm,
  affine: emitAffine,
  act: emitAct,
  glu: emitGlu,
  add: emitAdd,
  mul: (writer, stage) => emitEach(writer, stage, (lane) => ({ value: `${lane.in(0)} * ${lane.in(1)}` })),
  slice: emitSlice,
  concat: emitConcat,
  gather: emitGather,
  delay: emitDelay,
  frame: emitFrame,
  rfft: emitForward,
  irfft: emitInverse,
  overlap: emitOverlap,
  logpower: emitLogpower,
  compress: emitCompress,
  filter: emitFilter,
  flag: emitFlag,
}

export function emitStage(writer: Writer, stage: Stage): void {
  EMITTERS[stage.record.task.kind](writer, stage)
}

/** How a kernel sees its results that are made number by number, or four by four: result `i` is `c` of row `row`. */
class Lane {
  readonly width: 4 | 1
  /** Results of a row (step, position). */
  readonly perRow: number
  readonly #writer: Writer
  readonly #stage: Stage

  constructor(writer: Writer, stage: Stage) {
    this.#writer = writer
    this.#stage = stage
    this.width = stage.result.isVector ? 4 : 1
    this.perRow = stage.record.task.resultChannels / this.width
  }

  get zero(): string {
    return this.width === 4 ? 'vec4<f32>()' : '0.0'
  }

  /** Input `input` at `index`, which counts fours where the results are fours. */
  in(input: number, index = 'i'): string {
    const value = this.#stage.inputs[input]
    return this.width === 4 ? this.#writer.read4(value, index) : this.#writer.read1(value, index)
  }

  constant(at: number, index: string): string {
    return this.width === 4 ? this.#writer.constant4(at, index) : this.#writer.constant1(at, index)
  }

  state(index: string): string {
    const { record } = this.#stage
    return this.width === 4 ? this.#writer.state4(record, index) : this.#writer.state1(record, index)
  }
}

interface Made {
  /** Statements that come first. */
  readonly before?: string
  readonly value: string
}

/** A stage of one piece: `make` gives result `i`. */
function emitEach(writer: Writer, stage: Stage, make: (lane: Lane) => Made, reads: readonly Touched[] = []): void {
  const { record, result, inputs, tails } = stage
  const lane = new Lane(writer, stage)
  const { before = '', value } = make(lane)
  const whole = withTails(writer, stage, { x: value, row: 'row', c: 'c', width: lane.width })
  const masked = writer.masked(record, stepOf(record.task, 'row'), whole, lane.zero)
  const write = lane.width === 4 ? writer.write4(result, 'i', masked) : writer.write1(result, 'i', masked)
  const others = tails.flatMap(({ other }) => (other === undefined ? [] : [other]))
  writer.add({
    reads: [...inputs, ...reads, ...others],
    writes: [result],
    code: writer.each(
      result.floats / lane.width,
      `let row = i / ${lane.perRow}u; let c = i % ${lane.perRow}u;\n${before}\n${write}`,
    ),
  })
}

function emitNorm(writer: Writer, stage: Stage): void {
  const { channels, positions, parameters } = stage.record.task
  const [weight, bias] = [writer.weights.block(stage.record, 0)!, writer.weights.block(stage.record, 1)!]
  const code = activationOf(stage.record.task)
  emitEach(writer, stage, (lane) => {
    const at = unpackNorm(parameters[1]).perPosition ? `(row % ${positions}u) * ${lane.perRow}u + c` : 'c'
    const x = (k: string) => lane.in(0, `row * ${lane.perRow}u + ${k}`)
    const row = (name: string, item: (x: string) => string) =>
      folded(writer, { name, items: lane.perRow, each: (k) => item(x(k)), own: item(lane.in(0)), join: sum })
    const total = (x: string) => (lane.width === 4 ? `dot(${x}, vec4<f32>(1.0))` : x)
    const square = (x: string) => (lane.width === 4 ? `square4(${x} - mean)` : `square(${x} - mean)`)
    return {
      before: `${row('total', total)} let mean = total * ${literal(1 / channels)};
${row('spread', square)}
let factor = inverseSqrt(spread * ${literal(1 / channels)} + ${literal(floatOfWord(parameters[0]))});`,
      value: activated(
        code,
        `((${lane.in(0)} - mean) * factor * ${lane.constant(weight, at)} + ${lane.constant(bias, at)})`,
        lane.width,
      ),
    }
  })
}

function emitAffine(writer: Writer, stage: Stage): void {
  const { positions, parameters } = stage.record.task
  const [weight, bias] = [writer.weights.block(stage.record, 0)!, writer.weights.block(stage.record, 1)]
  emitEach(writer, stage, (lane) => {
    const at = parameters[0] === 1 ? `(row % ${positions}u) * ${lane.perRow}u + c` : 'c'
    const offset = bias === undefined ? '' : ` + ${lane.constant(bias, at)}`
    return { value: `${lane.constant(weight, at)} * ${lane.in(0)}${offset}` }
  })
}

function emitAct(writer: Writer, stage: Stage): void {
  const [code] = stage.record.task.parameters
  emitEach(writer, stage, (lane) => {
    if (code !== ACTIVATION_CODES.prelu) return { value: activated(code, lane.in(0), lane.width) }
    const slope = lane.constant(writer.weights.block(stage.record, 0)!, 'c')
    return {
      before: `let x = ${lane.in(0)};`,
      value: `max(x, ${lane.zero}) + ${slope} * min(x, ${lane.zero})`,
    }
  })
}

function emitGlu(writer: Writer, stage: Stage): void {
  emitEach(writer, stage, (lane) => {
    const at = `row * ${2 * lane.perRow}u + c`
    return {
      value: `${lane.in(0, at)} * ${activated(ACTIVATION_CODES.sigmoid, lane.in(0, `${at} + ${lane.perRow}u`), lane.width)}`,
    }
  })
}

function emitAdd(writer: Writer, stage: Stage): void {
  const [gains] = stage.record.task.parameters
  const gain = gains === 0 ? 0 : writer.weights.block(stage.record, 0)!
  emitEach(writer, stage, (lane) => {
    const factor = gains === 0 ? '' : `${gains === 1 ? writer.constant1(gain, '0u') : lane.constant(gain, 'c')} * `
    return { value: `${lane.in(0)} + ${factor}${lane.in(1)}` }
  })
}

function emitSlice(writer: Writer, stage: Stage): void {
  const { channels, parameters } = stage.record.task
  emitEach(writer, stage, (lane) => ({
    value: lane.in(0, `row * ${channels / lane.width}u + ${parameters[0] / lane.width}u + c`),
  }))
}

function emitConcat(writer: Writer, stage: Stage): void {
  const { channels, parameters } = stage.record.task
  emitEach(writer, stage, (lane) => {
    const [first, second] = [channels / lane.width, parameters[0] / lane.width]
    return {
      before: `var x: ${lane.width === 4 ? 'vec4<f32>' : 'f32'};
if (c < ${first}u) { x = ${lane.in(0, `row * ${first}u + c`)}; } else { x = ${lane.in(1, `row * ${second}u + c - ${first}u`)}; }`,
      value: 'x',
    }
  })
}

function emitGather(writer: Writer, stage: Stage): void {
  const { positions, resultPositions } = stage.record.task
  const index = writer.weights.indices(stage.record)
  const isRun = index.every((p, q) => p === index[0] + q && p >= 0)
  const at = isRun ? 0 : writer.weights.add(index)
  emitEach(writer, stage, (lane) => {
    const read = (p: string) => lane.in(0, `((row / ${resultPositions}u) * ${positions}u + ${p}) * ${lane.perRow}u + c`)
    if (isRun) return { value: read(`row % ${resultPositions}u + ${index[0]}u`) }
    return {
      before: `let p = ${writer.constant1(at, `row % ${resultPositions}u`)};`,
      value: `select(${lane.zero}, ${read('u32(max(p, 0.0))')}, p >= 0.0)`,
    }
  })
}

function emitLogpower(writer: Writer, stage: Stage): void {
  const eps = literal(floatOfWord(stage.record.task.parameters[0]))
  emitEach(writer, stage, (lane) => ({
    before: `let z = vec2<f32>(${lane.in(0, '2u * i')}, ${lane.in(0, '2u * i + 1u')});`,
    value: `0.5 * log(max(dot(z, z) + ${eps}, 1.17549435e-38))`,
  }))
}

function emitCompress(writer: Writer, stage: Stage): void {
  const [exponent, eps] = stage.record.task.parameters.map(floatOfWord)
  emitEach(writer, stage, (lane) => ({
    before: `let z = vec2<f32>(${lane.in(0, 'i & ~1u')}, ${lane.in(0, 'i | 1u')});`,
    value: `${lane.in(0)} * exp(${literal((exponent - 1) / 2)} * log(max(dot(z, z) + ${literal(eps)}, 1.17549435e-38)))`,
  }))
}

function emitFlag(writer: Writer, stage: Stage): void {
  emitEach(writer, stage, () => ({ value: `select(0.0, 1.0, i == 0u && (flags & ${COMMANDS.lost}u) != 0u)` }))
}

/**
 * Moves a history on by one hop: the last `floats` of what it held and the hop's input, `shift` floats of it. A thread
 * moves every `shift`-th number, so that nothing is read after another thread has replaced it.
 */
function emitShift(writer: Writer, { record, inputs }: Stage, floats: number, shift: number): void {
  if (floats === 0) return
  const width = floats % 4 === 0 && shift % 4 === 0 ? 4 : 1
  const [length, step] = [floats / width, shift / width]
  const [old, put] = width === 4 ? [writer.state4, writer.putState4] : [writer.state1, writer.putState1]
  const input = (index: string) => (width === 4 ? writer.read4(inputs[0], index) : writer.read1(inputs[0], index))
  const move = (at: string) => {
    const fresh = put.call(writer, record, at, input(`${at} + ${step}u - ${length}u`))
    if (step >= length) return fresh
    return `if (${at} + ${step}u < ${length}u) { ${put.call(writer, record, at, old.call(writer, record, `${at} + ${step}u`))} } else { ${fresh} }`
  }
  const code =
    step >= length
      ? writer.each(length, move('i'))
      : writer.each(step, `for (var at = i; at < ${length}u; at += ${step}u) { ${move('at')} }`)
  writer.add({ reads: [inputs[0], record], writes: [record], code })
}

function emitDelay(writer: Writer, stage: Stage): void {
  const { steps, positions, channels, parameters } = stage.record.task
  const floats = positions * channels
  emitEach(
    writer,
    stage,
    (lane) => {
      const late = (parameters[0] * floats) / lane.width
      return {
        before: `var x = ${lane.zero}; if (i < ${late}u) { x = ${lane.state('i')}; } else { x = ${lane.in(0, `i - ${late}u`)}; }`,
        value: 'x',
      }
    },
    [stage.record],
  )
  emitShift(writer, stage, parameters[0] * floats, steps * floats)
}

function emitFrame(writer: Writer, stage: Stage): void {
  const { steps, parameters } = stage.record.task
  const [length, stride] = parameters
  const past = length - stride
  emitEach(
    writer,
    stage,
    (lane) => ({
      before: `let at = (i / ${length}u) * ${stride}u + i % ${length}u;
var x = 0.0; if (at < ${past}u) { x = ${past === 0 ? '0.0' : lane.state('at')}; } else { x = ${lane.in(0, `at - ${past}u`)}; }`,
      value: 'x',
    }),
    [stage.record],
  )
  emitShift(writer, stage, past, steps * stride)
}

function emitConv(writer: Writer, stage: Stage): void {
  const { record } = stage
  const { steps, positions, channels, parameters } = record.task
  const { taps, bands } = unpackConv(parameters[0])
  const [weight, bias] = [writer.weights.block(record, 0)!, writer.weights.block(record, 1)]
  const reach = (bands - 1) / 2
  emitEach(
    writer,
    stage,
    (lane) => {
      const perStep = positions * lane.perRow
      const lines = [`var sum = ${bias === undefined ? lane.zero : lane.constant(bias, 'c')};`]
      for (let j = 0; j < taps; j++) {
        for (let band = 0; band < bands; band++) {
          const w = lane.constant(weight, `${(j * bands + band) * lane.perRow}u + c`)
          // counted from the oldest step that the history holds
          const at = `(i + ${j * perStep + band * lane.perRow}u - ${reach * lane.perRow}u)`
          const past = (taps - 1) * perStep
          const x =
            past === 0
              ? `x = ${lane.in(0, at)};`
              : `if (${at} < ${past}u) { x = ${lane.state(at)}; } else { x = ${lane.in(0, `${at} - ${past}u`)}; }`
          const inside = `row % ${positions}u + ${band}u >= ${reach}u && row % ${positions}u + ${band}u < ${positions + reach}u`
          const product = `{ var x = ${lane.zero}; ${x} sum += ${w} * x; }`
          lines.push(bands === 1 ? product : `if (${inside}) ${product}`)
        }
      }
      return { before: lines.join('\n'), value: activated(parameters[1], 'sum', lane.width) }
    },
    [record],
  )
  emitShift(writer, stage, (taps - 1) * positions * channels, steps * positions * channels)
}

function emitOverlap(writer: Writer, { record, inputs, result }: Stage): void {
  const { steps, parameters } = record.task
  const [length, stride] = parameters
  const kept = length - stride
  const frames = steps / stride
  /** Adds to `sum` what the hop's frames have at sample `at` of the hop. */
  const addUp = (at: string) =>
    Array.from({ length: frames }, (_, j) => {
      const x = writer.read1(inputs[0], `${j * length}u + ${at} - ${j * stride}u`)
      return `if (${at} >= ${j * stride}u && ${at} < ${j * stride + length}u) { sum += ${x}; }`
    }).join(' ')
  const left = kept === 0 ? '' : `if (i < ${kept}u) { sum += ${writer.state1(record, 'i')}; }`
  const store = writer.write1(result, 'i', writer.masked(record, 'i', 'sum', '0.0'))
  const next = `for (var at = i; at < ${kept}u; at += ${steps}u) { var sum = 0.0;
if (at + ${steps}u < ${kept}u) { sum = ${writer.state1(record, `at + ${steps}u`)}; }
let sample = at + ${steps}u; ${addUp('sample')}
${writer.putState1(record, 'at', 'settle(sum)')} }`
  writer.add({
    reads: [inputs[0], record],
    writes: [result, record],
    // sample i and the sums i, i + steps, ... are one thread's: none is replaced before it is read
    code: writer.each(steps, `{ var sum = 0.0; ${left} ${addUp('i')} ${store} }\n${kept === 0 ? '' : next}`),
  })
}

function emitFilter(writer: Writer, stage: Stage): void {
  const { record, inputs, result } = stage
  const { steps, positions, parameters } = record.task
  const [taps] = parameters
  const products = Array.from({ length: taps }, (_, tap) => {
    const m = `i * ${2 * taps}u + ${2 * tap}u`
    const complex = (read: (at: string) => string, at: string) =>
      `vec2<f32>(${read(`2u * (${at})`)}, ${read(`2u * (${at}) + 1u`)})`
    const now = complex((at) => writer.read1(inputs[0], at), `i - ${tap * positions}u`)
    // newest first: step t of the hop finds x[t - tap] at tap - t - 1
    const past = complex(
      (at) => writer.state1(record, at),
      `(${tap - 1}u - i / ${positions}u) * ${positions}u + i % ${positions}u`,
    )
    const x = tap === 0 ? `x = ${now};` : `if (i >= ${tap * positions}u) { x = ${now}; } else { x = ${past}; }`
    const gain = `vec2<f32>(${writer.read1(inputs[1], m)}, ${writer.read1(inputs[1], `${m} + 1u`)})`
    return `{ var x = vec2<f32>(); ${x} sum += times(${gain}, x); }`
  })
  const masked = writer.masked(record, stepOf(record.task, 'i'), 'sum', 'vec2<f32>()')
  writer.add({
    reads: [...inputs, record],
    writes: [result],
    code: writer.each(
      steps * positions,
      `var sum = vec2<f32>(); ${products.join('\n')}
let y = ${masked}; ${writer.write1(result, '2u * i', 'y.x')} ${writer.write1(result, '2u * i + 1u', 'y.y')}`,
    ),
  })
  if (taps === 1) return
  const row = 2 * positions
  const moves = Array.from({ length: taps - 1 }, (_, back) => {
    const to = taps - 2 - back
    const from =
      to < steps
        ? writer.read1(inputs[0], `${(steps - 1 - to) * row}u + i`)
        : writer.state1(record, `${(to - steps) * row}u + i`)
    return writer.putState1(record, `${to * row}u + i`, from)
  })
  writer.add({ reads: [inputs[0], record], writes: [record], code: writer.each(row, moves.join('\n')) })
}
