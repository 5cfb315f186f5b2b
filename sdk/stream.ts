// A denoiser between a source and a sink that set the pace. In: chunks of samples, of any length. Out: chunks of what is
// ready; after the end of the source what was still inside. Nothing is queued here: a chunk is taken when the one before
// has been asked for.

import type { Denoiser } from './denoiser.ts'
import { checkKind } from './kinds.ts'
import type { SampleFormat } from './pcm.ts'
import { SampleBytes } from './samples.ts'

/** Of `Denoiser.stream`. */
export interface StreamOptions {
  /** Chunks are bytes (Uint8Array) of this sample format, cut anywhere. Default: Float32Array in -1..1, whole frames. */
  readonly format?: SampleFormat | undefined
}

/** What becomes of one chunk, and of the end; empty chunks are not passed on. */
export interface ChunkChanger<T> {
  take(chunk: T): T
  end(): T
}

export function changeChunks(denoiser: Denoiser, options: { readonly format: SampleFormat }): ChunkChanger<Uint8Array>
export function changeChunks(denoiser: Denoiser, options?: { readonly format?: undefined }): ChunkChanger<Float32Array>
export function changeChunks(
  denoiser: Denoiser,
  options?: StreamOptions,
): ChunkChanger<Uint8Array> | ChunkChanger<Float32Array>
export function changeChunks(
  denoiser: Denoiser,
  options: StreamOptions = {},
): ChunkChanger<Uint8Array> | ChunkChanger<Float32Array> {
  checkKind('options', options, 'object')
  const { format } = options
  if (format === undefined)
    return { take: (chunk: Float32Array) => denoiser.process(chunk), end: () => denoiser.flush() }
  const bytes = new SampleBytes(format, denoiser.channels)
  return {
    take: (chunk: Uint8Array) => bytes.encode(denoiser.process(bytes.decode(chunk))),
    end: () => {
      bytes.end()
      return bytes.encode(denoiser.flush())
    },
  }
}

/** Web Streams. Back-pressure passes through: one chunk waits, none is denoised before the reader asks. */
export function toTransformStream<T extends Uint8Array | Float32Array>(
  changer: ChunkChanger<T>,
): TransformStream<T, T> {
  const give = (controller: TransformStreamDefaultController<T>, chunk: T) => {
    if (chunk.length > 0) controller.enqueue(chunk)
  }
  return new TransformStream<T, T>(
    {
      transform: (chunk, controller) => give(controller, changer.take(chunk)),
      flush: (controller) => give(controller, changer.end()),
    },
    { highWaterMark: 1 }, // with 0 a pipe would wait for ever
    { highWaterMark: 0 },
  )
}

/** Async iteration: the source is asked when the result is. */
export async function* iterateChunks<T extends Uint8Array | Float32Array>(
  changer: ChunkChanger<T>,
  source: AsyncIterable<T> | Iterable<T>,
): AsyncGenerator<T, void, undefined> {
  for await (const chunk of source) {
    const out = changer.take(chunk)
    if (out.length > 0) yield out
  }
  const rest = changer.end()
  if (rest.length > 0) yield rest
}
