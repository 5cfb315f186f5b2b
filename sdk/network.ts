// One program with one state in the core's memory, hop by hop. In: (inputHop) f32 at the model's input rate. Out:
// (outputHop) f32 at its output rate, `lagSamples` late. All networks of a program share its weights; those that leave a hop
// half done (`proceed`) have scratch of their own, the others share that too.

import type { Model } from '../quantize/modelfile.ts'
import { countMacs, countResults, STATE_HEADER_BYTES } from '../quantize/record.ts'
import { AFTERGLOW_HOPS, coast, SETTLING_HOPS } from './coast.ts'
import type { Core, Program } from './core.ts'
import { freeWith } from './dropped.ts'
import type { Engine } from './engine.ts'
import { settledState } from './settled.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

/** Offset in the state's header: 1 while the coming hop's input is lost (FORMAT.md, State block). */
const LOST_OFFSET = 16
/** Work beside products, for each number of a result: norms and gates take 0.4 ns, a product 0.025 (bench/profile.ts). */
const MACS_PER_RESULT = 16

export class Network implements Engine {
  readonly program: Program
  readonly #core: Core
  /** Address of the state block. */
  readonly #state: number
  readonly #scratch: number
  readonly #free: () => void
  /** (records) share of a hop's work that is done after each; empty where a hop is never left half done. */
  readonly #shares: Float64Array
  /** Records of the coming hop that are done. */
  #done = 0
  #input: Float32Array
  #output: Float32Array

  /** `isResumable`: `proceed` may be called. */
  constructor(core: Core, program: Program, isResumable = false) {
    const { model } = program
    this.#core = core
    this.program = program
    const state = core.acquireState(program)
    const scratch = isResumable ? core.allocate(model.scratchBytes) : program.scratch
    this.#state = state
    this.#scratch = scratch
    this.#free = freeWith(this, () => {
      core.releaseState(program, state)
      if (isResumable) core.release(scratch, model.scratchBytes)
    })
    this.#shares = isResumable ? sharesOf(model) : new Float64Array(0)
    this.#input = core.floats(this.#scratch + model.inputOffset, model.inputHop)
    this.#output = core.floats(this.#scratch + model.outputOffset, model.outputHop)
  }

  /** (inputHop) where the next hop's samples go; keeps its place during the run. */
  input(): Float32Array {
    // growth of the memory detaches views: seldom, so that the steady state allocates nothing
    const { model } = this.program
    if (this.#input.length === 0) this.#input = this.#core.floats(this.#scratch + model.inputOffset, model.inputHop)
    return this.#input
  }

  /** (outputHop) the last result. */
  output(): Float32Array {
    const { model } = this.program
    if (this.#output.length === 0) this.#output = this.#core.floats(this.#scratch + model.outputOffset, model.outputHop)
    return this.#output
  }

  /** One hop; `isLost` announces to models that have a `flag` that its input never came. */
  run(isLost = false): void {
    if (isLost) this.#core.floats(this.#state + LOST_OFFSET, 1)[0] = 1
    const { address, model } = this.program
    this.#core.exports.run(address, this.#state, this.#scratch, this.#done, model.records.length)
    this.#done = 0
    if (isLost) this.#core.floats(this.#state + LOST_OFFSET, 1)[0] = 0
  }

  /** So much (0..1) of the coming hop, in whole records and never the last; `run` does the rest. */
  proceed(share: number): void {
    let to = this.#done
    while (to < this.#shares.length - 1 && this.#shares[to] <= share) to++
    this.#core.exports.run(this.program.address, this.#state, this.#scratch, this.#done, to)
    this.#done = to
  }

  #runLost(): void {
    this.input().fill(0)
    this.run(true)
  }

  /** The stream has ended with the hops run so far. */
  end(): void {
    this.#core.exports.end(this.#state)
  }

  reset(): void {
    this.#done = 0
    this.#core.exports.reset(this.program.address, this.#state)
  }

  /** Computes what `settle` needs, once per program: as long as two seconds of signal take. */
  prepareToSettle(): void {
    settledState(this.#core, this.program)
  }

  settle(): void {
    const settled = settledState(this.#core, this.program) // first: it may grow the memory
    this.stateBytes().set(settled)
    this.#done = 0
  }

  /** `hops` lost hops whose result nobody hears: a few are run, most are leapt over (coast.ts). */
  advance(hops: number): void {
    let left = hops
    let leap = 0
    for (let near = AFTERGLOW_HOPS + this.program.model.lookaheadHops; left > 0; near = SETTLING_HOPS) {
      for (let hop = Math.min(left, near); hop > 1; hop--, left--) this.#runLost()
      const before = this.stateBytes().slice()
      this.#runLost()
      left--
      leap = Math.min(left, Math.max(8, 2 * leap))
      if (leap > 0) coast(this.program.model, this.#core, this.program.address, before, this.stateBytes(), leap)
      left -= leap
    }
  }

  /** View of the state block, valid until memory grows. */
  stateBytes(): Uint8Array {
    return this.#core.bytes(this.#state, this.program.model.stateBytes)
  }

  save(to: SnapshotWriter): void {
    to.words(this.stateBytes())
  }

  load(from: SnapshotReader): void {
    const bytes = from.words(this.program.model.stateBytes)
    from.expectBounded(bytes, STATE_HEADER_BYTES)
    this.stateBytes().set(bytes)
  }

  dispose(): void {
    this.#free()
  }
}

/** (records) work up to and with each, 0..1. */
function sharesOf({ records }: Model): Float64Array {
  const shares = new Float64Array(records.length)
  let sum = 0
  for (const [i, { task }] of records.entries()) {
    sum += countMacs(task) + MACS_PER_RESULT * countResults(task)
    shares[i] = sum
  }
  return shares.map((work) => work / sum)
}
