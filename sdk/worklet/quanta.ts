// Pieces of sound through a denoiser: as many samples come out of each as go in, a fixed number of samples late. A ring is
// filled with silence once, by as much as hops and pieces can ever differ. In and out: one Float32Array per channel. After
// creation nothing is allocated.

import type { Model } from '../../quantize/modelfile.ts'
import type { Denoiser } from '../denoiser.ts'
import { periodOf } from '../latency.ts'
import { greatestCommonDivisor } from '../resampling.ts'
import type { NodeStats } from './messages.ts'
import { Ring } from './ring.ts'

export class Quanta {
  /** From in to out. */
  readonly latencySamples: number
  /** Longest piece. */
  readonly length: number
  /** Pieces so far, and those that found too little to play: silence. */
  #pieces = 0
  #underruns = 0
  readonly #denoiser: Denoiser
  readonly #ring: Ring
  /** Interleaved: a piece, and what it may yield. */
  readonly #input: Float32Array
  readonly #output: Float32Array

  /** Pieces hold up to `length` samples per channel, a multiple of `unit`: the larger the unit, the less must wait. */
  constructor(denoiser: Denoiser, length: number, unit = length) {
    const { channels } = denoiser
    const { silence, most } = lookAhead(denoiser, length, unit)
    this.#denoiser = denoiser
    this.length = length
    this.latencySamples = silence
    this.#input = new Float32Array(length * channels)
    this.#output = new Float32Array(most * channels)
    this.#ring = new Ring(channels, silence + length + most)
    this.#ring.reset(silence)
  }

  /** Nothing in `input` is silence; fewer channels than the denoiser's repeat the last. */
  process(input: readonly Float32Array[] | undefined, output: readonly Float32Array[]): void {
    const { channels } = this.#denoiser
    const count = output[0].length * channels
    const samples = count === this.#input.length ? this.#input : this.#input.subarray(0, count)
    interleave(input, samples, channels)
    this.#ring.push(this.#output, this.#denoiser.processInto(samples, this.#output))
    this.#pieces++
    if (!this.#ring.pull(output)) this.#underruns++
  }

  stats(): NodeStats {
    const stats = this.#denoiser.stats()
    return { ...stats, quanta: this.#pieces, underruns: this.#underruns, cpuShare: 1 / stats.speed }
  }

  /** The next sample is the first of a stream. */
  reset(): void {
    this.#denoiser.reset()
    this.#ring.reset(this.latencySamples)
  }
}

/**
 * Samples at the model's rate while which a hop is run, so that its work is done in `spreadQuanta` quanta: those beyond the
 * first, as far as a hop lasts.
 */
export function chooseSpread(model: Model, sampleRate: number, quantum: number, spreadQuanta: number): number {
  const samples = (quantum * model.inputRate) / sampleRate
  const useful = Math.min(spreadQuanta, Math.floor(model.inputHop / samples))
  return Math.max(0, Math.floor((useful - 1) * samples))
}

/** Samples per channel: what must wait at the beginning, and the most that one piece may yield. */
function lookAhead(denoiser: Denoiser, length: number, unit: number): { silence: number; most: number } {
  const { channels, model, sampleRate, latencySamples } = denoiser
  const readyAt = (samples: number) => denoiser.readyAfter(samples * channels) / channels
  const perPiece = Math.ceil(length / unit)
  // once the first samples are out, units and hops fall alike again after a period
  const period = (periodOf(model, denoiser) * model.inputHop * sampleRate) / model.inputRate
  const pieces = Math.ceil(latencySamples / unit) + perPiece + period / greatestCommonDivisor(period, unit)
  let silence = 0
  let most = 0
  for (let i = 1; i <= pieces; i++) {
    const ready = readyAt(i * unit)
    silence = Math.max(silence, i * unit - ready)
    most = Math.max(most, ready - readyAt(Math.max(0, i - perPiece) * unit))
  }
  return { silence, most }
}

function interleave(planes: readonly Float32Array[] | undefined, to: Float32Array, channels: number): void {
  if (planes === undefined || planes.length === 0) {
    to.fill(0)
    return
  }
  for (let c = 0; c < channels; c++) {
    const plane = planes[Math.min(c, planes.length - 1)]
    for (let i = 0, at = c; at < to.length; i++, at += channels) to[at] = plane[i]
  }
}
