// Where samples come from: a microphone by ALSA's `arecord`, or a WAV file played in the time that it took, or faster. Out: its rate,
// and mono pieces of f32 until it ends or is stopped.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { decodeSamples, sampleBytes } from 'attenuate-edge'
import { WavReader } from 'attenuate-edge/wav'

export interface Source {
  readonly sampleRate: number
  /** Does it go on whether or not anybody listens? Then what nobody takes is lost. */
  readonly isLive: boolean
  readonly pieces: AsyncIterable<Float32Array>
  /** The pieces end soon after. */
  stop(): void
  /** Why the pieces have ended before their time, if they have. */
  fault(): string | undefined
}

const PIECE_MS = 20

/** `recorder`: the program, for machines without ALSA. */
export function openMicrophone(sampleRate: number, device: string, recorder = 'arecord'): Source {
  const args = ['-q', '-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(sampleRate), '-D', device]
  let child: ChildProcessByStdio<null, Readable, null> | undefined
  let isStopped = false
  let fault: string | undefined
  // not before somebody listens: Node throws away what a child that has ended said unheard
  async function* record() {
    child = spawn(recorder, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = endOf(child, recorder)
    yield* decodePcm(child.stdout)
    const reason = await ended
    if (!isStopped) fault = reason
  }
  const stop = () => {
    isStopped = true
    child?.kill('SIGTERM')
  }
  return { sampleRate, isLive: true, pieces: record(), stop, fault: () => fault }
}

/** What went wrong, if something did. */
function endOf(child: ChildProcessByStdio<null, Readable, null>, recorder: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.on('error', ({ message }) =>
      resolve(`${recorder} cannot be run (${message}); install alsa-utils or give --input FILE.wav`),
    )
    child.on('exit', (code, signal) =>
      resolve(code === 0 ? undefined : `${recorder} ended with ${code ?? signal}; check --device and --rate`),
    )
  })
}

async function* decodePcm(stream: Readable) {
  let odd = Buffer.alloc(0)
  for await (const bytes of stream) {
    const all = Buffer.concat([odd, bytes as Buffer])
    const whole = all.length - (all.length % 2)
    odd = all.subarray(whole)
    yield toSamples(all.subarray(0, whole))
  }
}

function toSamples(bytes: Uint8Array): Float32Array {
  const samples = new Float32Array(bytes.length / 2)
  decodeSamples('s16', bytes, samples)
  return samples
}

/** `speed`: times real time; 0: as fast as it is taken. */
export async function openFile(path: string, speed: number): Promise<Source> {
  const reader = new WavReader()
  const blocks = createReadStream(path)[Symbol.asyncIterator]()
  let first: Uint8Array = new Uint8Array(0)
  while (reader.format === undefined || first.length === 0) {
    const { done, value } = await blocks.next()
    if (done) break
    first = reader.push(value)
  }
  reader.end()
  const { sampleRate, channels } = reader.format!
  if (channels !== 1) throw new Error(`${path}, ${channels} channels; give a mono file`)
  let isStopped = false
  const stop = () => {
    isStopped = true
  }
  const pieces = playFile(reader, first, blocks, speed, () => isStopped)
  return { sampleRate, isLive: speed > 0, pieces, stop, fault: () => undefined }
}

async function* playFile(
  reader: WavReader,
  first: Uint8Array,
  blocks: AsyncIterator<Buffer>,
  speed: number,
  isStopped: () => boolean,
): AsyncGenerator<Float32Array> {
  const { sampleFormat, sampleRate } = reader.format!
  const pieceBytes = Math.round((sampleRate * PIECE_MS) / 1000) * sampleBytes(sampleFormat)
  const started = performance.now()
  let played = 0
  for (let bytes: Uint8Array | undefined = first; bytes !== undefined; bytes = await nextOf(reader, blocks)) {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      if (isStopped()) return
      const piece = bytes.subarray(at, at + pieceBytes)
      const samples = new Float32Array(piece.length / sampleBytes(sampleFormat))
      decodeSamples(sampleFormat, piece, samples)
      yield samples
      played += samples.length
      if (speed > 0) await pause(started + (1000 * played) / sampleRate / speed - performance.now())
    }
  }
}

async function nextOf(reader: WavReader, blocks: AsyncIterator<Buffer>): Promise<Uint8Array | undefined> {
  const { done, value } = await blocks.next()
  return done ? undefined : reader.push(value)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
