// The simulated line on the audio thread. In: sound of the context's rate. Out: the same at the same rate, as it would be heard
// after a phone line (G.711) or after a 4 kHz / 4-bit sensor, whose packets are made and read by the SDK's codec.

import { decodePacket, SensorEncoder } from 'attenuate-edge'
import { CHANNEL_PROCESSOR, type ChannelMessage, type ChannelName, HOP_SECONDS } from './channel.ts'
import { Converter } from './converter.ts'
import { throughMuLaw } from './g711.ts'

declare const sampleRate: number
declare function registerProcessor(name: string, processor: unknown): void
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}

/** A sample in, zero or more out at the same rate. */
type Line = (sample: number, take: (sample: number) => void) => void

const LINES: Readonly<Record<ChannelName, () => Line>> = {
  none: () => (sample, take) => take(sample),

  phone() {
    const down = new Converter(sampleRate, 8000)
    const up = new Converter(8000, sampleRate)
    return (sample, take) => down.push(sample, (slow) => up.push(throughMuLaw(slow), take))
  },

  sensor() {
    const down = new Converter(sampleRate, 16000)
    const up = new Converter(4000, sampleRate)
    const encoder = new SensorEncoder()
    const one = new Float32Array(1)
    const block = new Float32Array(64)
    return (sample, take) =>
      down.push(sample, (slow) => {
        one[0] = slow
        for (const packet of encoder.push(one)) {
          decodePacket(packet, block)
          for (const heard of block) up.push(heard, take)
        }
      })
  },
}

/** Samples waiting: a block of the sensor comes at once. */
const WAITING_SECONDS = 0.032

class SimulatedLine extends AudioWorkletProcessor {
  #line: Line = LINES.none()
  #waiting: number[] = []
  readonly #hop = new Float32Array(Math.round(sampleRate * HOP_SECONDS))
  #filled = 0
  #stopwatch: MessagePort | undefined

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<ChannelMessage>) => {
      if ('stopwatch' in data) this.#stopwatch = data.stopwatch
      else this.#open(data.channel)
    }
  }

  #open(channel: ChannelName): void {
    this.#line = LINES[channel]()
    this.#waiting = channel === 'none' ? [] : new Array(Math.round(WAITING_SECONDS * sampleRate)).fill(0)
  }

  process([[input]]: Float32Array[][], [[output]]: Float32Array[][]): boolean {
    const take = (sample: number) => this.#waiting.push(sample)
    for (let i = 0; i < output.length; i++) this.#line(input?.[i] ?? 0, take)
    const heard = this.#waiting.splice(0, output.length)
    output.set(heard)
    for (let i = 0; i < output.length; i++) this.#measure(output[i])
    return true
  }

  #measure(sample: number): void {
    this.#hop[this.#filled++] = sample
    if (this.#filled < this.#hop.length) return
    this.#filled = 0
    this.#stopwatch?.postMessage(this.#hop)
  }
}

registerProcessor(CHANNEL_PROCESSOR, SimulatedLine)
