// The denoiser inside an AudioWorklet. In: render quanta of the context's rate, whatever their length. Out: the same, clean,
// a fixed number of samples later. Built into one file without imports (scripts/dist.mjs), as bundlers copy it and do not
// follow it.

import { Denoiser } from '../denoiser.ts'
import { AttenuateError, fail } from '../errors.ts'
import type { Host } from '../host.ts'
import { prepareParts } from '../preparation.ts'
import { type Answer, LEAST_STRENGTH_DB, PROCESSOR_NAME, type ProcessorOptions, type Question } from './messages.ts'
import { chooseSpread, Quanta } from './quanta.ts'

declare const sampleRate: number
declare function registerProcessor(name: string, processor: unknown): void
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}

/** The first copy of each module: nodes with the same one share one core, and the weights in it. */
const modules = new Map<string, WebAssembly.Module>()

function firstOf(name: string, copy: WebAssembly.Module): WebAssembly.Module {
  const first = modules.get(name) ?? copy
  modules.set(name, first)
  return first
}

class DenoiserProcessor extends AudioWorkletProcessor {
  static get parameterDescriptors() {
    return [
      {
        name: 'strengthDb',
        defaultValue: LEAST_STRENGTH_DB,
        minValue: LEAST_STRENGTH_DB,
        maxValue: 0,
        automationRate: 'k-rate',
      },
      { name: 'bypass', defaultValue: 0, minValue: 0, maxValue: 1, automationRate: 'k-rate' },
    ]
  }

  #denoiser: Denoiser | undefined
  #quanta: Quanta | undefined
  #strengthDb = LEAST_STRENGTH_DB
  #isClosed = false

  constructor({ processorOptions }: { processorOptions: ProcessorOptions }) {
    super()
    this.port.onmessage = ({ data }) => this.#answer(data)
    this.#open(processorOptions).catch((error) => {
      this.#isClosed = true
      this.#complain(0, error)
    })
  }

  async #open(options: ProcessorOptions): Promise<void> {
    const wasm = firstOf(options.wasmName, options.wasm)
    const parts = await prepareParts(workletHost, { ...options, wasm, sampleRate, outputRate: sampleRate, now: clock })
    const { quantum, spreadQuanta } = options
    const spreadSamples = chooseSpread(parts.program.model, sampleRate, quantum, spreadQuanta)
    const denoiser = new Denoiser({ ...parts, spreadSamples })
    if (this.#isClosed) return denoiser.dispose()
    this.#strengthDb = options.strengthDb
    this.#denoiser = denoiser
    this.#prepare(quantum)
  }

  /** For quanta of this length, from silence on. */
  #prepare(quantum: number): Quanta {
    const denoiser = this.#denoiser!
    const quanta = new Quanta(denoiser, quantum)
    this.#quanta = quanta
    this.#send({ id: 0, ready: { latency: denoiser.latency, latencySamples: quanta.latencySamples } })
    return quanta
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][], parameters: Record<string, Float32Array>): boolean {
    if (this.#isClosed) return false
    const out = outputs[0]
    const quanta = this.#quanta
    if (quanta === undefined || out.length === 0) return true
    this.#follow(parameters)
    if (out[0].length === quanta.length) quanta.process(inputs[0], out)
    else this.#prepare(out[0].length).process(inputs[0], out)
    return true
  }

  #follow({ strengthDb, bypass }: Record<string, Float32Array>): void {
    const { model } = this.#denoiser!
    const wanted = bypass[0] >= 0.5 ? 0 : strengthDb[0]
    if (wanted === this.#strengthDb || model.inputRate !== model.outputRate) return
    this.#strengthDb = wanted
    this.#denoiser!.strengthDb = boundedStrength(wanted)
  }

  #answer({ id, kind }: Question): void {
    try {
      if (kind === 'close') this.#close()
      else if (kind === 'reset') this.#quanta?.reset()
      if (kind === 'stats' && this.#quanta !== undefined) {
        this.#send({ id, stats: this.#quanta.stats() })
      } else this.#send({ id })
    } catch (error) {
      this.#complain(id, error)
    }
  }

  #close(): void {
    this.#isClosed = true
    this.#denoiser?.dispose()
    this.#denoiser = undefined
    this.#quanta = undefined
  }

  #complain(id: number, error: unknown): void {
    const code = error instanceof AttenuateError ? error.code : 'ENVIRONMENT_UNSUPPORTED'
    this.#send({ id, error: { code, message: String((error as Error).message ?? error) } })
  }

  #send(answer: Answer): void {
    this.port.postMessage(answer)
  }
}

/** Of a parameter, which cannot be infinite. */
function boundedStrength(strengthDb: number): number {
  return strengthDb <= LEAST_STRENGTH_DB ? Number.NEGATIVE_INFINITY : strengthDb
}

/** Worklets have no performance.now in most browsers. */
function clock(): number {
  return globalThis.performance?.now() ?? Date.now()
}

const absent = (what: string) => (): never =>
  fail('LOAD_FAILED', `a worklet cannot load the ${what}`, '', 'hand it over')

const workletHost: Host = {
  loadCore: absent('WASM core'),
  readModel: absent('model'),
  readWasm: absent('WASM core'),
  now: clock,
}

registerProcessor(PROCESSOR_NAME, DenoiserProcessor)
