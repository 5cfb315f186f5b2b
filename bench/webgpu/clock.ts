// The device's own clock: how long the shader of a batch ran, without submission, copies and JavaScript. In: a device with
// the feature timestamp-query. Out: what an executor writes with every pass, and the milliseconds of the last one.

import type { ExecutorOptions } from '../../sdk/webgpu/executor.ts'

const MAP_READ = 1
const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, queryResolve: 512 } as const

export class KernelClock {
  readonly writes: NonNullable<ExecutorOptions['timestampWrites']>
  readonly #device: GPUDevice
  readonly #querySet: GPUQuerySet
  readonly #ticks: GPUBuffer
  readonly #reader: GPUBuffer

  private constructor(device: GPUDevice) {
    this.#device = device
    this.#querySet = device.createQuerySet({ type: 'timestamp', count: 2 })
    this.#ticks = device.createBuffer({ size: 16, usage: USAGE.queryResolve | USAGE.copySrc })
    this.#reader = device.createBuffer({ size: 16, usage: USAGE.mapRead | USAGE.copyDst })
    this.writes = { querySet: this.#querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
  }

  /** Undefined where the device has no clock. */
  static of(device: GPUDevice): KernelClock | undefined {
    return device.features.has('timestamp-query') ? new KernelClock(device) : undefined
  }

  async lastMs(): Promise<number> {
    const encoder = this.#device.createCommandEncoder()
    encoder.resolveQuerySet(this.#querySet, 0, 2, this.#ticks, 0)
    encoder.copyBufferToBuffer(this.#ticks, 0, this.#reader, 0, 16)
    this.#device.queue.submit([encoder.finish()])
    await this.#reader.mapAsync(MAP_READ)
    const [begun, ended] = new BigUint64Array(this.#reader.getMappedRange().slice(0))
    this.#reader.unmap()
    return Number(ended - begun) / 1e6
  }
}
