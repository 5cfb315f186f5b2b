// What the README says about the platform's limits, measured on this machine: bytes, CPU per second of audio, memory
// per stream. In: real workerd. Out: JSON. CPU is that of the workerd process (user and system), beside the SDK in this Node in
// the same run, so that the ratio holds on other machines.
//
//   npm run measure:edge

import { Command } from 'commander'
import { Denoiser } from '../../../sdk/index.ts'
import { drawSamples } from '../../../tests/golden/signal.ts'
import { bundleWorker } from '../../../tests/workerd/bundle.ts'
import { CONFIG, Edge } from './edge.ts'
import { drawPackets, inMessages, pause } from './reference.ts'
import { measureIsolate, measureRuntime } from './runtime.ts'

new Command('npm run measure:edge').description('measures the Worker in workerd on this machine; takes minutes').parse()

const VARIABLES = { MAX_SPEED: '0', MAX_CONNECTIONS: '10000' }
const SECONDS = 120
const MODELS = ['hq', 'base', 'lite'] as const
const STREAM_COUNTS = [1, 100, 300]

const sound = new Uint8Array(Int16Array.from(drawSamples(SECONDS * 16000, 1, 0.3), (x) => x * 32767).buffer)

async function measureFile(edge: Edge, model: string) {
  const before = measureRuntime().cpuSeconds
  const headers = { 'content-type': 'audio/pcm' }
  await (await edge.fetch(`/denoise?model=${model}`, { method: 'POST', headers, body: sound })).arrayBuffer()
  const edgeMs = (1000 * (measureRuntime().cpuSeconds - before)) / SECONDS
  using denoiser = await Denoiser.create({ model })
  const cpu = process.cpuUsage()
  for await (const _ of denoiser.iterate([sound], { format: 's16' }));
  const { user, system } = process.cpuUsage(cpu)
  const nodeMs = (user + system) / 1000 / SECONDS
  return { model, edgeMs, nodeMs }
}

async function measureSensor(edge: Edge) {
  const messages = inMessages(drawPackets(SECONDS / 0.016, 1), 8)
  const before = measureRuntime().cpuSeconds
  const sender = edge.sender('measured')
  for (const message of messages) {
    sender.push(message)
    while (sender.link.room < 448) await pause(1)
  }
  sender.end()
  await sender.ended
  return { model: 'nano, WebSocket', edgeMs: (1000 * (measureRuntime().cpuSeconds - before)) / SECONDS }
}

/** Streams that have all played five seconds and stay. */
async function measureMemory(count: number) {
  const edge = await Edge.start(VARIABLES, 0)
  const messages = inMessages(drawPackets(312, 1), 8)
  const senders = Array.from({ length: count }, (_, i) => edge.sender(`memory-${i}`))
  for (const message of messages) {
    for (const sender of senders) sender.push(message)
    await pause(20)
  }
  while (senders.some((sender) => (sender.link.hop ?? 0) < 300)) await pause(20)
  const held = await measureIsolate(edge)
  const { residentMb } = measureRuntime()
  for (const sender of senders) sender.close()
  await edge.stop()
  return { streams: count, ...held, residentMb }
}

const { bytes, gzipBytes } = await bundleWorker('examples/cloudflare-worker/src/index.ts', ['-c', CONFIG])
const edge = await Edge.start(VARIABLES)
await measureFile(edge, 'lite') // compiled code is optimised while it runs
const cpu = []
for (const model of MODELS) cpu.push(await measureFile(edge, model))
await measureSensor(edge)
cpu.push(await measureSensor(edge))
await edge.stop()
const memory = []
for (const count of STREAM_COUNTS) memory.push(await measureMemory(count))
console.log(JSON.stringify({ bytes, gzipBytes, cpuPerAudioSecond: cpu, memory }, null, 2))
