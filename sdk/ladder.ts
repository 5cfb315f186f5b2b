// Several ways to make a hop, from the best to the cheapest: networks, and at the end the input itself, delayed. In: hops at
// the first network's rate. Out: hops of the same delay whichever rung made them. A change of rung is a cross-fade of one
// hop; a network that steps in has listened for LEAD_HOPS by then, so that its histories are full. One at a time runs, but
// for those hops.
//
//   rung 0: network --------------------------+
//   rung 1: lighter network -- delay to match -+--> fade --> out
//   last:   input ------------ delay ----------+

import type { Model } from '../quantize/modelfile.ts'
import { Delay } from './delay.ts'
import type { Engine } from './engine.ts'
import { fail } from './errors.ts'
import type { Network } from './network.ts'
import type { SnapshotReader, SnapshotWriter } from './snapshot.ts'

/** More than the frames of any model hold, look-ahead included. */
const LEAD_HOPS = 5

export class Ladder implements Engine {
  readonly #first: Network
  readonly #rungs: readonly Rung[]
  /** (outputHop) the rung that is being left. */
  readonly #leaving: Float32Array
  #active = 0
  #wanted = 0
  /** Hops the wanted rung has listened for. */
  #heard = 0

  /** `networks`: the best first; the ladder disposes of them. */
  constructor(networks: readonly Network[]) {
    const [first] = networks
    const { model } = first.program
    this.#first = first
    this.#leaving = new Float32Array(model.outputHop)
    for (const network of networks) network.prepareToSettle() // now, and not in a moment of overload
    this.#rungs = [...networks.map((network) => new NetworkRung(network, model)), new DryRung(model)]
  }

  /** The rung that is heard, or will be after the coming hops. */
  set rung(wanted: number) {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    this.#heard = 0
    if (wanted !== this.#active) this.#rungs[wanted].begin()
  }

  /** Is the input heard instead of a network's result? */
  get isDry(): boolean {
    return this.#active === this.#rungs.length - 1
  }

  input(): Float32Array {
    return this.#first.input()
  }

  output(): Float32Array {
    return this.#first.output()
  }

  /** All at once in `run`: rungs are not given scratch of their own. */
  proceed(): void {}

  run(isLost = false): void {
    const input = this.#first.input()
    const output = this.#first.output()
    const dry = this.#rungs[this.#rungs.length - 1]
    if (this.#active === this.#wanted) {
      // the delay of the last rung is always kept full: it may be needed at once
      if (this.#rungs[this.#active] !== dry) dry.run(input, this.#leaving, isLost)
      this.#rungs[this.#active].run(input, output, isLost)
      return
    }
    this.#change(input, output, dry, isLost)
  }

  #change(input: Float32Array, output: Float32Array, dry: Rung, isLost: boolean): void {
    const [from, to] = [this.#rungs[this.#active], this.#rungs[this.#wanted]]
    if (from !== dry && to !== dry) dry.run(input, this.#leaving, isLost)
    // the first network writes to `output` whoever asks, so its result is moved away before another takes the place
    from.run(input, this.#leaving, isLost)
    const isReady = to === dry || this.#heard >= LEAD_HOPS
    to.run(input, output, isLost)
    this.#heard++
    if (!isReady) {
      output.set(this.#leaving)
      return
    }
    crossFade(this.#leaving, output)
    this.#active = this.#wanted
  }

  end(): void {
    for (const rung of this.#rungs) rung.end()
  }

  reset(): void {
    for (const rung of this.#rungs) rung.reset()
    this.#begin()
  }

  settle(): void {
    for (const rung of this.#rungs) rung.settle()
    this.#begin()
  }

  /** Between two streams a change needs no fade. */
  #begin(): void {
    this.#active = this.#wanted
    this.#heard = 0
  }

  advance(hops: number): void {
    for (const rung of this.#rungs) rung.advance(hops)
  }

  save(to: SnapshotWriter): void {
    for (const value of [this.#active, this.#wanted, Math.min(this.#heard, LEAD_HOPS)]) to.u32(value)
    for (const rung of this.#rungs) rung.save(to)
  }

  load(from: SnapshotReader): void {
    this.#active = from.count('rung', this.#rungs.length - 1)
    this.#wanted = from.count('rung', this.#rungs.length - 1)
    this.#heard = from.count('hops of lead', LEAD_HOPS)
    for (const rung of this.#rungs) rung.load(from)
  }

  dispose(): void {
    for (const rung of this.#rungs) rung.dispose()
  }
}

/** Can `lighter` stand in for `model`? Throws OPTION_INVALID. */
export function checkRung(model: Model, lighter: Model): void {
  const refuse = (what: string, value: unknown) =>
    fail('OPTION_INVALID', `model of the ladder: ${what}`, value, 'use one of the same rates, hop and no more latency')
  if (lighter.inputRate !== model.inputRate) refuse('input rate', lighter.inputRate)
  if (lighter.outputRate !== model.outputRate) refuse('output rate', lighter.outputRate)
  if (model.inputHop % lighter.inputHop !== 0) refuse('hop', lighter.inputHop)
  if (lighter.lagSamples > model.lagSamples) refuse('latency', lighter.latencySamples)
}

interface Rung {
  /** One hop of the ladder: (inputHop) to (outputHop), which may be the first network's own buffers. */
  run(input: Float32Array, output: Float32Array, isLost: boolean): void
  /** Before the first hop after hops of others. */
  begin(): void
  end(): void
  reset(): void
  settle(): void
  advance(hops: number): void
  save(to: SnapshotWriter): void
  load(from: SnapshotReader): void
  dispose(): void
}

class NetworkRung implements Rung {
  readonly #network: Network
  readonly #delay: Delay
  /** Hops of this network in one of the ladder. */
  readonly #parts: number
  #hasRun = false

  constructor(network: Network, first: Model) {
    const { model } = network.program
    this.#network = network
    this.#parts = first.inputHop / model.inputHop
    this.#delay = new Delay(first.lagSamples - model.lagSamples, model.outputHop)
  }

  run(input: Float32Array, output: Float32Array, isLost: boolean): void {
    const { inputHop, outputHop } = this.#network.program.model
    for (let part = 0; part < this.#parts; part++) {
      const own = this.#network.input()
      if (own.byteOffset !== input.byteOffset) copy(input, part * inputHop, own, 0, inputHop)
      this.#network.run(isLost)
      const result = this.#network.output()
      this.#delay.pass(result)
      if (result.byteOffset !== output.byteOffset) copy(result, 0, output, part * outputHop, outputHop)
    }
    this.#hasRun = true
  }

  begin(): void {
    // one that has run goes on with what it knew of the noise
    if (!this.#hasRun) this.#network.settle()
  }

  end(): void {
    this.#network.end()
  }

  reset(): void {
    this.#network.reset()
    this.#delay.reset()
    this.#hasRun = false
  }

  settle(): void {
    this.reset()
    this.#network.settle()
  }

  advance(hops: number): void {
    this.#network.advance(hops * this.#parts)
    this.#delay.reset()
  }

  save(to: SnapshotWriter): void {
    to.u32(this.#hasRun ? 1 : 0)
    this.#network.save(to)
    this.#delay.save(to)
  }

  load(from: SnapshotReader): void {
    this.#hasRun = from.count('whether a rung has run', 1) === 1
    this.#network.load(from)
    this.#delay.load(from)
  }

  dispose(): void {
    this.#network.dispose()
  }
}

class DryRung implements Rung {
  readonly #delay: Delay

  constructor({ lagSamples, outputHop }: Model) {
    this.#delay = new Delay(lagSamples, outputHop)
  }

  run(input: Float32Array, output: Float32Array): void {
    copy(input, 0, output, 0, input.length)
    this.#delay.pass(output)
  }

  begin(): void {}

  end(): void {}

  reset(): void {
    this.#delay.reset()
  }

  settle(): void {
    this.#delay.reset()
  }

  advance(): void {
    this.#delay.reset()
  }

  save(to: SnapshotWriter): void {
    this.#delay.save(to)
  }

  load(from: SnapshotReader): void {
    this.#delay.load(from)
  }

  dispose(): void {}
}

/** A loop, as `subarray` would allocate. */
function copy(from: Float32Array, at: number, to: Float32Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[at + i]
}

/** From `leaving` to `arriving`, in place, linearly over the hop. */
function crossFade(leaving: Float32Array, arriving: Float32Array): void {
  for (let i = 0; i < arriving.length; i++) {
    const share = (i + 1) / arriving.length
    arriving[i] = leaving[i] + share * (arriving[i] - leaving[i])
  }
}
