// WAV files with one thing or more wrong: sizes, tags, masks, chunks of any name and length before the data. In: random
// numbers. Out: bytes for sdk/wav.ts, read in one piece and in many: both must say the same.

import { AttenuateError } from '../../quantize/errors.ts'
import type { Random } from '../../quantize/specimens.ts'
import { SAMPLE_FORMATS, sampleBytes } from '../../sdk/pcm.ts'
import { encodeWavHeader, WavReader } from '../../sdk/wav.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, damage, disturb, drawSize, happens, joined } from './mutation.ts'

const RATES = [4000, 8000, 11025, 16000, 44100, 48000, 192000, 2 ** 31]
const CHUNKS = ['LIST', 'fact', 'bext', 'JUNK', 'fmt ', 'ds64', 'data', 'RIFF', '\0\0\0\0']

export const wav: Target = {
  name: 'wav',
  codes: ['AUDIO_INVALID', 'FORMAT_UNSUPPORTED'],
  draw(random) {
    const format = {
      sampleFormat: choose(random, SAMPLE_FORMATS),
      sampleRate: choose(random, RATES),
      channels: 1 + below(random, 8),
      ...(happens(random, 0.2) && { channelMask: below(random, 2 ** 18) }),
    }
    const data = new Uint8Array(drawSize(random, 400)).map(() => below(random, 256))
    const frameBytes = format.channels * sampleBytes(format.sampleFormat)
    const frames = choose(random, [Math.floor(data.length / frameBytes), 2 ** 33, disturb(random, data.length)])
    const stated = happens(random, 0.2) ? undefined : frames * frameBytes
    const header = encodeWavHeader(format, stated, happens(random, 0.3))
    const extra = Array.from({ length: below(random, 3) }, () => drawChunk(random))
    const bytes = joined(header.subarray(0, 12), ...extra, header.subarray(12), data, ...extra)
    return happens(random, 0.7) ? damage(random, bytes) : bytes
  },
  parse(bytes, random) {
    const whole = outcomeOf(bytes, () => bytes.length)
    const parts = outcomeOf(bytes, () => 1 + below(random, 40))
    promise(
      whole.text === parts.text,
      `pieces change the result: ${whole.text.slice(0, 100)} / ${parts.text.slice(0, 100)}`,
    )
    if (whole.error !== undefined) throw whole.error
  },
}

function drawChunk(random: Random): Uint8Array {
  const body = new Uint8Array(drawSize(random, 90))
  const size = happens(random, 0.2) ? disturb(random, body.length) : body.length
  const head = new Uint8Array(8)
  const name = choose(random, CHUNKS)
  for (let i = 0; i < 4; i++) head[i] = name.charCodeAt(i)
  new DataView(head.buffer).setUint32(4, size, true)
  return joined(head, body, new Uint8Array(body.length % 2))
}

function outcomeOf(bytes: Uint8Array, piece: () => number): { text: string; error?: AttenuateError } {
  const reader = new WavReader()
  const parts: string[] = []
  let frames = 0
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = piece()
      const data = reader.push(bytes.subarray(at, at + count))
      at += count
      if (data.length === 0) continue
      const { sampleFormat, channels } = reader.format!
      const frameBytes = channels * sampleBytes(sampleFormat)
      promise(data.length % frameBytes === 0, 'whole frames')
      frames += data.length / frameBytes
      parts.push(Buffer.from(data).toString('hex'))
    }
    reader.end()
  } catch (error) {
    if (error instanceof AttenuateError) return { text: error.message, error }
    throw error
  }
  promise(reader.frames === undefined || frames <= reader.frames, 'no more frames than stated')
  return { text: JSON.stringify([reader.format, parts.join('')]) }
}
