// Hops on a GPU. In: an open device and a model. Out: a backend whose batch is one submission with one dispatch.

import type { ParsedModel } from '../model.ts'
import { type Backend, type BatchResult, DeviceLost } from './backend.ts'
import type { OpenDevice } from './device.ts'
import { Executor, type ExecutorOptions } from './executor.ts'

export class GpuBackend implements Backend {
  readonly name = 'webgpu'
  readonly description: string
  readonly dispatchesPerBatch = 1
  readonly lost: Promise<string>
  readonly executor: Executor
  readonly #opened: OpenDevice
  readonly #watch = new AbortController()
  #isLost = false

  private constructor(opened: OpenDevice, executor: Executor) {
    this.#opened = opened
    this.executor = executor
    const { isHalf, threads } = executor.shader
    this.description = `${opened.description}, ${isHalf ? 'f16' : 'f32'}, ${threads} threads per stream`
    this.lost = endOf(opened.device, this.#watch.signal)
    void this.lost.then(() => {
      this.#isLost = true
      opened.device.destroy()
    })
  }

  static async open(opened: OpenDevice, parsed: ParsedModel, options: ExecutorOptions): Promise<GpuBackend> {
    const fitting = opened.isSoftware ? SOFTWARE : {}
    const executor = await Executor.open(opened.device, parsed.model, parsed.toBytes(), { ...fitting, ...options })
    return new GpuBackend(opened, executor)
  }

  get maxSlots(): number {
    return this.executor.maxSlots
  }

  async run(
    commands: Uint32Array<ArrayBuffer>,
    inputs: Float32Array<ArrayBuffer>,
    copied?: readonly [number, number],
  ): Promise<BatchResult> {
    return this.#unlessLost(() => this.executor.run(commands, inputs, copied))
  }

  async readState(slot: number): Promise<Uint8Array> {
    return this.#unlessLost(() => this.executor.readState(slot))
  }

  writeState(slot: number, bytes: Uint8Array): void {
    this.executor.writeState(slot, bytes)
  }

  dispose(): void {
    this.#watch.abort()
    this.executor.dispose()
    this.#opened.close()
  }

  /** What is done on a device that is gone, or fails with it, fails as DeviceLost. */
  async #unlessLost<T>(work: () => Promise<T>): Promise<T> {
    let result: T
    try {
      result = await work()
    } catch (error) {
      // the loss is announced by a promise of its own, which may come a moment later
      await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, 50))])
      throw this.#isLost ? new DeviceLost(await this.lost) : error
    }
    if (this.#isLost) throw new DeviceLost(await this.lost)
    return result
  }
}

/** Why a device can be used no more. An error that nobody caught, such as memory that ran out, leaves results in doubt. */
function endOf(device: GPUDevice, signal: AbortSignal): Promise<string> {
  const failed = new Promise<string>((resolve) =>
    device.addEventListener('uncapturederror', ({ error }) => resolve(error.message), { signal }),
  )
  return Promise.race([failed, device.lost.then(({ message, reason }) => message || String(reason))])
}

/**
 * Of a processor that plays a GPU: its memory is all alike, threads that wait at barriers cost time, and SwiftShader takes
 * ten times as long to compile a shader with much workgroup memory.
 */
const SOFTWARE: ExecutorOptions = { workgroupBytes: 1024, threads: 16 }
