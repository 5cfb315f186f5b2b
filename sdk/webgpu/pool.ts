// Many streams through one model, a hop of all of them at a time, on a GPU or on threads of WASM. In: samples per stream, as
// they come: a stream without a whole hop sits out and keeps its state. Out: samples per stream. A GPU that is lost is
// replaced by WASM, from states of a moment ago and the input since: no sample is lost.

import type { Model } from '../../quantize/modelfile.ts'
import { STATE_HEADER_BYTES } from '../../quantize/record.ts'
import { fail } from '../errors.ts'
import { SnapshotReader, SnapshotWriter } from '../snapshot.ts'
import { reportUncaught } from '../uncaught.ts'
import { type Backend, type BackendName, type BatchResult, DeviceLost } from './backend.ts'
import type { Choice } from './choice.ts'
import { Framing } from './framing.ts'
import { type Entry, Ledger } from './ledger.ts'
import { PoolStream } from './stream.ts'

/** Batches under way at most: one computes while the last is read back. */
const DEPTH = 2
/** Where the snapshot of a denoiser has its number of channels. */
const MAGIC = 0x4c4f4f50 // 'POOL'
/** Of the layout of states, which all backends share; their last bits may differ. */
const NUMERIC_VERSION = 1

/** A device was lost, and WASM goes on in its place. */
export interface Fallback {
  /** What the device said. */
  readonly reason: string
  /** Batches since the pool began. */
  readonly atHop: number
  /** Batches that were run again, to bring the states up to date. */
  readonly replayedHops: number
  /** That went on. */
  readonly streams: number
}

/** What a pool is made of; `DenoiserPool.create` of an entry hands it over. */
export interface PoolParts {
  readonly model: Model
  readonly backend: Backend
  /** What takes over when a device is lost. */
  readonly openFallback: () => Promise<Backend>
  readonly choice: Choice
  readonly onFallback: ((fallback: Fallback) => void) | undefined
}

/** What a pool runs on, and why. */
export interface PoolReport extends Choice {
  /** What runs the hops now. */
  readonly backend: BackendName
  /** Adapter and precision, or threads. */
  readonly description: string
  /** Compute dispatches per hop of all streams; 0 on WASM. */
  readonly dispatchesPerHop: number
  /** In the pool. */
  readonly streams: number
  /** Batches since the pool began. */
  readonly hops: number
  /** Undefined while no device was lost. */
  readonly fallback: Fallback | undefined
}

interface Flight {
  readonly entry: Entry
  readonly rows: readonly { stream: PoolStream; epoch: number; first: number; count: number }[]
  readonly done: Promise<void>
}

export class DenoiserPool {
  /** Sizes, rates, card. */
  readonly model: Model
  readonly #parts: PoolParts
  readonly #streams = new Map<number, PoolStream>()
  readonly #freeSlots: number[] = []
  readonly #flights: Flight[] = []
  readonly #ledger = new Ledger()
  #backend: Backend
  #slots = 0
  #hops = 0
  #recovery: Promise<void> | undefined
  #fallback: Fallback | undefined
  #isDisposed = false

  /** @internal Use `DenoiserPool.create`. */
  constructor(parts: PoolParts) {
    this.#parts = parts
    this.model = parts.model
    this.#backend = parts.backend
    // where nothing can take over, the next hop tries again and says so
    parts.backend.lost.then((reason) => this.#recover(parts.backend, reason)).catch(() => {})
  }

  /** What the pool runs on, why, and what it did. */
  get report(): PoolReport {
    const { name, description, dispatchesPerBatch } = this.#backend
    return {
      ...this.#parts.choice,
      backend: name,
      description,
      dispatchesPerHop: dispatchesPerBatch,
      streams: this.#streams.size,
      hops: this.#hops,
      fallback: this.#fallback,
    }
  }

  /** Streams in the pool. */
  get size(): number {
    return this.#streams.size
  }

  /** Streams the backend can hold. */
  get capacity(): number {
    return this.#backend.maxSlots
  }

  /**
   * Samples at the output rate by which the model delays, without the wait for results: where `hop` is called once per hop
   * and not awaited, they are there one hop later at most.
   */
  get latencySamples(): number {
    return this.model.latencySamples
  }

  /** A new stream, or one that goes on from a snapshot. It may come at any time. */
  add(snapshot?: Uint8Array): PoolStream {
    this.#checkAlive()
    if (this.#streams.size >= this.capacity)
      fail('OPTION_INVALID', 'streams', this.#streams.size + 1, `remove some: this backend holds ${this.capacity}`)
    const slot = this.#freeSlots.pop() ?? this.#slots++
    const stream = new PoolStream(this, slot)
    this.#streams.set(slot, stream)
    this.#ledger.begin(slot)
    if (snapshot === undefined) return stream
    try {
      this.thaw(stream, snapshot)
    } catch (error) {
      stream.remove()
      throw error
    }
    return stream
  }

  /**
   * Runs one hop of every stream that has one waiting, all in one batch, and resolves with their number when the results
   * can be read. Need not be awaited: two batches may be under way, a third waits.
   */
  async hop(): Promise<number> {
    this.#checkAlive()
    while (this.#flights.length >= DEPTH || this.#recovery !== undefined)
      await (this.#recovery ?? this.#flights[0].done)
    const due = [...this.#streams.values()].filter(({ masked, framing }) => !masked && framing.isDue)
    if (due.length === 0) return 0
    await this.#submit(due).done
    return due.length
  }

  /** Runs hops until no stream has one, masked ones aside. */
  async drain(): Promise<void> {
    while ((await this.hop()) > 0);
    await this.#landing()
  }

  /** Ends all streams and lets go of device and threads. */
  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    for (const stream of [...this.#streams.values()]) stream.remove()
    this.#backend.dispose()
  }

  #submit(due: readonly PoolStream[]): Flight {
    const { inputHop } = this.model
    const commands = new Uint32Array(2 * due.length)
    const inputs = new Float32Array(due.length * inputHop)
    const rows = due.map((stream, row) => {
      this.#takeUp(stream)
      commands[2 * row] = stream.slot
      commands[2 * row + 1] = stream.framing.take(inputs, row * inputHop)
      const [first, count] = stream.framing.claim()
      return { stream, epoch: stream.epoch, first, count }
    })
    const isMortal = this.#backend.name === 'webgpu'
    const entry = isMortal
      ? this.#ledger.enter(commands, inputs, this.#slots)
      : { number: 0, commands, inputs, copied: undefined }
    this.#hops++
    const flight: Flight = { entry, rows, done: this.#fly(entry, (result) => this.#land(flight, result)) }
    this.#flights.push(flight)
    return flight
  }

  /** The state of a snapshot goes to the backend that runs the stream's next hop. */
  #takeUp(stream: PoolStream): void {
    if (stream.incoming === undefined) return
    this.#backend.writeState(stream.slot, stream.incoming)
    this.#ledger.begin(stream.slot, stream.incoming)
    stream.incoming = undefined
  }

  /** Resolves when the results of a batch have been delivered, by whichever backend. */
  async #fly(entry: Entry, land: (result: BatchResult) => void): Promise<void> {
    const backend = this.#backend
    const before = this.#flights.at(-1)?.done
    try {
      const result = await backend.run(entry.commands, entry.inputs, entry.copied)
      await before
      land(result)
    } catch (error) {
      if (!(error instanceof DeviceLost)) throw error
      await this.#recover(backend, error.message)
    }
  }

  #land(flight: Flight, result: BatchResult): void {
    const at = this.#flights.indexOf(flight)
    if (at < 0) return // the fallback has delivered it
    this.#flights.splice(at, 1)
    this.#ledger.settle(flight.entry, result)
    const { outputHop } = this.model
    for (const [row, { stream, epoch, first, count }] of flight.rows.entries()) {
      const from = row * outputHop + first
      if (stream.epoch === epoch && count > 0) stream.deliver(result.outputs.subarray(from, from + count))
    }
  }

  async #landing(): Promise<void> {
    while (this.#flights.length > 0) await this.#flights[0].done
  }

  /** Goes on without the device that was lost; once, however many notice. */
  #recover(lost: Backend, reason: string): Promise<void> {
    if (this.#isDisposed || lost !== this.#backend) return this.#recovery ?? Promise.resolve()
    this.#recovery ??= this.#moveTo(reason).finally(() => {
      this.#recovery = undefined
    })
    return this.#recovery
  }

  async #moveTo(reason: string): Promise<void> {
    const next = await this.#parts.openFallback()
    for (const [slot, state] of this.#ledger.states()) next.writeState(slot, state)
    const { inputHop, outputHop } = this.model
    let replayedHops = 0
    for (const { entry, rows } of [...this.#ledger.replays()]) {
      const flight = this.#flights.find((each) => each.entry === entry)
      if (rows.length === 0 && flight === undefined) continue
      const commands = new Uint32Array(2 * rows.length)
      const inputs = new Float32Array(rows.length * inputHop)
      for (const [i, row] of rows.entries()) {
        commands.set(entry.commands.subarray(2 * row, 2 * row + 2), 2 * i)
        inputs.set(entry.inputs.subarray(row * inputHop, (row + 1) * inputHop), i * inputHop)
      }
      const { outputs } = await next.run(commands, inputs)
      replayedHops++
      if (flight === undefined) continue
      const whole = new Float32Array(flight.rows.length * outputHop)
      for (const [i, row] of rows.entries())
        whole.set(outputs.subarray(i * outputHop, (i + 1) * outputHop), row * outputHop)
      this.#land(flight, { outputs: whole, states: undefined })
    }
    const lost = this.#backend
    this.#backend = next
    this.#ledger.clear()
    lost.dispose()
    this.#fallback = { reason, atHop: this.#hops, replayedHops, streams: this.#streams.size }
    try {
      this.#parts.onFallback?.(this.#fallback)
    } catch (error) {
      reportUncaught(error)
    }
  }

  /** @internal A slot's stream begins anew. */
  begin(slot: number): void {
    this.#ledger.begin(slot)
  }

  /** @internal */
  release(stream: PoolStream): void {
    this.#streams.delete(stream.slot)
    this.#ledger.end(stream.slot)
    this.#freeSlots.push(stream.slot)
    stream.slot = -1
  }

  /** @internal */
  async freeze(stream: PoolStream): Promise<Uint8Array> {
    for (;;) {
      await (this.#recovery ?? this.#landing())
      if (this.#recovery !== undefined || this.#flights.length > 0) continue
      stream.checkAlive()
      const to = new SnapshotWriter()
      to.u32(MAGIC)
      stream.framing.save(to)
      if (stream.incoming !== undefined) to.bytes(stream.incoming)
      if (stream.incoming !== undefined || stream.framing.isNew) return to.seal(this.#owner)
      const backend = this.#backend
      try {
        to.bytes(await backend.readState(stream.slot))
        if (backend === this.#backend) return to.seal(this.#owner)
      } catch (error) {
        if (!(error instanceof DeviceLost)) throw error
        await this.#recover(backend, error.message)
      }
    }
  }

  /** @internal */
  thaw(stream: PoolStream, snapshot: Uint8Array): void {
    const from = new SnapshotReader(snapshot, this.#owner)
    if (from.u32() !== MAGIC) from.refuse('not of a pool', `${snapshot.length} bytes`)
    const framing = new Framing(this.model)
    framing.load(from)
    const state = framing.isNew ? undefined : new Uint8Array(from.bytes(this.model.stateBytes))
    if (state !== undefined) from.expectBounded(state, STATE_HEADER_BYTES)
    from.end()
    stream.framing = framing
    stream.incoming = state
    stream.forget()
    this.#ledger.begin(stream.slot)
  }

  get #owner() {
    return { sha256: this.model.sha256, numericVersion: NUMERIC_VERSION }
  }

  #checkAlive(): void {
    if (this.#isDisposed) fail('DISPOSED', 'pool', 'disposed', 'create another')
  }
}
