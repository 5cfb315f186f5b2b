// The test client: `npx tsx examples/cloudflare-worker/client/main.ts IN.wav OUT.wav --url ws://127.0.0.1:8787/stream/demo`.
// In: a WAV file at 16 kHz, played as a sensor would record it. Out: what the edge made of it, and what happened on the way.

import { readFile, writeFile } from 'node:fs/promises'
import { decodeSamples, SensorEncoder, sampleBytes } from 'attenuate-edge'
import { encodeWavHeader, WavReader } from 'attenuate-edge/wav'
import { Command } from 'commander'
import { WebSocket } from 'ws'
import { keepInput, parseNumber, parsePackets } from './options.ts'
import { HOP_MS } from './protocol.ts'
import { Sender, type Socket } from './sender.ts'

interface Options {
  readonly url: string
  readonly token?: string
  readonly speed: number
  readonly packets: number
}

const program = new Command('client')
  .description('sends a WAV file as a 4 kHz / 4-bit sensor would, and writes the clean speech that comes back')
  .argument('<in.wav>', '16 kHz, mono')
  .argument('<out.wav>')
  .requiredOption('--url <url>', 'ws://127.0.0.1:8787/stream/NAME')
  .option('--token <token>', 'bearer token of the Worker')
  .option('--speed <times>', 'times real time; 0: as fast as the edge takes it', parseNumber, 1)
  .option('--packets <count>', 'packets of 16 ms in a message, 1..64', parsePackets, 8)
  .action(run)
await program.parseAsync().catch((error) => {
  console.error(error.message)
  process.exit(1) // a connection may be open
})

async function run(input: string, output: string, options: Options): Promise<void> {
  await keepInput(input, output)
  const packets = encode(await readWav(input))
  const parts: Int16Array[] = []
  const sender = new Sender({
    url: options.url,
    token: options.token,
    connect: (url, protocols) => new WebSocket(url, protocols, { perMessageDeflate: false }) as unknown as Socket,
    onAudio: (samples) => parts.push(samples),
    onBreak: (reason) => console.error(`connection broken: ${reason}`),
  })
  // a refusal ends it at once: nothing would make room in the buffer any more
  await Promise.race([play(sender, packets, options.packets, options.speed), sender.ended])
  const { counters, seconds } = await sender.ended
  await writeFile(output, toWav(parts))
  console.log(JSON.stringify({ seconds, object: counters, client: sender.stats() }, null, 2))
}

async function readWav(path: string): Promise<Float32Array> {
  const reader = new WavReader()
  const bytes = reader.push(await readFile(path))
  reader.end()
  const { sampleFormat, sampleRate, channels } = reader.format!
  if (sampleRate !== 16000 || channels !== 1)
    throw new Error(`${path}, ${sampleRate} Hz, ${channels} channels; give 16000 Hz, mono`)
  const samples = new Float32Array(bytes.length / sampleBytes(sampleFormat))
  decodeSamples(sampleFormat, bytes, samples)
  return samples
}

function encode(samples: Float32Array): Uint8Array[] {
  const encoder = new SensorEncoder()
  return [...encoder.push(samples), ...encoder.flush()]
}

/** In the time that the recording took, or as fast as messages are persisted. */
async function play(sender: Sender, packets: readonly Uint8Array[], perMessage: number, speed: number): Promise<void> {
  const started = performance.now()
  for (let at = 0; at < packets.length; at += perMessage) {
    sender.push(packets.slice(at, at + perMessage))
    const dueMs = speed === 0 ? 0 : started + ((at + perMessage) * HOP_MS) / speed - performance.now()
    if (dueMs > 0) await pause(dueMs)
    while (speed === 0 && sender.link.room === 0) await pause(1)
  }
  sender.end()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function toWav(parts: readonly Int16Array[]): Uint8Array {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)))
  return Buffer.concat([encodeWavHeader({ sampleFormat: 's16', sampleRate: 16000, channels: 1 }, bytes.length), bytes])
}
