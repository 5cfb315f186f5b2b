// Audio of files and pipes. In: a path, or '-' for standard input. Out: the format as soon as it is known (WAV) or as stated
// (raw samples), then f32 samples, side by side, in pieces; nothing is held but one piece.

import { createReadStream } from 'node:fs'
import { fail } from '../errors.ts'
import { decodeSamples, sampleBytes } from '../pcm.ts'
import { SampleBytes } from '../samples.ts'
import { type WavFormat, WavReader } from '../wav.ts'

const PIECE_BYTES = 1 << 18

export interface AudioSource {
  readonly format: WavFormat
  /** As the header says; undefined for a stream of unknown length. */
  readonly frames: number | undefined
  /** The array is used again for the next piece. */
  readonly pieces: AsyncIterable<Float32Array>
  /** A file is closed at its end; who stops before closes it. */
  close(): void
}

/** `raw`: what the samples are, where no header says it. */
export async function openAudio(path: string, raw?: WavFormat): Promise<AudioSource> {
  const input = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: PIECE_BYTES })
  const blocks = readBlocks(input, path)
  const close = () => void input.destroy()
  if (raw !== undefined) return { format: raw, frames: undefined, pieces: decodeRaw(raw, blocks), close }
  try {
    return { ...(await openWav(blocks)), close }
  } catch (error) {
    close()
    throw error
  }
}

async function openWav(blocks: AsyncGenerator<Uint8Array>): Promise<Omit<AudioSource, 'close'>> {
  const reader = new WavReader()
  let first: Uint8Array = new Uint8Array(0)
  while (reader.format === undefined || first.length === 0) {
    const next = await blocks.next()
    if (next.done) break
    first = reader.push(next.value)
  }
  reader.end()
  return { format: reader.format!, frames: reader.frames, pieces: decodePieces(reader, first, blocks) }
}

async function* readBlocks(input: NodeJS.ReadableStream, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* input as AsyncIterable<Buffer>
  } catch (error) {
    fail('LOAD_FAILED', `cannot be read (${(error as NodeJS.ErrnoException).code})`, path, 'check the path')
  }
}

async function* decodePieces(
  reader: WavReader,
  first: Uint8Array,
  blocks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Float32Array> {
  const { sampleFormat } = reader.format!
  let samples = new Float32Array(0)
  for (let bytes = first; ; ) {
    const count = bytes.length / sampleBytes(sampleFormat)
    if (samples.length < count) samples = new Float32Array(count)
    const piece = samples.subarray(0, count)
    decodeSamples(sampleFormat, bytes, piece)
    if (count > 0) yield piece
    const next = await blocks.next()
    if (next.done) return
    bytes = reader.push(next.value)
  }
}

/** A last frame that was cut short is left out, as in WAV files. */
async function* decodeRaw(
  { sampleFormat, channels }: WavFormat,
  blocks: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Float32Array> {
  const reader = new SampleBytes(sampleFormat, channels)
  for await (const block of blocks) {
    const piece = reader.decode(block)
    if (piece.length > 0) yield piece
  }
}

export interface WholeAudio {
  readonly format: WavFormat
  /** Side by side. */
  readonly samples: Float32Array
}

/** The whole of a file, or not much more than its first seconds: for figures, not for denoising. */
export async function readWhole(path: string, mostSeconds = Number.POSITIVE_INFINITY): Promise<WholeAudio> {
  const { format, pieces, close } = await openAudio(path)
  const most = mostSeconds * format.sampleRate * format.channels
  const parts: Float32Array[] = []
  let count = 0
  for await (const piece of pieces) {
    parts.push(piece.slice())
    count += piece.length
    if (count >= most) break
  }
  close()
  const samples = new Float32Array(count)
  let at = 0
  for (const part of parts) {
    samples.set(part, at)
    at += part.length
  }
  return { format, samples }
}
