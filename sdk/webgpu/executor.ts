// A model on a GPU: its shader, its weights and the states of many streams, batch by batch. In: rows (slot, flags) with a hop
// of samples each. Out: a hop of results for each row, in one submission with one dispatch. Buffers are kept; results come
// back through a ring of buffers, so that the next batch may be submitted before the last one is read.

import type { Model } from '../../quantize/modelfile.ts'
import { countResults } from '../../quantize/record.ts'
import { fail } from '../errors.ts'
import { type Shader, writeShader } from './shader.ts'

export interface ExecutorOptions {
  /** Activations and float matrices: `f16` needs no feature of the adapter. Poles and states are f32 always. */
  readonly precision?: 'f32' | 'f16'
  /** How int8 matrices are multiplied: `dots` rounds activations to int16; the host must know packed_4x8_integer_dot_product. */
  readonly products?: 'floats' | 'dots'
  /** How sums and peaks of a row are made: `exchanged` within subgroups, which the device must have been opened with. */
  readonly rows?: 'alone' | 'exchanged'
  /** Of a workgroup. Default: by the size of the model's widest value. */
  readonly threads?: number
  /** Of workgroup memory at most. Default: what the device has. */
  readonly workgroupBytes?: number
  /** Of every batch's pass, for who wants to know how long the shader runs; needs the feature timestamp-query. */
  readonly timestampWrites?: GPUComputePassTimestampWrites | undefined
}

/** The specification's numbers: Node has no globals for them. */
const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, storage: 128 } as const
const MAP_READ = 1
const COMPUTE = 4

/** Batches under way at most. */
const DEPTH = 3

/**
 * Threads for a value of so many numbers. Measured on an H200 (README.md): base (3072) and hq (6144) take 15 to 25 % less time
 * with 256 threads than with 128, lite (1536) 80 % more.
 */
const WIDE = { numbers: 3072, threads: 256 } as const
const NARROW_THREADS = 128

interface Reader {
  readonly buffer: GPUBuffer
  readonly bytes: number
}

export class Executor {
  readonly device: GPUDevice
  readonly model: Model
  readonly shader: Shader
  readonly #pipeline: GPUComputePipeline
  readonly #pass: GPUComputePassDescriptor
  readonly #weights: readonly GPUBuffer[]
  #states: GPUBuffer
  #commands!: GPUBuffer
  #inputs!: GPUBuffer
  #outputs!: GPUBuffer
  #spill: GPUBuffer | undefined
  #bindings!: GPUBindGroup
  /** Streams for which there are states, rows for which there are inputs. */
  #slots = 0
  #rows = 0
  #free: Reader[] = []
  dispatches = 0

  private constructor(
    device: GPUDevice,
    model: Model,
    shader: Shader,
    pipeline: GPUComputePipeline,
    pass: GPUComputePassDescriptor,
  ) {
    this.device = device
    this.model = model
    this.shader = shader
    this.#pipeline = pipeline
    this.#pass = pass
    const matrices = shader.isHalf ? toHalves(shader.matrices) : shader.matrices
    this.#weights = [shader.constants, matrices, shader.words].map((data) => this.#upload(data))
    this.#states = this.#storage(model.stateBytes)
    this.reserve(1, 1)
  }

  static async open(
    device: GPUDevice,
    model: Model,
    file: Uint8Array,
    options: ExecutorOptions = {},
  ): Promise<Executor> {
    const {
      precision = 'f32',
      products = 'floats',
      rows = 'alone',
      threads = threadsFor(model),
      timestampWrites,
    } = options
    const { limits } = device
    const size = Math.min(threads, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX)
    const workgroupBytes = options.workgroupBytes ?? limits.maxComputeWorkgroupStorageSize
    const ways = {
      threads: size,
      isHalf: precision === 'f16',
      isDotted: products === 'dots',
      subgroup: rows === 'exchanged' ? (device.adapterInfo.subgroupMinSize ?? 0) : 0,
    }
    const shader = writeShader(model, file, ways, workgroupBytes)
    const module = device.createShaderModule({ code: shader.code })
    const pipeline = await device.createComputePipelineAsync({ layout: layoutOf(device, shader), compute: { module } })
    return new Executor(device, model, shader, pipeline, timestampWrites === undefined ? {} : { timestampWrites })
  }

  /** Streams that fit the device's limits. */
  get maxSlots(): number {
    const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupsPerDimension } = this.device.limits
    const perSlot = Math.max(this.model.stateBytes, this.shader.spillBytes)
    return Math.min(
      Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / perSlot),
      maxComputeWorkgroupsPerDimension,
    )
  }

  /** Makes room for streams and for rows of a batch; states stay. */
  reserve(slots: number, rows: number): void {
    if (slots <= this.#slots && rows <= this.#rows) return
    if (Math.max(slots, rows) > this.maxSlots)
      fail(
        'OPTION_INVALID',
        'streams on this device',
        Math.max(slots, rows),
        `use at most ${this.maxSlots}, or another pool`,
      )
    if (slots > this.#slots) this.#growStates(Math.min(this.maxSlots, Math.max(slots, 2 * this.#slots)))
    if (rows > this.#rows) this.#growRows(Math.min(this.maxSlots, Math.max(rows, 2 * this.#rows)))
    this.#bind()
  }

  #growStates(slots: number): void {
    const grown = this.#storage(slots * this.model.stateBytes)
    if (this.#slots > 0) {
      const encoder = this.device.createCommandEncoder()
      encoder.copyBufferToBuffer(this.#states, 0, grown, 0, this.#slots * this.model.stateBytes)
      this.device.queue.submit([encoder.finish()])
    }
    this.#states.destroy()
    this.#states = grown
    this.#slots = slots
  }

  #growRows(rows: number): void {
    for (const buffer of [this.#commands, this.#inputs, this.#outputs, this.#spill]) buffer?.destroy()
    for (const { buffer } of this.#free) buffer.destroy()
    this.#free = []
    this.#commands = this.#storage(8 * rows)
    this.#inputs = this.#storage(4 * rows * this.model.inputHop)
    this.#outputs = this.#storage(4 * rows * this.model.outputHop)
    this.#spill = this.shader.spillBytes > 0 ? this.#storage(rows * this.shader.spillBytes) : undefined
    this.#rows = rows
  }

  #bind(): void {
    const buffers = [...this.#weights, this.#states, this.#commands, this.#inputs, this.#outputs, this.#spill]
    this.#bindings = this.device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: buffers.flatMap((buffer, binding) => (buffer === undefined ? [] : [{ binding, resource: { buffer } }])),
    })
  }

  /**
   * One hop of each row: `commands` (rows, 2) slot and flags, no slot twice; `inputs` (rows, inputHop). Resolves with
   * (rows, outputHop). `copied`: first slot and count whose states, as they are after the hop, come back too.
   */
  async run(
    commands: Uint32Array<ArrayBuffer>,
    inputs: Float32Array<ArrayBuffer>,
    copied?: readonly [number, number],
  ): Promise<{ outputs: Float32Array; states: Uint8Array | undefined }> {
    const rows = commands.length / 2
    this.reserve(Math.max(1 + highestSlot(commands), copied === undefined ? 0 : copied[0] + copied[1]), rows)
    const { outputHop, stateBytes } = this.model
    const outputBytes = 4 * rows * outputHop
    const stateRange = copied === undefined ? 0 : copied[1] * stateBytes
    const reader = this.#takeReader(outputBytes + stateRange)
    const { queue } = this.device
    queue.writeBuffer(this.#commands, 0, commands)
    queue.writeBuffer(this.#inputs, 0, inputs)
    const encoder = this.device.createCommandEncoder()
    const pass = encoder.beginComputePass(this.#pass)
    pass.setPipeline(this.#pipeline)
    pass.setBindGroup(0, this.#bindings)
    pass.dispatchWorkgroups(rows)
    pass.end()
    encoder.copyBufferToBuffer(this.#outputs, 0, reader.buffer, 0, outputBytes)
    if (copied !== undefined)
      encoder.copyBufferToBuffer(this.#states, copied[0] * stateBytes, reader.buffer, outputBytes, stateRange)
    queue.submit([encoder.finish()])
    this.dispatches++
    await reader.buffer.mapAsync(MAP_READ, 0, outputBytes + stateRange)
    const mapped = reader.buffer.getMappedRange(0, outputBytes + stateRange).slice(0)
    reader.buffer.unmap()
    this.#giveReader(reader)
    return {
      outputs: new Float32Array(mapped, 0, rows * outputHop),
      states: copied === undefined ? undefined : new Uint8Array(mapped, outputBytes),
    }
  }

  /** The state block of a stream, as it is after all that was submitted. */
  async readState(slot: number): Promise<Uint8Array> {
    const { stateBytes } = this.model
    const reader = this.#takeReader(stateBytes)
    const encoder = this.device.createCommandEncoder()
    encoder.copyBufferToBuffer(this.#states, slot * stateBytes, reader.buffer, 0, stateBytes)
    this.device.queue.submit([encoder.finish()])
    await reader.buffer.mapAsync(MAP_READ, 0, stateBytes)
    const bytes = new Uint8Array(reader.buffer.getMappedRange(0, stateBytes).slice(0))
    reader.buffer.unmap()
    this.#giveReader(reader)
    return bytes
  }

  writeState(slot: number, bytes: Uint8Array): void {
    this.reserve(slot + 1, 1)
    this.device.queue.writeBuffer(this.#states, slot * this.model.stateBytes, Uint8Array.from(bytes))
  }

  dispose(): void {
    for (const buffer of [...this.#weights, this.#states, this.#commands, this.#inputs, this.#outputs, this.#spill])
      buffer?.destroy()
    for (const { buffer } of this.#free) buffer.destroy()
    this.#free = []
  }

  #takeReader(bytes: number): Reader {
    const at = this.#free.findIndex((reader) => reader.bytes >= bytes)
    if (at >= 0) return this.#free.splice(at, 1)[0]
    return {
      bytes,
      buffer: this.device.createBuffer({ size: bytes, usage: USAGE.mapRead | USAGE.copyDst }),
    }
  }

  #giveReader(reader: Reader): void {
    this.#free.push(reader)
    if (this.#free.length <= DEPTH + 1) return
    this.#free.sort((a, b) => b.bytes - a.bytes)
    this.#free.pop()!.buffer.destroy()
  }

  #storage(bytes: number): GPUBuffer {
    const usage = USAGE.storage | USAGE.copyDst | USAGE.copySrc
    return this.device.createBuffer({ size: bytes, usage })
  }

  #upload(data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.#storage(Math.max(16, data.byteLength))
    this.device.queue.writeBuffer(buffer, 0, data)
    return buffer
  }
}

function threadsFor({ records }: Model): number {
  const widest = Math.max(...records.map(({ task }) => countResults(task)))
  return widest >= WIDE.numbers ? WIDE.threads : NARROW_THREADS
}

function highestSlot(commands: Uint32Array): number {
  let highest = 0
  for (let i = 0; i < commands.length; i += 2) highest = Math.max(highest, commands[i])
  return highest
}

/** Written out: what a shader does not use would be missing from an automatic layout. */
function layoutOf(device: GPUDevice, { spillBytes }: Shader): GPUPipelineLayout {
  const types = ['read', 'read', 'read', 'write', 'read', 'read', 'write', ...(spillBytes > 0 ? ['write'] : [])]
  const entries = types.map((type, binding) => ({
    binding,
    visibility: COMPUTE,
    buffer: { type: type === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
  }))
  return device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries })] })
}

const FLOAT = new Float32Array(1)
const BITS = new Uint32Array(FLOAT.buffer)

/** To nearest, ties to even; beyond the range the largest. */
function toHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = Uint16Array.from(values, halfOf)
  return halves.length % 2 === 0 ? halves : Uint16Array.from([...halves, 0])
}

export function halfOf(value: number): number {
  FLOAT[0] = Math.max(-65504, Math.min(65504, value))
  const bits = BITS[0]
  const sign = (bits >>> 16) & 0x8000
  const size = Math.abs(FLOAT[0])
  // below the smallest normal: multiples of 2^-24
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24)
  const rounded = (bits & 0x7fffffff) + 0xfff + ((bits >>> 13) & 1)
  return sign | Math.min(0x7bff, (rounded - (112 << 23)) >>> 13)
}

function roundEven(x: number): number {
  const whole = Math.floor(x)
  const part = x - whole
  return part > 0.5 || (part === 0.5 && whole % 2 === 1) ? whole + 1 : whole
}
