// Many streams on this machine's GPU and on its processors, in one run. In: options. Out: a table and, with --json FILE, all
// figures: time per batch from 1 stream to as many as fit, ratio to WASM on all processors, share of the device's measured
// peaks, streams within the deadline, parity. Runs wherever WebGPU does: npm run bench:webgpu -- --help

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compile } from '../../quantize/compile.ts'
import { Core } from '../../sdk/core.ts'
import { ParsedModel } from '../../sdk/model.ts'
import { Network } from '../../sdk/network.ts'
import { WasmBackend } from '../../sdk/webgpu/backend.wasm.ts'
import { GpuBackend } from '../../sdk/webgpu/backend.webgpu.ts'
import { crossing } from '../../sdk/webgpu/choice.ts'
import { type OpenDevice, openDevice } from '../../sdk/webgpu/device.ts'
import type { ExecutorOptions } from '../../sdk/webgpu/executor.ts'
import { nodeGpu } from '../../sdk/webgpu/gpu.node.ts'
import { ThreadHand } from '../../sdk/webgpu/hand.node.ts'
import { measureBandwidth, measureFlops } from './peaks.ts'
import { type BatchTimes, noise, timeBatches } from './timing.ts'

const HELP = `npm run bench:webgpu -- [options]
  --models NAMES    comma-separated: base, lite, hq, nano (base,lite)
  --counts LIST     streams (1,2,8,16,256,1024,4096)
  --most N          further doublings up to so many streams within the deadline (65535)
  --seconds S       of the whole run, about (100)
  --threads N       of WASM (all processors)
  --json FILE       all figures
  --assets DIR      where models/ and build/ lie (this checkout)
  --features LIST   toggles of Dawn, such as vulkan_enable_f16_on_nvidia
  --dawn FILE       the addon of node-webgpu (the installed package)`

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'base,lite' },
    counts: { type: 'string', default: '1,2,8,16,256,1024,4096' },
    most: { type: 'string', default: '65535' },
    seconds: { type: 'string', default: '100' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'string' },
    assets: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
    features: { type: 'string' },
    dawn: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (options.help) {
  console.log(HELP)
  process.exit(0)
}

const DEADLINE_MS = 16
/** Of the run's time, for the variants of one model. */
const VARIANT_SHARE = 0.22
const begun = performance.now()
const limitMs = 1000 * Number(options.seconds)
const leftMs = () => limitMs - (performance.now() - begun)
const counts = options.counts.split(',').map(Number)
const report: Record<string, unknown> = {}
const readAsset = (...path: string[]) => new Uint8Array(readFileSync(join(options.assets, ...path)))
const module = new WebAssembly.Module(readAsset('build', 'core.simd.wasm'))

function note(key: string, value: unknown): void {
  report[key] = value
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 1)}\n`)
}

function openGpu(): Promise<OpenDevice> {
  const flags = options.features === undefined ? [] : [`enable-dawn-features=${options.features}`]
  const host = nodeGpu(flags)
  if (options.dawn === undefined) return openDevice(host)
  const { create } = createRequire(import.meta.url)(options.dawn) as { create(flags: string[]): GPU }
  return openDevice({ ...host, find: async () => create(flags) })
}

/** The shipped file, and the same network with f32 weights. */
function readModels(name: string): { int8: ParsedModel; f32: ParsedModel } {
  return {
    int8: ParsedModel.parse(readAsset('models', `${name}.ssm`)),
    f32: ParsedModel.parse(compile(readAsset('models', `${name}.safetensors`))),
  }
}

/** dB over a second of noise and what differs from the WASM core. */
async function measureParity(backend: GpuBackend, parsed: ParsedModel): Promise<number> {
  const { inputHop, inputRate } = parsed.model
  const core = await Core.open(module)
  const network = new Network(core, core.acquireProgram(parsed))
  const hops = Math.ceil(inputRate / inputHop)
  const samples = noise(hops * inputHop)
  let signal = 0
  let difference = 0
  for (let hop = 0; hop < hops; hop++) {
    const input = samples.slice(hop * inputHop, (hop + 1) * inputHop)
    network.input().set(input)
    network.run()
    const { outputs } = await backend.run(Uint32Array.of(0, hop === 0 ? 1 : 0), input)
    for (const [i, y] of network.output().entries()) {
      signal += y * y
      difference += (y - outputs[i]) ** 2
    }
  }
  return 10 * Math.log10(signal / difference)
}

/** Weights, activations, threads per stream; the most telling first, as a slow compiler may leave no time for all. */
const VARIANTS = [
  ['int8', 'f32', 128],
  ['f32', 'f32', 128],
  ['f32', 'f16', 128],
  ['int8', 'f16', 128],
  ['int8', 'f32', 64],
  ['int8', 'f32', 256],
  ['f32', 'f32', 256],
] as const

/** Few threads where a processor plays the GPU. */
const SOFTWARE_VARIANTS = [
  ['int8', 'f32', 16],
  ['f32', 'f32', 16],
] as const

interface Variant {
  readonly weights: 'int8' | 'f32'
  readonly options: Required<Pick<ExecutorOptions, 'precision' | 'threads'>>
  readonly parityDb: number
  readonly compileMs: number
  readonly ms: number
}

/** Every way to run a model on this device, at one number of streams; the fastest first. */
async function compareVariants(opened: OpenDevice, name: string, streams: number): Promise<Variant[]> {
  const first = performance.now()
  const models = readModels(name)
  const found: Variant[] = []
  for (const [weights, precision, threads] of opened.isSoftware ? SOFTWARE_VARIANTS : VARIANTS) {
    if (precision === 'f16' && !opened.hasHalves) continue
    if (performance.now() - first > VARIANT_SHARE * limitMs && found.length > 0) break
    try {
      const started = performance.now()
      const backend = await GpuBackend.open(shared(opened), models[weights], { precision, threads })
      const compileMs = performance.now() - started
      const parityDb = await measureParity(backend, models[weights])
      const { pipelinedMs } = await timeBatches(backend, models[weights].model, streams, { budgetMs: 300 })
      const { workgroupBytes, spillBytes, stages, barriers } = backend.executor.shader
      found.push({ weights, options: { precision, threads }, parityDb, compileMs, ms: pipelinedMs })
      console.log(
        `${name} ${weights} weights, ${precision}, ${threads} threads: ${pipelinedMs.toFixed(3)} ms for ${streams} streams, ${parityDb.toFixed(1)} dB, compiled in ${compileMs.toFixed(0)} ms, ${workgroupBytes} B workgroup memory, ${spillBytes} B spilled, ${stages} stages, ${barriers} barriers`,
      )
      backend.executor.dispose()
    } catch (error) {
      console.log(`${name} ${weights} ${precision} ${threads}: ${(error as Error).message}`)
    }
  }
  return found.sort((a, b) => a.ms - b.ms)
}

/** The device outlives the backend. */
function shared(opened: OpenDevice): OpenDevice {
  return { ...opened, close: () => {} }
}

interface Row extends BatchTimes {
  readonly wasmMs: number | undefined
  readonly ratio: number | undefined
  readonly shareOfFlops: number
  readonly shareOfBandwidth: number
}

async function measureModel(opened: OpenDevice, name: string, peaks: { flops: number; bytes: number }): Promise<void> {
  const software = opened.isSoftware
  const variants = await compareVariants(opened, name, software ? 4 : 1024)
  note(`${name} variants`, variants)
  const [best] = variants
  if (best === undefined) return
  const parsed = readModels(name)[best.weights]
  const { model } = parsed
  const gpu = await GpuBackend.open(shared(opened), parsed, best.options)
  const threads = Number(options.threads)
  const shipped = readModels(name).int8
  const hands = Array.from(
    { length: threads },
    (_, index) => new ThreadHand(module, shipped, { index, hands: threads }),
  )
  const wasm = new WasmBackend(model, hands)
  console.log(
    `\n${name}: ${best.weights} weights, ${best.options.precision}, ${best.options.threads} threads per stream; WASM on ${threads} threads`,
  )
  console.log(
    'streams | batch ms p50 | p99 | pipelined | us/stream-hop | WASM ms | WASM / GPU | FLOP share | bandwidth share',
  )
  const rows: Row[] = []
  for (const streams of counts) {
    if (streams > gpu.maxSlots || leftMs() < 5000) break
    const times = await timeBatches(gpu, model, streams, { budgetMs: Math.min(1500, leftMs() / 12) })
    const wasmTimes = await timeBatches(wasm, model, streams, { budgetMs: 300, mostRounds: 60 })
    const seconds = Math.min(times.pipelinedMs, times.minMs) / 1000
    const wasmMs = Math.min(wasmTimes.pipelinedMs, wasmTimes.minMs)
    const row: Row = {
      ...times,
      wasmMs,
      ratio: wasmMs / (1000 * seconds),
      shareOfFlops: (2 * model.macsPerHop * streams) / seconds / peaks.flops,
      shareOfBandwidth:
        ((2 * model.stateBytes + 4 * (model.inputHop + model.outputHop)) * streams) / seconds / peaks.bytes,
    }
    rows.push(row)
    console.log(describe(row))
    note(`${name} rows`, rows)
  }
  wasm.dispose()
  if (rows.length === 0) return
  note(
    `${name} slower than WASM below`,
    crossing(rows.map((row) => ({ streams: row.streams, webgpuMs: row.minMs, wasmMs: row.wasmMs! }))),
  )
  note(`${name} within deadline`, await findMost(gpu, model, counts.at(-1)!))
  gpu.executor.dispose()
}

function describe(row: Row): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`
  return [
    row.streams,
    row.p50Ms.toFixed(3),
    row.p99Ms.toFixed(3),
    row.pipelinedMs.toFixed(3),
    row.usPerStreamHop.toFixed(3),
    row.wasmMs?.toFixed(3),
    row.ratio?.toFixed(2),
    percent(row.shareOfFlops),
    percent(row.shareOfBandwidth),
  ].join(' | ')
}

/** Doubles the streams while a batch, from samples to results, is within the deadline at p99, and its rate within the hop. */
async function findMost(gpu: GpuBackend, model: ParsedModel['model'], from: number): Promise<object> {
  const hopMs = (1000 * model.inputHop) / model.inputRate
  const tried: object[] = []
  let streams = 0
  for (
    let next = from;
    next <= Math.min(gpu.maxSlots, Number(options.most)) && leftMs() > 4000;
    next = Math.min(2 * next, gpu.maxSlots)
  ) {
    const times = await timeBatches(gpu, model, next, { budgetMs: 1500 })
    const isWithin = times.p99Ms <= DEADLINE_MS && times.pipelinedMs <= hopMs
    tried.push({ ...times, isWithin })
    console.log(
      `${next} streams: p99 ${times.p99Ms.toFixed(2)} ms of ${DEADLINE_MS}, a batch every ${times.pipelinedMs.toFixed(2)} ms of ${hopMs}: ${isWithin ? 'within' : 'not within'}`,
    )
    if (!isWithin) break
    streams = next
    if (next === gpu.maxSlots) break
  }
  return { streams, deadlineMs: DEADLINE_MS, hopMs, tried }
}

const opened = await openGpu()
note('adapter', opened.description)
note('shader-f16', opened.hasHalves)
note('processor', `${cpus()[0]?.model}, ${availableParallelism()} threads, Node ${process.version}`)
note('limits', {
  workgroupBytes: opened.device.limits.maxComputeWorkgroupStorageSize,
  storageBindingBytes: opened.device.limits.maxStorageBufferBindingSize,
})
console.log(`adapter: ${opened.description}; shader-f16: ${opened.hasHalves}; ${report.processor}`)
const groups = opened.isSoftware ? 32 : 4096
const peaks = {
  flops: await measureFlops(opened.device, groups),
  bytes: await measureBandwidth(opened.device, groups),
}
note('peaks', peaks)
console.log(
  `measured peaks: ${(peaks.flops / 1e9).toPrecision(4)} GFLOP/s f32, ${(peaks.bytes / 1e9).toPrecision(3)} GB/s`,
)
for (const name of options.models.split(',')) {
  try {
    await measureModel(opened, name, peaks)
  } catch (error) {
    console.log(`${name}: ${(error as Error).stack}`)
    note(`${name} error`, String(error))
  }
}
note('seconds', (performance.now() - begun) / 1000)
process.exit(0)
