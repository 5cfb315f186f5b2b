// What a stream and its snapshots have in common beside the model: the first words of every snapshot. In: a stream's form.
// Out: the words, and back; a snapshot of another form is refused with what differs.

import { fail } from './errors.ts'
import { HIGH_BANDS, type HighBandMode } from './highBand.ts'
import { type FilterPhase, PHASES } from './resampling.ts'
import { type SnapshotReader, type SnapshotWriter, wordsOfSnapshot } from './snapshot.ts'

export interface Form {
  readonly channels: number
  readonly sampleRate: number
  readonly outputRate: number
  readonly linked: boolean
  readonly highBand: HighBandMode
  readonly phase: FilterPhase
  /** Doublings before the network. */
  readonly gainSteps: number
  /** Networks of the ladder; 0 without a governor. */
  readonly rungs: number
}

const LINKS = [false, true] as const

export function saveForm(form: Form, to: SnapshotWriter): void {
  for (const [, word] of wordsOf(form)) to.u32(word)
}

/** Throws STATE_INVALID on what another form has saved. */
export function expectForm(form: Form, from: SnapshotReader): void {
  for (const [name, own] of wordsOf(form)) {
    const word = from.u32()
    if (word !== own)
      fail('STATE_INVALID', `snapshot of another stream: ${name}`, word, `restore it where that is ${own}`)
  }
}

/** Of a snapshot. Values that no stream has are undefined. */
export function formOfSnapshot(bytes: Uint8Array): Partial<Form> {
  const [channels, sampleRate, outputRate, linked, highBand, phase, gainSteps, rungs] = wordsOfSnapshot(bytes, 8)
  const names = { linked: LINKS[linked], highBand: HIGH_BANDS[highBand], phase: PHASES[phase] }
  return { channels, sampleRate, outputRate, ...names, gainSteps, rungs }
}

function wordsOf({
  channels,
  sampleRate,
  outputRate,
  linked,
  highBand,
  phase,
  gainSteps,
  rungs,
}: Form): [string, number][] {
  return [
    ['channels', channels],
    ['sample rate', sampleRate],
    ['output rate', outputRate],
    ['linked channels', LINKS.indexOf(linked)],
    [`high band (${HIGH_BANDS.join(', ')} from 0 on)`, HIGH_BANDS.indexOf(highBand)],
    [`phase (${PHASES.join(', ')} from 0 on)`, PHASES.indexOf(phase)],
    ['doublings of the input (inputGainDb)', gainSteps],
    ['rungs of the ladder', rungs],
  ]
}
