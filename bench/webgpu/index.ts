// Many streams on this machine's GPU and on its processors, in one run. In: options. Out: a table and, with --json FILE, all
// figures as they come: time per batch from 1 stream to as many as fit, ratio to WASM on all processors, share of the
// device's measured peaks, streams within the deadline, parity. Runs wherever WebGPU does: npm run bench:webgpu -- --help

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import type { Model } from '../../quantize/modelfile.ts'
import { wholeNumber } from '../../scripts/wholeNumber.ts'
import { MODELS } from '../../sdk/models.ts'
import { WasmBackend } from '../../sdk/webgpu/backend.wasm.ts'
import type { GpuBackend } from '../../sdk/webgpu/backend.webgpu.ts'
import { crossing } from '../../sdk/webgpu/choice.ts'
import { type OpenDevice, openDevice } from '../../sdk/webgpu/device.ts'
import { nodeGpu } from '../../sdk/webgpu/gpu.node.ts'
import { ThreadHand } from '../../sdk/webgpu/hand.node.ts'
import { KernelClock } from './clock.ts'
import { Figures } from './figures.ts'
import { measureBandwidth, measureFlops } from './peaks.ts'
import { type BatchTimes, timeBatches } from './timing.ts'
import { compareVariants, type Models, type Precision, parseModels } from './variants.ts'

const PRECISIONS: readonly Precision[] = ['f32', 'f16']

const options = new Command('npm run bench:webgpu --')
  .option(
    '--models <names>',
    `comma-separated: ${Object.keys(MODELS).join(', ')}`,
    listOf(oneOf(Object.keys(MODELS))),
    ['base', 'lite', 'hq'],
  )
  .option('--precisions <list>', `of activations: ${PRECISIONS.join(', ')}`, listOf(oneOf(PRECISIONS)), [...PRECISIONS])
  .option('--counts <list>', 'streams', listOf(countOf), [1, 2, 8, 16, 256, 1024, 4096])
  .option('--most <n>', 'further doublings up to so many streams within the deadline', countOf, 65535)
  .option('--seconds <s>', 'of the whole run, about', countOf, 200)
  .option('--threads <n>', 'of WASM', countOf, availableParallelism())
  .option('--json <file>', 'all figures, added to those it holds')
  .option('--label <name>', 'stands in the figures beside the precision, for a run with other toggles')
  .option('--assets <folder>', 'where models/ and build/ lie (default: this checkout)')
  .option('--adapter', 'says which adapter it would run on, no more')
  .option('--toggles <list>', 'of Dawn, such as disable_robustness')
  .option('--dawn <file>', 'the addon of webgpu (default: the installed package)')
  .parse()
  .opts<Options>()

interface Options {
  readonly models: readonly string[]
  readonly precisions: readonly Precision[]
  readonly counts: readonly number[]
  readonly most: number
  readonly seconds: number
  readonly threads: number
  readonly json?: string
  readonly label?: string
  readonly assets?: string
  readonly adapter?: true
  readonly toggles?: string
  readonly dawn?: string
}

function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(',').map(parse)
}

function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    if (names.includes(text as T)) return text as T
    throw new InvalidArgumentError(`Use ${names.join(', ')}.`)
  }
}

function countOf(text: string): number {
  const count = wholeNumber(text)
  if (count < 1) throw new InvalidArgumentError('Use 1 or more.')
  return count
}

const DEADLINE_MS = 16
/** Of a model's time, for its variants. */
const VARIANT_SHARE = 0.4
/** Of a model's time, for the table; the rest looks for the most streams within the deadline. */
const TABLE_SHARE = 0.35

const begun = performance.now()
const leftMs = () => 1000 * options.seconds - (performance.now() - begun)
const { counts, threads } = options
const figures = new Figures(options.json)
const assets = options.assets ?? fileURLToPath(new URL('../..', import.meta.url))
const readAsset = (...path: string[]) => new Uint8Array(readFileSync(join(assets, ...path)))
const module = new WebAssembly.Module(readAsset('build', 'core.simd.wasm'))

function openGpu(): Promise<OpenDevice> {
  // times of the device's clock come rounded to 0.1 ms otherwise
  const flags = ['disable-dawn-features=timestamp_quantization']
  if (options.toggles !== undefined) flags.push(`enable-dawn-features=${options.toggles}`)
  const host = nodeGpu(flags)
  const wanted = ['timestamp-query', 'subgroups'] as const
  if (options.dawn === undefined) return openDevice(host, wanted)
  const { create } = createRequire(import.meta.url)(options.dawn) as { create(flags: string[]): GPU }
  return openDevice({ ...host, find: async () => create(flags) }, wanted)
}

interface Row extends BatchTimes {
  readonly wasmMs: number
  readonly ratio: number
  readonly shareOfFlops: number
  readonly shareOfBandwidth: number
}

interface Peaks {
  readonly flops: number
  readonly bytes: number
}

/** `note` puts a figure where it belongs in the report. */
async function measureModel(
  opened: OpenDevice,
  { models, precision, peaks }: { models: Models; precision: Precision; peaks: Peaks },
  endMs: number,
  note: (key: string, value: unknown) => void,
): Promise<void> {
  const spanMs = endMs - performance.now()
  const clock = KernelClock.of(opened.device)
  const { variants, best } = await compareVariants(
    {
      opened,
      module,
      models,
      precision,
      clock,
      streams: opened.isSoftware ? 4 : 1024,
      budgetMs: VARIANT_SHARE * spanMs,
    },
    (line, soFar) => {
      console.log(line)
      note('variants', soFar)
    },
  )
  note('variants', variants)
  if (best === undefined) throw new Error('no variant runs')
  const { variant, backend: gpu } = best
  const { model } = models[variant.weights]
  const hands = Array.from(
    { length: threads },
    (_, index) => new ThreadHand(module, models.int8, { index, hands: threads }),
  )
  const wasm = new WasmBackend(model, hands)
  console.log(
    `${variant.weights} weights, ${precision}, ${variant.threads} threads per stream, products of ${variant.products}, rows ${variant.rows}; WASM on ${threads} threads
streams | batch ms p50 | p99 | pipelined | shader | us/stream-hop | WASM ms | WASM / GPU | FLOP share | bandwidth share`,
  )
  const rows: Row[] = []
  const budgetMs = Math.min(1500, (TABLE_SHARE * spanMs) / counts.length / 2)
  for (const streams of counts) {
    if (streams > gpu.maxSlots || (rows.length > 0 && performance.now() > endMs)) break
    const times = await timeBatches(gpu, model, streams, { budgetMs, clock })
    const wasmTimes = await timeBatches(wasm, model, streams, { budgetMs: budgetMs / 3, mostRounds: 60 })
    rows.push(rowOf(model, times, wasmTimes, peaks))
    console.log(describe(rows[rows.length - 1]))
    note('rows', rows)
  }
  wasm.dispose()
  if (rows.length > 0)
    note(
      'slowerThanWasmBelow',
      crossing(rows.map(({ streams, minMs, wasmMs }) => ({ streams, webgpuMs: minMs, wasmMs }))),
    )
  if (performance.now() < endMs) note('withinDeadline', await findMost(gpu, model, counts[counts.length - 1], endMs))
  gpu.executor.dispose()
}

function rowOf(model: Model, times: BatchTimes, wasm: BatchTimes, peaks: Peaks): Row {
  const { streams } = times
  const seconds = (times.usPerStreamHop * streams) / 1e6
  const wasmMs = Math.min(wasm.pipelinedMs, wasm.minMs)
  const bytes = 2 * model.stateBytes + 4 * (model.inputHop + model.outputHop)
  return {
    ...times,
    wasmMs,
    ratio: wasmMs / (1000 * seconds),
    shareOfFlops: (2 * model.macsPerHop * streams) / seconds / peaks.flops,
    shareOfBandwidth: (bytes * streams) / seconds / peaks.bytes,
  }
}

function describe(row: Row): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`
  return [
    row.streams,
    row.p50Ms.toFixed(3),
    row.p99Ms.toFixed(3),
    row.pipelinedMs.toFixed(3),
    row.kernelMs?.toFixed(3) ?? '-',
    row.usPerStreamHop.toFixed(3),
    row.wasmMs.toFixed(3),
    row.ratio.toFixed(2),
    percent(row.shareOfFlops),
    percent(row.shareOfBandwidth),
  ].join(' | ')
}

/**
 * The most streams whose batch, from samples to results, is within the deadline at p99, and its rate within the hop: steps
 * of two, then between the last that is and the first that is not.
 */
async function findMost(gpu: GpuBackend, model: Model, first: number, endMs: number): Promise<object> {
  const hopMs = (1000 * model.inputHop) / model.inputRate
  const most = Math.min(gpu.maxSlots, options.most)
  const tried: object[] = []
  let within = 0
  let beyond = Number.POSITIVE_INFINITY
  for (let streams = Math.min(first, most); performance.now() < endMs; ) {
    const times = await timeBatches(gpu, model, streams, { budgetMs: 1000 })
    const isWithin = times.p99Ms <= DEADLINE_MS && times.pipelinedMs <= hopMs
    tried.push({ ...times, isWithin })
    console.log(
      `${streams} streams: p99 ${times.p99Ms.toFixed(2)} ms of ${DEADLINE_MS}, a batch every ${times.pipelinedMs.toFixed(2)} ms of ${hopMs}: ${isWithin ? 'within' : 'not within'}`,
    )
    if (isWithin) within = streams
    else beyond = streams
    const isOpen = beyond === Number.POSITIVE_INFINITY
    streams = isOpen ? Math.min(2 * within, most) : Math.round((within + beyond) / 2)
    if (streams === within || streams === beyond || (!isOpen && beyond - within <= beyond / 8)) break
  }
  return { streams: within, deadlineMs: DEADLINE_MS, hopMs, tried }
}

const opened = await openGpu().catch((error: Error) => {
  console.log(error.message)
  process.exit(1)
})
if (options.adapter) {
  console.log(opened.description)
  process.exit(0)
}
const processor = `${cpus()[0]?.model}, ${availableParallelism()} threads, Node ${process.version}`
figures.note(['adapter'], opened.description)
figures.note(['processor'], processor)
figures.note(['limits'], {
  workgroupBytes: opened.device.limits.maxComputeWorkgroupStorageSize,
  storageBindingBytes: opened.device.limits.maxStorageBufferBindingSize,
})
console.log(`adapter: ${opened.description}; toggles: ${options.toggles ?? 'none'}; ${processor}`)
const groups = opened.isSoftware ? 32 : 4096
const peaks = {
  flops: await measureFlops(opened.device, groups),
  bytes: await measureBandwidth(opened.device, groups),
}
figures.note(['peaks'], peaks)
console.log(
  `measured peaks: ${(peaks.flops / 1e9).toPrecision(4)} GFLOP/s f32, ${(peaks.bytes / 1e9).toPrecision(3)} GB/s`,
)

const parts = options.models.flatMap((name) => options.precisions.map((precision) => ({ name, precision })))
for (const [i, { name, precision }] of parts.entries()) {
  const part = options.label === undefined ? precision : `${precision}, ${options.label}`
  const note = (key: string, value: unknown) => figures.note(['models', name, part, key], value)
  console.log(`\n${name}, ${part}`)
  try {
    const models = parseModels(readAsset('models', `${name}.ssm`), readAsset('models', `${name}.safetensors`))
    await measureModel(opened, { models, precision, peaks }, performance.now() + leftMs() / (parts.length - i), note)
  } catch (error) {
    console.log((error as Error).message)
    note('error', (error as Error).message)
  }
}
figures.note(['seconds'], (performance.now() - begun) / 1000)
process.exit(0)
