// POST /denoise. In: WAV, or raw PCM described by the query, as it arrives. Out: the same audio without noise, of the same
// length, rate and encoding, sent while the rest still comes in: memory does not depend on the length.

import {
  Denoiser,
  type DenoiserOptions,
  PRESETS,
  type Preset,
  SAMPLE_FORMATS,
  type SampleFormat,
  sampleBytes,
} from 'attenuate-edge'
import { encodeWavHeader, type WavFormat, WavReader } from 'attenuate-edge/wav'
import type { Limits } from './limits.ts'
import { Problem } from './problem.ts'
import type { Transfer, Transfers } from './transfers.ts'
import { begin, readUpload } from './upload.ts'

/** Networks for audio at full rate; nano is for sensors (stream.ts). */
const HTTP_MODELS = ['hq', 'base', 'lite'] as const
const WAV_TYPES = ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave']
const PCM_TYPES = ['audio/pcm', 'application/octet-stream']

const NOTHING: Uint8Array = new Uint8Array(0)

type Pieces = AsyncGenerator<Uint8Array, void, undefined>

interface Sound {
  readonly type: string
  readonly format: WavFormat
  /** Where the header says. */
  readonly frames: number | undefined
  /** Before and after the samples; nothing for PCM. */
  readonly header: Uint8Array
  readonly trailer: Uint8Array
  readonly pieces: Pieces
}

/** `onEnd` is told the seconds denoised, once. */
export async function denoise(
  request: Request,
  limits: Limits,
  transfers: Transfers,
  onEnd: (seconds: number) => void,
): Promise<Response> {
  transfers.expectRoom(limits)
  let denoiser: Denoiser | undefined
  const transfer = transfers.begin(() => {
    onEnd(denoiser === undefined ? 0 : denoiser.stats().samplesIn / denoiser.sampleRate)
    denoiser?.dispose()
  })
  const body = readUpload(request, limits)
  try {
    const query = new URL(request.url).searchParams
    const choice = readChoice(query) // before a byte of the body is
    const sound = await openSound(request, query, body)
    const { sampleRate, channels } = sound.format
    denoiser = await Denoiser.create({ ...choice, sampleRate, channels })
    const pieces = await begin(sound.pieces)
    return new Response(toStream(denoisedBytes({ ...sound, pieces }, denoiser), body, transfer), {
      headers: { 'content-type': sound.type, 'cache-control': 'no-store' },
    })
  } catch (error) {
    transfer.end()
    await body.return()
    throw error
  }
}

async function openSound(request: Request, query: URLSearchParams, body: Pieces): Promise<Sound> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase()
  if (WAV_TYPES.includes(type)) return openWav(body)
  if (PCM_TYPES.includes(type)) return openPcm(body, query)
  throw new Problem(415, `content-type, ${type || 'none'}; send ${[...WAV_TYPES, ...PCM_TYPES].join(', ')}`)
}

/** Reads as far as the first sample. */
async function openWav(body: Pieces): Promise<Sound> {
  const reader = new WavReader()
  let first = NOTHING
  while (first.length === 0) {
    const { done, value } = await body.next()
    if (done) break
    first = reader.push(value)
  }
  reader.end()
  const format = reader.format!
  const { frames } = reader
  const dataBytes = frames === undefined ? undefined : frames * frameBytes(format)
  async function* pieces() {
    yield first
    for await (const piece of body) yield reader.push(piece)
  }
  return {
    type: 'audio/wav',
    format,
    frames,
    header: encodeWavHeader(format, dataBytes),
    trailer: new Uint8Array((dataBytes ?? 0) % 2), // chunks of RIFF have even lengths
    pieces: pieces(),
  }
}

function openPcm(body: Pieces, query: URLSearchParams): Sound {
  const sampleFormat = query.get('format') ?? 's16'
  if (!SAMPLE_FORMATS.includes(sampleFormat as SampleFormat))
    throw new Problem(415, `format, ${sampleFormat}; use one of ${SAMPLE_FORMATS.join(', ')}`)
  const format = {
    sampleFormat: sampleFormat as SampleFormat,
    sampleRate: numberOf(query, 'rate', 16000),
    channels: numberOf(query, 'channels', 1),
  }
  return {
    type: 'application/octet-stream',
    format,
    frames: undefined,
    header: NOTHING,
    trailer: NOTHING,
    pieces: body,
  }
}

function readChoice(query: URLSearchParams): DenoiserOptions {
  const model = oneOf(HTTP_MODELS, 'model', query.get('model') ?? 'hq')
  const preset = query.get('preset')
  const strengthDb = query.has('strengthDb') ? numberOf(query, 'strengthDb', 0) : undefined
  if (strengthDb !== undefined && strengthDb > 0) throw new Problem(400, `strengthDb, ${strengthDb}; give at most 0`)
  return {
    model,
    ...(preset !== null && { preset: oneOf(Object.keys(PRESETS) as Preset[], 'preset', preset) }),
    ...(strengthDb !== undefined && { strengthDb }),
  }
}

function oneOf<T extends string>(names: readonly T[], what: string, name: string): T {
  if (names.includes(name as T)) return name as T
  throw new Problem(400, `${what}, ${name}; use one of ${names.join(', ')}`)
}

async function* denoisedBytes({ format, header, trailer, pieces }: Sound, denoiser: Denoiser): Pieces {
  if (header.length > 0) yield header
  yield* denoiser.iterate(pieces, { format: format.sampleFormat })
  if (trailer.length > 0) yield trailer
}

/** Pulled: nothing is denoised before somebody reads it. */
function toStream(pieces: Pieces, body: Pieces, transfer: Transfer): ReadableStream<Uint8Array> {
  const finish = async () => {
    transfer.end()
    await body.return()
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next()
          transfer.moved()
          if (!done) return controller.enqueue(value)
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        await finish()
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  )
}

function frameBytes({ channels, sampleFormat }: WavFormat): number {
  return channels * sampleBytes(sampleFormat)
}

function numberOf(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)
  const value = text === null ? fallback : Number(text)
  if (text?.trim() === '' || !Number.isFinite(value)) throw new Problem(400, `${name}, ${text}; give a number`)
  return value
}
