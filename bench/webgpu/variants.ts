// Every way to run a model on a device: weights, threads per stream, how products are made. In: a device, a model, a
// precision of activations. Out: for each, how far it is from the WASM core and the time of a batch; the fastest first.

import { compile } from '../../quantize/compile.ts'
import { ParsedModel } from '../../sdk/model.ts'
import { GpuBackend } from '../../sdk/webgpu/backend.webgpu.ts'
import type { OpenDevice } from '../../sdk/webgpu/device.ts'
import type { ExecutorOptions } from '../../sdk/webgpu/executor.ts'
import { measureParity } from '../../sdk/webgpu/fixture.parity.ts'
import type { KernelClock } from './clock.ts'
import { timeBatches } from './timing.ts'

export type Precision = 'f32' | 'f16'

/** The shipped file, and the same network with f32 weights. */
export interface Models {
  readonly int8: ParsedModel
  readonly f32: ParsedModel
}

export function parseModels(shipped: Uint8Array, checkpoint: Uint8Array): Models {
  return { int8: ParsedModel.parse(shipped), f32: ParsedModel.parse(compile(checkpoint)) }
}

export interface Variant {
  readonly weights: keyof Models
  readonly threads: number
  readonly products: NonNullable<ExecutorOptions['products']>
  readonly rows: NonNullable<ExecutorOptions['rows']>
}

const variant = (
  weights: keyof Models,
  threads: number,
  products: Variant['products'] = 'floats',
  rows: Variant['rows'] = 'alone',
): Variant => ({ weights, threads, products, rows })

/** The most telling first, as a slow compiler may leave no time for all. */
const VARIANTS: readonly Variant[] = [
  variant('int8', 128),
  variant('f32', 128),
  variant('int8', 256),
  variant('int8', 256, 'dots'),
  variant('int8', 256, 'floats', 'exchanged'),
  variant('int8', 256, 'dots', 'exchanged'),
  variant('int8', 128, 'dots'),
  variant('f32', 256),
  variant('int8', 512),
  variant('int8', 512, 'dots'),
  variant('int8', 64),
]

/** Few threads where a processor plays the GPU. */
const SOFTWARE_VARIANTS: readonly Variant[] = [variant('int8', 16), variant('f32', 16), variant('int8', 16, 'dots')]

export interface Measured extends Variant {
  /** Of f32 weights the executor's own distance from the core; of int8 weights the core's rounding of activations too. */
  readonly parityDb: number
  readonly compileMs: number
  /** A batch, two under way. */
  readonly ms: number
  /** The shader alone. */
  readonly kernelMs: number | undefined
}

export interface Comparison {
  readonly opened: OpenDevice
  readonly module: WebAssembly.Module
  readonly models: Models
  readonly precision: Precision
  readonly clock: KernelClock | undefined
  readonly streams: number
  /** Of the comparison; the first two variants come whatever they take. */
  readonly budgetMs: number
}

interface Best {
  readonly variant: Measured
  /** Still open; the caller's to dispose of. */
  readonly backend: GpuBackend
}

/** `note` is given a line for each variant, and what was measured so far. The result has the fastest first. */
export async function compareVariants(
  comparison: Comparison,
  note: (line: string, variants: readonly Measured[]) => void,
): Promise<{ variants: readonly Measured[]; best: Best | undefined }> {
  const { opened, precision, budgetMs } = comparison
  const begun = performance.now()
  const variants: Measured[] = []
  let best: Best | undefined
  for (const variant of opened.isSoftware ? SOFTWARE_VARIANTS : VARIANTS) {
    if (variants.length > 1 && performance.now() - begun > budgetMs) break
    const { weights, threads, products, rows } = variant
    const name = `${weights} weights, ${precision}, ${threads} threads, products of ${products}, rows ${rows}`
    const lacks = lackedBy(opened, variant)
    if (lacks.length > 0) {
      note(`${name}: the adapter has no ${lacks.join(', ')}`, variants)
      continue
    }
    try {
      const { measured, backend } = await measureVariant(comparison, variant)
      const { workgroupBytes, spillBytes, stages, barriers } = backend.executor.shader
      variants.push(measured)
      note(
        `${name}: ${measured.ms.toFixed(3)} ms for ${comparison.streams} streams, shader ${measured.kernelMs?.toFixed(3)} ms, ${measured.parityDb.toFixed(1)} dB, compiled in ${measured.compileMs.toFixed(0)} ms, ${workgroupBytes} B workgroup memory, ${spillBytes} B spilled, ${stages} stages, ${barriers} barriers`,
        variants,
      )
      const slower = best === undefined || costOf(measured) < costOf(best.variant) ? best?.backend : backend
      if (slower !== backend) best = { variant: measured, backend }
      slower?.executor.dispose()
    } catch (error) {
      note(`${name}: ${(error as Error).message}`, variants)
    }
  }
  return { variants: variants.sort((a, b) => costOf(a) - costOf(b)), best }
}

/** The shader's own time where there is one: the host's comes and goes. */
function costOf({ kernelMs, ms }: Measured): number {
  return kernelMs ?? ms
}

function lackedBy({ hasDots, device }: OpenDevice, { products, rows }: Variant): string[] {
  const lacks: string[] = []
  if (products === 'dots' && !hasDots) lacks.push('packed_4x8_integer_dot_product')
  if (rows === 'exchanged' && !device.features.has('subgroups')) lacks.push('subgroups')
  return lacks
}

async function measureVariant(
  { opened, models, precision, module, streams, clock }: Comparison,
  variant: Variant,
): Promise<{ measured: Measured; backend: GpuBackend }> {
  const { weights, threads, products, rows } = variant
  const options: ExecutorOptions = { precision, threads, products, rows, timestampWrites: clock?.writes }
  const started = performance.now()
  // the device stays open when the backend goes
  const backend = await GpuBackend.open({ ...opened, close: () => {} }, models[weights], options)
  const compileMs = performance.now() - started
  const parityDb = await measureParity(backend, models[weights], module)
  const times = await timeBatches(backend, models[weights].model, streams, { budgetMs: 300, clock })
  return { measured: { ...variant, parityDb, compileMs, ms: times.pipelinedMs, kernelMs: times.kernelMs }, backend }
}
