// Does memory grow with the audio that has passed? In: streams that meet at the ends of equal windows of audio, and then are
// still. Out: at each meeting what the isolate holds after a collection, and what the system says the process has; slopes
// after the first quarter, when everything that is paid once has been paid.

import * as assert from 'uvu/assert'
import { Denoiser } from '../../../sdk/index.ts'
import type { Edge } from './edge.ts'
import { pause } from './reference.ts'
import { type Held, measureIsolate, measureRuntime } from './runtime.ts'

/** As much as one byte kept of each packet. */
const MOST_HELD_KB = 4
/** The living one, one that hibernated or died since the last collection, and as much again where both happened. */
const STATES_PER_STREAM = 3

export interface Sample extends Held {
  /** Of audio, all streams together. */
  readonly streamMinutes: number
  readonly residentMb: number
}

export interface Growth {
  readonly samples: readonly Sample[]
  /** JavaScript and buffers; the core's memory grows in steps and never shrinks: it is bounded, not flat. */
  readonly heldKbPerStreamMinute: number
  readonly residentKbPerStreamMinute: number
}

/** Where `parties` streams wait for one another; `measure` is called while all of them do. */
export class Meeting {
  readonly #parties: number
  readonly #measure: () => Promise<void>
  #present = 0
  #next: Promise<void>
  #open!: () => void

  constructor(parties: number, measure: () => Promise<void>) {
    this.#parties = parties
    this.#measure = measure
    this.#next = new Promise((resolve) => (this.#open = resolve))
  }

  async join(): Promise<void> {
    const all = this.#next
    if (++this.#present === this.#parties) {
      this.#present = 0
      const open = this.#open
      this.#next = new Promise((resolve) => (this.#open = resolve))
      await this.#measure()
      open()
    }
    await all
  }
}

export async function takeSample(edge: Edge, streamMinutes: number): Promise<Sample> {
  const { residentMb } = measureRuntime()
  return { streamMinutes, residentMb, ...(await measureIsolate(edge)) }
}

/** Until nothing is on its way in either direction: the object has said that it has stored everything. */
export async function untilStill(link: { stats(): { buffered: number } }): Promise<void> {
  while (link.stats().buffered > 0) await pause(10)
}

export function growthOf(samples: readonly Sample[]): Growth {
  const late = samples.slice(Math.floor(samples.length / 4))
  return {
    samples,
    heldKbPerStreamMinute: 1024 * slopeOf(late, ({ heapMb, buffersMb }) => heapMb + buffersMb),
    residentKbPerStreamMinute: 1024 * slopeOf(late, ({ residentMb }) => residentMb),
  }
}

/** Throws where memory grows with the audio: JavaScript and buffers by the minute, the core's beyond what streams can take. */
export async function expectNoGrowth({ samples, heldKbPerStreamMinute }: Growth, streams: number): Promise<void> {
  assert.ok(heldKbPerStreamMinute < MOST_HELD_KB, `${heldKbPerStreamMinute} kB more for each stream-minute`)
  using denoiser = await Denoiser.create({ model: 'nano' })
  const { fileBytes, scratchBytes, stateBytes } = denoiser.model
  const mostMb = (fileBytes + scratchBytes + STATES_PER_STREAM * streams * stateBytes) / 2 ** 20
  const { coreMb } = samples.at(-1)!
  assert.ok(coreMb < mostMb, `core's memory, ${coreMb} MB; ${streams} streams need at most ${mostMb}`)
}

/** Least squares, per stream-minute. */
function slopeOf(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [samples.map(({ streamMinutes }) => streamMinutes), samples.map(of)]
  const [centreX, centreY] = [mean(x), mean(y)]
  const spread = mean(x.map((value) => (value - centreX) ** 2))
  return mean(x.map((value, i) => (value - centreX) * (y[i] - centreY))) / spread
}
