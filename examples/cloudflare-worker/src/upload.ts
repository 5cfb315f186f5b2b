// A request's body under watch: not too long, not too slow. In: the body. Out: its pieces, as the reader asks for them
// (back-pressure reaches the sender), or a Problem.

import type { Limits } from './limits.ts'
import { Problem } from './problem.ts'

/** A rate is judged after so many idle times. */
const JUDGED_AFTER = 10
/** Of what is left of a body after a refusal. */
const MOST_LEFT_BYTES = 16e6
const MOST_LEFT_MS = 2000

type Reader = ReadableStreamDefaultReader<Uint8Array>

export async function* readUpload(request: Request, limits: Limits): AsyncGenerator<Uint8Array, void, undefined> {
  checkLength(request, limits)
  if (request.body === null) throw new Problem(400, 'no body; send WAV or PCM')
  const reader = request.body.getReader()
  let [bytes, waitedMs] = [0, 0]
  let leave = readRest
  try {
    for (;;) {
      const asked = Date.now()
      const { done, value } = await within(reader.read(), limits.UPLOAD_IDLE_MS)
      if (done) return
      // the time that the caller takes is counted, not the time that this Worker or its reader takes
      waitedMs += Date.now() - asked
      bytes += value.length
      if (bytes > limits.MAX_BODY_BYTES) throw tooLarge(limits)
      if (isSlow(bytes, waitedMs, limits))
        throw new Problem(408, `upload too slow; send ${limits.UPLOAD_BYTES_PER_SECOND} bytes/s`)
      yield value
    }
  } catch (error) {
    leave = giveUp // too long, too slow, broken
    throw error
  } finally {
    await leave(reader)
  }
}

/**
 * The same pieces, the first of which has come. To be called before the answer is given: `wrangler dev` takes a body that
 * nobody has read from by then for one that nobody wants, and reads it itself.
 */
export async function begin<T>(
  pieces: AsyncGenerator<T, void, undefined>,
): Promise<AsyncGenerator<T, void, undefined>> {
  const first = await pieces.next()
  async function* all() {
    if (first.done) return
    yield first.value
    yield* pieces
  }
  return all()
}

/** So that a caller who is refused can finish and hear why: workerd hangs up on who still sends when the answer is out. */
async function readRest(reader: Reader): Promise<void> {
  const endMs = Date.now() + MOST_LEFT_MS
  try {
    for (let bytes = 0; bytes < MOST_LEFT_BYTES; ) {
      const { done, value } = await within(reader.read(), endMs - Date.now())
      if (done) return reader.releaseLock()
      bytes += value.length
    }
  } catch {
    // late or broken: not worth more
  }
  return giveUp(reader)
}

function giveUp(reader: Reader): Promise<void> {
  return reader.cancel().catch(() => undefined)
}

function checkLength(request: Request, limits: Limits): void {
  const length = Number(request.headers.get('content-length') ?? 0)
  if (length > limits.MAX_BODY_BYTES) throw tooLarge(limits)
}

function tooLarge({ MAX_BODY_BYTES }: Limits): Problem {
  return new Problem(413, `body too large; send at most ${MAX_BODY_BYTES} bytes`)
}

function isSlow(bytes: number, waitedMs: number, { UPLOAD_IDLE_MS, UPLOAD_BYTES_PER_SECOND }: Limits): boolean {
  return waitedMs > JUDGED_AFTER * UPLOAD_IDLE_MS && (1000 * bytes) / waitedMs < UPLOAD_BYTES_PER_SECOND
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: number | null = null
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Problem(408, `no bytes for ${ms} ms; send the body without a pause`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
