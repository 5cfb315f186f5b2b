// The whole compute shader of a model: one workgroup runs one hop of one stream, its values in workgroup memory, from
// samples to samples. In: a model file. Out: WGSL, the buffers of weights, and sizes. A batch is one dispatch, whatever the
// number of streams.
//
//   commands (row: slot, flags) -> inputs (row) -> [states (slot)] -> outputs (row)

import type { Model } from '../../quantize/modelfile.ts'
import { COMMANDS } from './commands.ts'
import { DOTS } from './dots.ts'
import { emitStage } from './kernels.ts'
import { type Layout, layOut } from './memory.ts'
import { type Program, stagesOf } from './stages.ts'
import { Weights } from './weights.ts'
import { type ShaderOptions, Writer } from './writer.ts'

export interface Shader {
  readonly code: string
  readonly threads: number
  readonly constants: Float32Array<ArrayBuffer>
  /** f32, to be rounded where `isHalf`. */
  readonly matrices: Float32Array<ArrayBuffer>
  readonly words: Uint32Array<ArrayBuffer>
  readonly isHalf: boolean
  readonly workgroupBytes: number
  /** Storage per stream of a batch, where workgroup memory is too small. */
  readonly spillBytes: number
  readonly stages: number
  readonly barriers: number
}

/** `workgroupBytes`: of memory that a workgroup may use. */
export function writeShader(model: Model, file: Uint8Array, options: ShaderOptions, workgroupBytes: number): Shader {
  const program = stagesOf(model, options.isDotted)
  const layout = layOut(program, workgroupBytes, options.isHalf ? 8 : 16)
  const weights = new Weights(file)
  const hasMasks = model.lookaheadHops > 0 || model.records.some(({ lag }) => lag > 0)
  const writer = new Writer(layout, weights, options, hasMasks)
  writeBody(writer, model, program)
  const code = [
    // rows of threads that exchange numbers are active as a whole, which the compiler cannot see
    options.subgroup > 0 ? 'enable subgroups; diagnostic(off, subgroup_uniformity);' : '',
    options.isDotted ? 'requires packed_4x8_integer_dot_product;' : '',
    declarations(options, layout),
    FUNCTIONS,
    options.isDotted ? DOTS : '',
    `@compute @workgroup_size(${options.threads})
fn hop(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let row = group.x;
let stateAt = commands[row].x * ${model.stateBytes / 16}u;
let flags = commands[row].y;
${layout.storage > 0 ? `let spillAt = row * ${layout.storage}u;` : ''}
${beginning(model, options)}
${writer.masks}
${writer.body}
if (thread == 0u) { states[stateAt] = vec4<u32>(header.x + 1u, header.y + select(0u, 1u, header.x == 0xffffffffu), header.zw); }
}`,
  ].join('\n')
  return {
    code,
    threads: options.threads,
    constants: weights.constants,
    matrices: weights.floats,
    words: weights.words,
    isHalf: options.isHalf,
    workgroupBytes: layout.workgroupBytes,
    spillBytes: 16 * layout.storage,
    stages: program.stages.length,
    barriers: writer.barriers + 1,
  }
}

function writeBody(writer: Writer, model: Model, { stages, input, output }: Program): void {
  writer.add({
    reads: [],
    writes: [input],
    code: writer.each(model.inputHop, writer.write1(input, 'i', `settle(inputs[row * ${model.inputHop}u + i])`)),
  })
  for (const stage of stages) emitStage(writer, stage)
  writer.add({
    reads: [output],
    writes: [],
    code: writer.each(model.outputHop, `outputs[row * ${model.outputHop}u + i] = ${writer.read1(output, 'i')};`),
  })
}

function declarations({ isHalf, isDotted }: ShaderOptions, sizes: Layout): string {
  const lines = [
    isHalf ? HALVES : FLOATS,
    '@group(0) @binding(0) var<storage, read> constants: array<vec4<f32>>;',
    '@group(0) @binding(1) var<storage, read> matrices: array<Four>;',
    '@group(0) @binding(2) var<storage, read> words: array<vec4<u32>>;',
    '@group(0) @binding(3) var<storage, read_write> states: array<vec4<u32>>;',
    '@group(0) @binding(4) var<storage, read> commands: array<vec2<u32>>;',
    '@group(0) @binding(5) var<storage, read> inputs: array<f32>;',
    '@group(0) @binding(6) var<storage, read_write> outputs: array<f32>;',
    sizes.storage > 0 ? '@group(0) @binding(7) var<storage, read_write> spill: array<vec4<f32>>;' : '',
    `var<workgroup> vectors: array<Four, ${Math.max(1, sizes.vectors)}>;`,
    `var<workgroup> scalars: array<f32, ${Math.max(1, sizes.scalars)}>;`,
    isDotted ? `var<workgroup> integers: array<vec2<u32>, ${Math.max(1, sizes.integers)}>;` : '',
  ]
  return lines.join('\n')
}

/** A new stream is zeros and an unknown end; `end` makes the hops done all there are (FORMAT.md, State block). */
function beginning({ stateBytes }: Model, { threads }: ShaderOptions): string {
  return `if ((flags & ${COMMANDS.reset}u) != 0u) {
for (var i = thread; i < ${stateBytes / 16}u; i += ${threads}u) {
states[stateAt + i] = select(vec4<u32>(), vec4<u32>(0u, 0u, 0xffffffffu, 0xffffffffu), i == 0u); }
} else if ((flags & ${COMMANDS.end}u) != 0u && thread == 0u) {
let begun = states[stateAt]; states[stateAt] = begun.xyxy; }
storageBarrier();
let header = states[stateAt];
let isOpen = all(header.zw == vec2<u32>(0xffffffffu));
let hopsDone = select(i32(min(header.x, 65536u)), 65536, header.y != 0u);
let hopsLeft = select(max(bitcast<i32>(header.z - header.x), -65536), 1, isOpen);
storageBarrier();`
}

/** Four activations, or weights, as they lie in memory. Halves are words that any adapter can take apart. */
const FLOATS = `alias Four = vec4<f32>;
fn wide(x: Four) -> vec4<f32> { return x; }
fn narrow(x: vec4<f32>) -> Four { return x; }`
/** What is beyond the largest f16 stays finite: an infinity would never leave the states. */
const HALVES = `alias Four = vec2<u32>;
fn wide(x: Four) -> vec4<f32> { return vec4<f32>(unpack2x16float(x.x), unpack2x16float(x.y)); }
fn narrow(x: vec4<f32>) -> Four { let y = clamp(x, vec4<f32>(-65504.0), vec4<f32>(65504.0));
return vec2<u32>(pack2x16float(y.xy), pack2x16float(y.zw)); }`

const FUNCTIONS = `
fn four(at: u32) -> vec4<f32> { return vec4<f32>(scalars[at], scalars[at + 1u], scalars[at + 2u], scalars[at + 3u]); }
fn putFour(at: u32, x: vec4<f32>) { scalars[at] = x.x; scalars[at + 1u] = x.y; scalars[at + 2u] = x.z; scalars[at + 3u] = x.w; }
fn bytes(word: u32) -> vec4<f32> { return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word << 24u, word << 16u, word << 8u, word)) >> vec4<u32>(24u)); }
fn pair(at: u32, i: u32) -> vec2<f32> { let q = constants[at + (i >> 1u)]; return select(q.xy, q.zw, (i & 1u) == 1u); }
fn times(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> { return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
fn joined(x: vec2<f32>, mirrored: vec2<f32>, turn: vec2<f32>, isEdge: bool) -> vec2<f32> {
let a = select(x, vec2<f32>(x.x, 0.0), isEdge); let b = select(vec2<f32>(mirrored.x, -mirrored.y), vec2<f32>(mirrored.x, 0.0), isEdge);
let even = a + b; let odd = times(vec2<f32>(turn.x, -turn.y), a - b);
return vec2<f32>(even.y + odd.x, even.x - odd.y); }
fn square(x: f32) -> f32 { return x * x; }
fn square4(x: vec4<f32>) -> f32 { return dot(x, x); }
fn settle(x: f32) -> f32 { return select(0.0, x, abs(x) >= 1.0842022e-19); }
fn settle4(x: vec4<f32>) -> vec4<f32> { return select(vec4<f32>(), x, abs(x) >= vec4<f32>(1.0842022e-19)); }
fn sigmoid4(x: vec4<f32>) -> vec4<f32> { return 1.0 / (1.0 + exp(-clamp(x, vec4<f32>(-60.0), vec4<f32>(60.0)))); }
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(x, -60.0, 60.0))); }
fn silu4(x: vec4<f32>) -> vec4<f32> { return x * sigmoid4(x); }
fn silu(x: f32) -> f32 { return x * sigmoid(x); }
fn tangent4(x: vec4<f32>) -> vec4<f32> { return tanh(clamp(x, vec4<f32>(-10.0), vec4<f32>(10.0))); }
fn tangent(x: f32) -> f32 { return tanh(clamp(x, -10.0, 10.0)); }
`
