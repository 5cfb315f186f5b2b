// Audio of files and pipes. In: a path, or '-' for standard input. Out: the WAV format as soon as it is known, then f32
// samples, interleaved, in pieces; nothing is held but one piece.

import { createReadStream } from 'node:fs'
import { fail } from '../errors.ts'
import { decodeSamples, sampleBytes } from '../pcm.ts'
import { type WavFormat, WavReader } from '../wav.ts'

const PIECE_BYTES = 1 << 18

export interface AudioSource {
  readonly format: WavFormat
  /** As the header says; undefined for a stream of unknown length. */
  readonly frames: number | undefined
  /** The array is used again for the next piece. */
  readonly pieces: AsyncIterable<Float32Array>
}

export async function openAudio(path: string): Promise<AudioSource> {
  const input = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: PIECE_BYTES })
  const reader = new WavReader()
  const blocks = readBlocks(input, path)[Symbol.asyncIterator]()
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

/** The whole of a file: for figures, not for denoising. */
export async function readWhole(path: string): Promise<{ format: WavFormat; samples: Float32Array }> {
  const { format, pieces } = await openAudio(path)
  const parts: Float32Array[] = []
  for await (const piece of pieces) parts.push(piece.slice())
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    samples.set(part, at)
    at += part.length
  }
  return { format, samples }
}
