// The denoiser inside an AudioWorklet. In: render quanta of the context's rate, whatever their length. Out: the same, clean,
// a fixed number of samples later: a ring is filled with silence once, by as much as hops and quanta can ever differ. Built
// into one file without imports (scripts/bundles.mjs), as bundlers copy it and do not follow it.

import { Denoiser } from '../denoiser.ts'
import { AttenuateError, fail } from '../errors.ts'
import type { Host } from '../host.ts'
import { prepareParts } from '../preparation.ts'
import { type Answer, LEAST_STRENGTH_DB, PROCESSOR_NAME, type ProcessorOptions, type Question } from './messages.ts'
import { Ring } from './ring.ts'

declare const sampleRate: number
declare function registerProcessor(name: string, processor: unknown): void
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}

/** Longest render quantum that is provided for. */
const MAX_QUANTUM = 4096
/** Quanta looked ahead for the largest difference between what came in and what is ready: more than a second. */
const QUANTA_AHEAD = 2048

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
  #ring: Ring | undefined
  /** Interleaved, for one quantum in and what it may yield. */
  #input = new Float32Array(0)
  #output = new Float32Array(0)
  #quantum = 0
  #silence = 0
  #strengthDb = LEAST_STRENGTH_DB
  #quanta = 0
  #underruns = 0
  #isClosed = false

  constructor({ processorOptions }: { processorOptions: ProcessorOptions }) {
    super()
    this.port.onmessage = ({ data }) => this.#answer(data)
    this.#open(processorOptions).catch((error) => this.#complain(0, error))
  }

  async #open({ wasm, model, channels, comfortNoiseDb, strengthDb }: ProcessorOptions): Promise<void> {
    const options = {
      wasm,
      model,
      channels,
      comfortNoiseDb,
      strengthDb,
      sampleRate,
      outputRate: sampleRate,
      now: clock,
    }
    const denoiser = new Denoiser(await prepareParts(workletHost, options))
    this.#strengthDb = strengthDb
    this.#denoiser = denoiser
    this.#prepare(128)
    this.#send({ id: 0, ready: { latency: denoiser.latency, latencySamples: this.#silence } })
  }

  /** Buffers for quanta of this length; what was in the ring is lost. */
  #prepare(quantum: number): void {
    const denoiser = this.#denoiser!
    const { channels } = denoiser
    this.#quantum = quantum
    this.#input = new Float32Array(quantum * channels)
    this.#output = new Float32Array((quantum + MAX_QUANTUM) * channels)
    this.#silence = 0
    for (let i = 1; i <= QUANTA_AHEAD; i++) {
      const ready = denoiser.readyAfter(i * quantum * channels) / channels
      this.#silence = Math.max(this.#silence, i * quantum - ready)
    }
    this.#ring = new Ring(channels, this.#silence + quantum + MAX_QUANTUM)
    this.#ring.reset(this.#silence)
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][], parameters: Record<string, Float32Array>): boolean {
    if (this.#isClosed) return false
    const out = outputs[0]
    const denoiser = this.#denoiser
    if (denoiser === undefined || out.length === 0) return true
    if (out[0].length !== this.#quantum) this.#prepare(out[0].length)
    this.#follow(parameters)
    interleave(inputs[0], this.#input, denoiser.channels)
    const count = denoiser.processInto(this.#input, this.#output)
    const ring = this.#ring!
    ring.push(this.#output, count)
    this.#quanta++
    if (!ring.pull(out)) this.#underruns++
    return true
  }

  #follow({ strengthDb, bypass }: Record<string, Float32Array>): void {
    const wanted = bypass[0] >= 0.5 ? 0 : strengthDb[0]
    if (wanted === this.#strengthDb) return
    this.#strengthDb = wanted
    this.#denoiser!.strengthDb = wanted <= LEAST_STRENGTH_DB ? Number.NEGATIVE_INFINITY : wanted
  }

  #answer({ id, kind }: Question): void {
    try {
      if (kind === 'close') this.#close()
      else if (kind === 'reset') this.#reset()
      if (kind === 'stats' && this.#denoiser !== undefined) {
        const stats = { ...this.#denoiser.stats(), quanta: this.#quanta, underruns: this.#underruns }
        this.#send({ id, stats })
      } else this.#send({ id })
    } catch (error) {
      this.#complain(id, error)
    }
  }

  #reset(): void {
    this.#denoiser?.reset()
    this.#ring?.reset(this.#silence)
  }

  #close(): void {
    this.#isClosed = true
    this.#denoiser?.dispose()
    this.#denoiser = undefined
  }

  #complain(id: number, error: unknown): void {
    const code = error instanceof AttenuateError ? error.code : 'ENVIRONMENT_UNSUPPORTED'
    this.#send({ id, error: { code, message: String((error as Error).message ?? error) } })
  }

  #send(answer: Answer): void {
    this.port.postMessage(answer)
  }
}

/** Nothing connected is silence; fewer channels than wanted repeat the last. */
function interleave(planes: readonly Float32Array[], to: Float32Array, channels: number): void {
  if (planes === undefined || planes.length === 0) {
    to.fill(0)
    return
  }
  for (let c = 0; c < channels; c++) {
    const plane = planes[Math.min(c, planes.length - 1)]
    for (let i = 0, at = c; i < plane.length; i++, at += channels) to[at] = plane[i]
  }
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
