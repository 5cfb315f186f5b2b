// The Node twin of the Web transform. In and out: Float32Array chunks (object mode), or bytes of a sample format, as pipes
// and sockets carry them.

import { Transform } from 'node:stream'
import type { Denoiser } from './denoiser.ts'
import { type ChunkChanger, changeChunks, type StreamOptions } from './stream.ts'

/** Of `Denoiser.nodeStream`. */
export interface NodeStreamOptions extends StreamOptions {
  /** Bytes (with `format`) or chunks that may wait on either side before the source is told to pause. Default: Node's; 1. */
  readonly highWaterMark?: number
}

export function toNodeTransform(denoiser: Denoiser, options: NodeStreamOptions = {}): Transform {
  const changer = changeChunks(denoiser, options) as ChunkChanger<Uint8Array | Float32Array>
  const isBytes = options.format !== undefined
  const highWaterMark = options.highWaterMark ?? (isBytes ? undefined : 1)
  return new Transform({
    objectMode: !isBytes,
    ...(highWaterMark !== undefined && { highWaterMark }),
    transform(chunk: Uint8Array | Float32Array, _encoding, done) {
      settle(() => changer.take(chunk), done)
    },
    flush(done) {
      settle(() => changer.end(), done)
    },
  })
}

/** Hands the result, or the error, to Node. */
function settle(make: () => Uint8Array | Float32Array, done: (error: Error | null, chunk?: unknown) => void): void {
  let chunk: Uint8Array | Float32Array
  try {
    chunk = make()
  } catch (error) {
    done(error as Error)
    return
  }
  done(null, chunk.length > 0 ? chunk : undefined)
}
