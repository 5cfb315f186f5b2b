// One instance of the WASM core with its memory, and the programs in it. In: a compiled module, parsed models.
// Out: addresses of programs, states and scratch blocks; views of samples. Many streams share one core: each program is
// held once, each stream adds only its state.
//
//   | core's data | program | scratch | state | state | program | scratch | state | ...   (64-byte aligned, see arena.ts)
//
// Instantiated directly: the ABI is numbers and one memory. @assemblyscript/loader passes strings and arrays, which the core
// has none of; it would add 5.5 kB minified (2.3 kB gzip) and 0.37 ms per instance (0.005 ms without; Node 20, measured).

import type { Model } from '../quantize/modelfile.ts'
import { Arena } from './arena.ts'
import { AttenuateError, fail } from './errors.ts'
import type { ParsedModel } from './model.ts'
import { type FilterPhase, type FilterShape, filterBytes, shapeFilter, writeFilter } from './resampling.ts'

const PAGE_BYTES = 65536

/** assembly/index.ts; addresses are byte offsets in the memory. */
export interface CoreExports {
  heapBase(): number
  numericVersion(): number
  reset(program: number, state: number): void
  run(program: number, state: number, scratch: number, opFrom: number, opTo: number): void
  hop(program: number, state: number, scratch: number): void
  end(state: number): void
  resample(filter: number, window: number, count: number, out: number): number
}

/** A model that lies in a core's memory. */
export interface Program {
  readonly model: Model
  readonly address: number
  readonly scratch: number
}

/** A low-pass filter between two rates, in a core's memory. */
export interface Filter {
  readonly shape: FilterShape
  readonly address: number
  /** Address of what one call yields at most. */
  readonly result: number
  readonly resultFloats: number
}

export class Core {
  readonly memory: WebAssembly.Memory
  readonly exports: CoreExports
  readonly numericVersion: number
  readonly #arena: Arena
  readonly #programs = new Map<string, { program: Program; users: number }>()
  readonly #filters = new Map<string, { filter: Filter; users: number }>()

  private constructor(memory: WebAssembly.Memory, exports: CoreExports) {
    this.memory = memory
    this.exports = exports
    this.numericVersion = exports.numericVersion()
    this.#arena = new Arena(exports.heapBase(), (endBytes) => this.#growTo(endBytes))
  }

  /** Asynchronous, as browsers demand for modules above 4 KB. */
  static async open(module: WebAssembly.Module): Promise<Core> {
    checkImports(module)
    // the module asks for a page; what programs and streams need is added as they come
    const memory = new WebAssembly.Memory({ initial: 1 })
    try {
      const instance = await WebAssembly.instantiate(module, { env: { memory } })
      return new Core(memory, instance.exports as unknown as CoreExports)
    } catch (error) {
      throw new AttenuateError(
        'ENVIRONMENT_UNSUPPORTED',
        'WASM core cannot be instantiated',
        (error as Error).message,
        'use a host with WebAssembly SIMD, or the scalar build',
      )
    }
  }

  /** Bytes that programs, scratch and states take. */
  get usedBytes(): number {
    return this.#arena.usedBytes
  }

  /** Puts a model into memory, once per SHA-256. Every acquired or shared program is released once. */
  acquireProgram(parsed: ParsedModel): Program {
    const { model } = parsed
    const known = this.#programs.get(model.sha256)
    if (known !== undefined) {
      known.users++
      return known.program
    }
    const program = {
      model,
      address: this.#arena.allocate(model.fileBytes),
      scratch: this.#arena.allocate(model.scratchBytes),
    }
    parsed.copyTo(this.bytes(program.address, model.fileBytes))
    this.#programs.set(model.sha256, { program, users: 1 })
    return program
  }

  /** One more user of a program that somebody holds. */
  shareProgram({ model }: Program): void {
    const entry = this.#programs.get(model.sha256)
    if (entry !== undefined) entry.users++
  }

  releaseProgram({ model, address, scratch }: Program): void {
    const entry = this.#programs.get(model.sha256)
    if (entry === undefined || --entry.users > 0) return
    this.#programs.delete(model.sha256)
    this.#arena.release(address, model.fileBytes)
    this.#arena.release(scratch, model.scratchBytes)
  }

  /** Address of a new stream's state, at its beginning. */
  acquireState(program: Program): number {
    const state = this.#arena.allocate(program.model.stateBytes)
    this.exports.reset(program.address, state)
    return state
  }

  releaseState(program: Program, state: number): void {
    this.#arena.release(state, program.model.stateBytes)
  }

  /** Puts a filter into memory, once per pair of rates and phase; `piece` inputs go in at once. Each one acquired is released once. */
  acquireFilter(inputRate: number, outputRate: number, piece: number, phase: FilterPhase = 'linear'): Filter {
    const shape = shapeFilter(inputRate, outputRate, phase)
    const key = filterKey(shape)
    const known = this.#filters.get(key)
    if (known !== undefined) {
      known.users++
      return known.filter
    }
    const resultFloats = Math.ceil((piece * shape.outputs) / shape.inputs) + 1
    const address = this.#arena.allocate(filterBytes(shape))
    const filter = { shape, address, result: this.#arena.allocate(4 * resultFloats), resultFloats }
    writeFilter(shape, this.bytes(address, filterBytes(shape)))
    this.#filters.set(key, { filter, users: 1 })
    return filter
  }

  releaseFilter({ shape, address, result, resultFloats }: Filter): void {
    const key = filterKey(shape)
    const entry = this.#filters.get(key)
    if (entry === undefined || --entry.users > 0) return
    this.#filters.delete(key)
    this.#arena.release(address, filterBytes(shape))
    this.#arena.release(result, 4 * resultFloats)
  }

  /** Room that is one stream's own. */
  allocate(bytes: number): number {
    return this.#arena.allocate(bytes)
  }

  release(address: number, bytes: number): void {
    this.#arena.release(address, bytes)
  }

  /** A view that the next growth of the memory detaches (its length is 0 then). */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length)
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length)
  }

  #growTo(endBytes: number): void {
    const missing = endBytes - this.memory.buffer.byteLength
    if (missing <= 0) return
    try {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES))
    } catch {
      fail('ENVIRONMENT_UNSUPPORTED', 'memory for streams and models', `${endBytes} bytes`, 'dispose of some first')
    }
  }
}

function filterKey({ outputs, inputs, phase }: FilterShape): string {
  return `${outputs}/${inputs} ${phase}`
}

/** Throws LOAD_FAILED where the module is no core. */
function checkImports(module: WebAssembly.Module): void {
  const memory = WebAssembly.Module.imports(module).find(({ kind }) => kind === 'memory')
  if (memory === undefined || memory.module !== 'env' || memory.name !== 'memory')
    fail(
      'LOAD_FAILED',
      'WASM module imports no env.memory',
      `${memory?.module}.${memory?.name}`,
      "use this package's core",
    )
}
