// A recording played again. In: a recording, and a denoiser of the same model, rates and channels. Out: the samples that
// came out then, and whether they are the same to the bit.

import type { Denoiser } from './denoiser.ts'
import { fail } from './errors.ts'
import { checkKind } from './kinds.ts'
import { joined } from './pieces.ts'
import { type Call, decodeRecording, type Recording, type Stretch } from './recording.ts'
import { Crc32 } from './snapshot.ts'

/** What a replay gave. */
export interface Replay {
  /** All channels, interleaved. */
  readonly samples: Float32Array
  /** Same bits as when it was recorded. */
  readonly isIdentical: boolean
  /** What went in, all channels. */
  readonly input: Float32Array
}

/**
 * Leaves the denoiser where the recording ends. Throws STATE_INVALID where recording and denoiser do not belong together:
 * another model, build, rate or number of channels.
 */
export function replay(bytes: Uint8Array, denoiser: Denoiser): Replay {
  checkKind('recording', bytes, 'bytes', 'give the bytes of recording()')
  checkKind('denoiser', denoiser, 'denoiser')
  const recording = decodeRecording(bytes)
  checkFit(recording, denoiser)
  const pieces: Float32Array[] = []
  let isIdentical = true
  denoiser.restore(recording.stretches[0].snapshot)
  for (const stretch of recording.stretches) {
    const made = playStretch(stretch, denoiser)
    const check = new Crc32()
    for (const piece of made) check.takeFloats(piece, piece.length)
    const count = made.reduce((sum, piece) => sum + piece.length, 0)
    isIdentical &&= count === stretch.outputs && check.value === stretch.outputCheck
    pieces.push(...made)
  }
  return { samples: joined(pieces), isIdentical, input: joined(recording.stretches.map(({ samples }) => samples)) }
}

function playStretch({ samples, calls }: Stretch, denoiser: Denoiser): Float32Array[] {
  const made: Float32Array[] = []
  let at = 0
  for (const call of calls) {
    made.push(denoiser.process(samples.subarray(at, call.at)))
    at = Math.max(at, call.at)
    made.push(perform(call, denoiser))
  }
  made.push(denoiser.process(samples.subarray(at)))
  return made
}

const NOTHING = new Float32Array(0)

function perform({ kind, value }: Call, denoiser: Denoiser): Float32Array {
  if (kind === 'conceal') return denoiser.conceal(value)
  if (kind === 'flush') return denoiser.flush()
  if (kind === 'advance') denoiser.advance(value)
  else if (kind === 'reset') denoiser.reset(value === 1 ? 'warm' : 'cold')
  else denoiser[kind] = value
  return NOTHING
}

function checkFit({ channels, inputRate, outputRate }: Recording, denoiser: Denoiser): void {
  const refuse = (what: string, value: number, own: number) =>
    fail('STATE_INVALID', `recording of another ${what}`, value, `this denoiser has ${own}`)
  if (channels !== denoiser.channels) refuse('number of channels', channels, denoiser.channels)
  if (inputRate !== denoiser.sampleRate) refuse('sample rate', inputRate, denoiser.sampleRate)
  if (outputRate !== denoiser.outputRate) refuse('output rate', outputRate, denoiser.outputRate)
}
