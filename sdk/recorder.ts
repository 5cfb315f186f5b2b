// The flight recorder: the last seconds of a stream, enough to make its output again to the bit. In: what happens to a
// denoiser, call by call, before it happens; then what came out. Out: a recording. Two stretches take turns: when the
// present one is full it becomes the one before, so that between one and two times the seconds are at hand. Allocates once
// per stretch, for the snapshot it begins with.

import { CALLS, type CallKind, encodeRecording, type Stretch } from './recording.ts'
import { Crc32 } from './snapshot.ts'

/** More begin a new stretch. */
const MAX_CALLS = 1024

export interface RecorderShape {
  readonly channels: number
  readonly inputRate: number
  readonly outputRate: number
  readonly seconds: number
}

export class Recorder {
  /** No more samples may be given at once. */
  readonly capacity: number
  readonly #shape: RecorderShape
  readonly #snapshot: () => Uint8Array
  #present: Reel
  #before: Reel

  /** `snapshot`: of the stream, between two calls. */
  constructor(shape: RecorderShape, snapshot: () => Uint8Array) {
    this.#shape = shape
    this.#snapshot = snapshot
    this.capacity = Math.max(1, Math.round(shape.seconds * shape.inputRate)) * shape.channels
    this.#present = new Reel(this.capacity)
    this.#before = new Reel(this.capacity)
  }

  /** These are about to be denoised: at most `capacity`. */
  samples(chunk: Float32Array): void {
    this.#makeRoom(chunk.length, 0)
    this.#present.addSamples(chunk)
  }

  /** This is about to be called. */
  call(kind: CallKind, value: number): void {
    this.#makeRoom(0, 1)
    this.#present.addCall(CALLS.indexOf(kind), value)
  }

  /** The first `count` of `out` came out of the samples or the call before. */
  outputs(out: Float32Array, count: number): void {
    this.#present.addOutputs(out, count)
  }

  /** The stream is another one now: what was recorded belongs to the old one. */
  forget(): void {
    this.#present.clear()
    this.#before.clear()
  }

  encode(): Uint8Array {
    this.#makeRoom(0, 0)
    const stretches = [this.#before, this.#present].filter(({ isUsed }) => isUsed).map((reel) => reel.toStretch())
    return encodeRecording({ ...this.#shape, stretches })
  }

  #makeRoom(samples: number, calls: number): void {
    if (this.#present.isUsed && !this.#present.hasRoom(samples, calls)) {
      ;[this.#before, this.#present] = [this.#present, this.#before]
      this.#present.clear()
    }
    if (!this.#present.isUsed) this.#present.begin(this.#snapshot())
  }
}

/** One stretch being recorded. */
class Reel {
  readonly #samples: Float32Array
  readonly #kinds = new Uint8Array(MAX_CALLS)
  readonly #places = new Uint32Array(MAX_CALLS)
  readonly #values = new Float64Array(MAX_CALLS)
  readonly #check = new Crc32()
  #snapshot: Uint8Array | undefined
  #filled = 0
  #calls = 0
  #outputs = 0

  constructor(capacity: number) {
    this.#samples = new Float32Array(capacity)
  }

  get isUsed(): boolean {
    return this.#snapshot !== undefined
  }

  hasRoom(samples: number, calls: number): boolean {
    return this.#filled + samples <= this.#samples.length && this.#calls + calls <= MAX_CALLS
  }

  begin(snapshot: Uint8Array): void {
    this.#snapshot = snapshot
  }

  clear(): void {
    this.#snapshot = undefined
    this.#filled = 0
    this.#calls = 0
    this.#outputs = 0
    this.#check.reset()
  }

  addSamples(chunk: Float32Array): void {
    this.#samples.set(chunk, this.#filled)
    this.#filled += chunk.length
  }

  addCall(kind: number, value: number): void {
    this.#kinds[this.#calls] = kind
    this.#places[this.#calls] = this.#filled
    this.#values[this.#calls] = value
    this.#calls++
  }

  addOutputs(out: Float32Array, count: number): void {
    this.#outputs += count
    this.#check.takeFloats(out, count)
  }

  toStretch(): Stretch {
    return {
      snapshot: this.#snapshot!,
      samples: this.#samples.slice(0, this.#filled),
      calls: Array.from({ length: this.#calls }, (_, i) => ({
        kind: CALLS[this.#kinds[i]],
        value: this.#values[i],
        at: this.#places[i],
      })),
      outputs: this.#outputs,
      outputCheck: this.#check.value,
    }
  }
}
