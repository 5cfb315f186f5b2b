// A denoiser as an AudioWorkletNode: connect a source, connect it on. In: a context of any rate, a model. Out: a node with
// parameters `strengthDb` and `bypass`, a known latency, and an end.

import { findModule } from '../cores.ts'
import { AttenuateError, type ErrorCode, fail } from '../errors.ts'
import { browserHost } from '../host.browser.ts'
import type { Latency } from '../latency.ts'
import { type LoadOptions, parseModel } from '../model.ts'
import type { DenoiserOptions } from '../options.ts'
import { mixtureOf } from '../preset.ts'
import type { Answer, NodeStats, ProcessorOptions, Question, Ready } from './messages.ts'
import { LEAST_STRENGTH_DB, PROCESSOR_NAME } from './messages.ts'

/** What a node has in common with a `Denoiser`. */
type Common =
  | 'model'
  | 'channels'
  | 'linked'
  | 'highBand'
  | 'phase'
  | 'preset'
  | 'strengthDb'
  | 'comfortNoiseDb'
  | 'wasm'

/** Of `createDenoiserNode`. Channels (default 1): what is connected is mixed up or down to them, as `channelCount` does. */
export interface DenoiserNodeOptions extends LoadOptions, Pick<DenoiserOptions, Common> {
  /**
   * Quanta over which the arithmetic of a hop is spread, 1 to 16, as far as a hop lasts: the worst quantum falls to that part
   * of it, and each quantum beyond the first adds one to the latency (2.7 ms at 48 kHz). Default 2; 1 for the least latency.
   */
  readonly spreadQuanta?: number
  /** Where the processor's file is served; default: beside this module. */
  readonly processorUrl?: string | URL
}

/** The processor's file added once to each context. */
const added = new WeakMap<BaseAudioContext, Map<string, Promise<void>>>()
/** Names of compiled cores: a worklet gets a copy with every node, and must know which are the same. */
const names = new WeakMap<WebAssembly.Module, string>()
/** How long `close` waits for the processor. */
const CLOSE_MS = 500
/** Samples of a render quantum where the context does not say. */
const USUAL_QUANTUM = 128
const USUAL_SPREAD = 2
const MAX_SPREAD = 16

/** A node that is ready to use. Rejects with an AttenuateError, or with the signal's reason. */
export async function createDenoiserNode(
  context: BaseAudioContext,
  options: DenoiserNodeOptions = {},
): Promise<DenoiserNode> {
  const { channels = 1, linked = false, highBand, phase, spreadQuanta = USUAL_SPREAD, signal } = options
  if (context.audioWorklet === undefined)
    fail('ENVIRONMENT_UNSUPPORTED', 'AudioWorklet', 'absent', 'serve the page over https or from localhost')
  if (!Number.isInteger(spreadQuanta) || spreadQuanta < 1 || spreadQuanta > MAX_SPREAD)
    fail('OPTION_INVALID', 'spreadQuanta', spreadQuanta, `use 1..${MAX_SPREAD}`)
  signal?.throwIfAborted()
  const mixture = mixtureOf(options)
  const [wasm, parsed] = await Promise.all([
    findModule(browserHost, options.wasm),
    parseModel(browserHost, options.model, options),
    addProcessor(context, options.processorUrl ?? new URL('./processor.js', import.meta.url)),
  ])
  signal?.throwIfAborted()
  const quantum = (context as { renderQuantumSize?: number }).renderQuantumSize ?? USUAL_QUANTUM
  const form = {
    channels,
    linked,
    quantum,
    spreadQuanta,
    ...(highBand !== undefined && { highBand }),
    ...(phase !== undefined && { phase }),
  }
  const node = new DenoiserNode(context, { wasm, wasmName: nameOf(wasm), model: parsed.toBytes(), ...form, ...mixture })
  try {
    await node.ready
  } catch (error) {
    node.disconnect()
    throw error
  }
  return node
}

/** Unlike those that another copy of this module gives. */
function nameOf(wasm: WebAssembly.Module): string {
  const name = names.get(wasm) ?? `${performance.timeOrigin} ${Math.random()}`
  names.set(wasm, name)
  return name
}

async function addProcessor(context: BaseAudioContext, source: string | URL): Promise<void> {
  const url = String(source)
  const known = added.get(context) ?? new Map<string, Promise<void>>()
  added.set(context, known)
  const adding = known.get(url) ?? context.audioWorklet.addModule(url)
  known.set(url, adding)
  try {
    await adding
  } catch (error) {
    known.delete(url)
    throw new AttenuateError(
      'LOAD_FAILED',
      `the processor's file cannot be added (${(error as Error).message})`,
      url,
      'serve dist/sdk/worklet/processor.js and name it as processorUrl',
    )
  }
}

/** Use `createDenoiserNode`. */
export class DenoiserNode extends AudioWorkletNode {
  /** Resolves when samples flow, rejects with an AttenuateError if they never will. */
  readonly ready: Promise<void>
  readonly #answers = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  #next = 1
  #state: Ready | undefined
  #isClosed = false

  /** @internal */
  constructor(context: BaseAudioContext, options: ProcessorOptions) {
    const strengthDb = Math.max(LEAST_STRENGTH_DB, options.strengthDb)
    super(context, PROCESSOR_NAME, {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [options.channels],
      channelCount: options.channels,
      channelCountMode: 'explicit',
      parameterData: { strengthDb },
      processorOptions: options,
    })
    this.ready = new Promise((resolve, reject) => {
      this.#answers.set(0, { resolve: () => resolve(), reject })
    })
    this.ready.catch(() => {}) // whoever awaits it hears of it
    this.port.onmessage = ({ data }: MessageEvent<Answer>) => this.#take(data)
    this.onprocessorerror = () =>
      this.#fail(new AttenuateError('ENVIRONMENT_UNSUPPORTED', 'the processor ended', '', 'see the console'))
  }

  /** dB, -120 (all that the model does) to 0 (bypass at the same latency); changes without a click. */
  get strengthDb(): AudioParam {
    return this.parameters.get('strengthDb')!
  }

  /** 1: the input, as late as the output; changes without a click. */
  get bypass(): AudioParam {
    return this.parameters.get('bypass')!
  }

  /** From input to output, in samples of the context: what an impulse takes. */
  get latencySamples(): number {
    return this.#state?.latencySamples ?? 0
  }

  /** The same in milliseconds. */
  get latencyMs(): number {
    return (1000 * this.latencySamples) / this.context.sampleRate
  }

  /** Where the model's part of it comes from. */
  get latency(): Latency | undefined {
    return this.#state?.latency
  }

  /** Counters and levels so far. */
  async stats(): Promise<NodeStats> {
    const answer = await this.#ask('stats')
    return (answer as { stats: NodeStats }).stats
  }

  /** Forgets what was heard: for another speaker or room. */
  async reset(): Promise<void> {
    await this.#ask('reset')
  }

  /** Ends the processor and frees its memory; the node is silent from then on. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    const closed = this.#ask('close')
    this.#isClosed = true
    this.disconnect()
    // a context that is closed or has ended never answers
    await Promise.race([closed.catch(() => {}), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))])
    this.port.close()
    this.#fail(new AttenuateError('DISPOSED', 'node', 'closed', 'create another node')) // whoever still waits
  }

  #ask(kind: Question['kind']): Promise<Answer> {
    if (this.#isClosed) fail('DISPOSED', `${kind} after close`, this.#next, 'create another node')
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject })
      this.port.postMessage({ id, kind } satisfies Question)
    })
  }

  #take(answer: Answer): void {
    const waiting = this.#answers.get(answer.id)
    this.#answers.delete(answer.id)
    if ('error' in answer) {
      waiting?.reject(revive(answer.error))
      return
    }
    if ('ready' in answer) this.#state = answer.ready
    waiting?.resolve(answer)
  }

  #fail(error: Error): void {
    for (const { reject } of this.#answers.values()) reject(error)
    this.#answers.clear()
  }
}

/** The error of the other side, as one of this side. */
function revive({ code, message }: { readonly code: string; readonly message: string }): AttenuateError {
  const error = new AttenuateError(code as ErrorCode, '', '', '')
  error.message = message
  return error
}
