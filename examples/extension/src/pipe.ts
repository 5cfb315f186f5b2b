// On the audio thread of a page without WebAssembly: samples out to a port, clean ones back, played a delay after they came in.
// In: render quanta. Out: the clean samples of that moment. Where they are late the delay grows, up to a bound, and silence
// fills the time; beyond it the input of that moment takes their place.

import { PIECE, type Piece, type PipeOptions, type PipeState } from './frame.protocol.ts'

declare function registerProcessor(name: string, processor: unknown): void
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}

/** Frames remembered; more than any delay. */
const SIZE = 65536

class Pipe extends AudioWorkletProcessor {
  readonly #channels: number
  readonly #mostDelay: number
  #delay: number
  /** (SIZE, channels) what came in and what came back, both at its absolute place modulo SIZE. */
  readonly #dry: Float32Array
  readonly #wet: Float32Array
  /** Frames so far. */
  #in = 0
  #back = 0
  #gaps = 0
  /** How much is heard of what came back and of what came in, 0..1; they move within a quantum. */
  #wetShare = 0
  #dryShare = 0
  /** (channels) the last samples played. */
  readonly #last: Float32Array
  #piece: Float32Array<ArrayBuffer>
  #filled = 0
  readonly #spare: Float32Array<ArrayBuffer>[] = []
  #audio: MessagePort | undefined
  #isClosed = false

  constructor({ processorOptions: { channels, delay, mostDelay } }: { processorOptions: PipeOptions }) {
    super()
    this.#channels = channels
    this.#delay = delay
    this.#mostDelay = mostDelay
    this.#last = new Float32Array(channels)
    this.#dry = new Float32Array(SIZE * channels)
    this.#wet = new Float32Array(SIZE * channels)
    this.#piece = new Float32Array(PIECE * channels)
    this.port.onmessage = ({ data, ports: [audio] }) => {
      if (data === 'close') this.#isClosed = true
      else this.#open(audio)
    }
  }

  process([input]: Float32Array[][], [output]: Float32Array[][]): boolean {
    if (this.#audio === undefined) return !this.#isClosed
    const quantum = output[0].length
    for (let i = 0; i < quantum; i++) this.#take(input, i)
    const from = this.#in - quantum - this.#delay
    const isThere = this.#back >= from + quantum
    if (!isThere) this.#gaps++
    if (!isThere && this.#delay + quantum <= this.#mostDelay) this.#wait(output, quantum)
    else this.#play(output, from, isThere)
    if (!isThere) this.port.postMessage({ delay: this.#delay, gaps: this.#gaps } satisfies PipeState)
    return !this.#isClosed
  }

  #play(output: readonly Float32Array[], from: number, isThere: boolean): void {
    const quantum = output[0].length
    // what is not there cannot be faded out
    if (!isThere) this.#wetShare = 0
    const wetStep = ((isThere ? 1 : 0) - this.#wetShare) / quantum
    const dryStep = ((isThere ? 0 : 1) - this.#dryShare) / quantum
    for (let i = 0; i < quantum; i++) {
      this.#wetShare += wetStep
      this.#dryShare += dryStep
      this.#give(output, i, from + i)
    }
  }

  /** The same moment is tried again a quantum later. */
  #wait(output: readonly Float32Array[], quantum: number): void {
    this.#delay += quantum
    this.#wetShare = 0
    this.#dryShare = 0
    for (let c = 0; c < output.length; c++) {
      for (let i = 0; i < quantum; i++) output[c][i] = this.#last[c] * (1 - (i + 1) / quantum)
      this.#last[c] = 0
    }
  }

  #open(audio: MessagePort): void {
    this.#audio = audio
    audio.onmessage = ({ data: { samples, spent } }: MessageEvent<Piece>) => {
      this.#spare.push(spent)
      const channels = this.#channels
      for (let i = 0; i < samples.length; i++) this.#wet[(this.#back * channels + i) % this.#wet.length] = samples[i]
      this.#back += samples.length / channels
    }
  }

  #take(input: readonly Float32Array[], i: number): void {
    const channels = this.#channels
    const at = (this.#in++ % SIZE) * channels
    for (let c = 0; c < channels; c++) {
      const sample = input[Math.min(c, input.length - 1)]?.[i] ?? 0
      this.#dry[at + c] = sample
      this.#piece[this.#filled++] = sample
    }
    if (this.#filled < this.#piece.length) return
    this.#filled = 0
    this.#audio!.postMessage(this.#piece, [this.#piece.buffer])
    this.#piece = this.#spare.pop() ?? new Float32Array(PIECE * channels)
  }

  #give(output: readonly Float32Array[], i: number, place: number): void {
    const at = (Math.max(0, place) % SIZE) * this.#channels
    for (let c = 0; c < output.length; c++) {
      const sample = place < 0 ? 0 : this.#wetShare * this.#wet[at + c] + this.#dryShare * this.#dry[at + c]
      output[c][i] = sample
      this.#last[c] = sample
    }
  }
}

registerProcessor('attenuate-pipe', Pipe)
