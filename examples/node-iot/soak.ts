// The gateway against the Worker in real workerd, over a network that cuts: so many seconds of audio, as fast as the two take it. In:
// seconds, cuts, outages in which nobody answers. Out: what was made of it; throws where a sample differs from what Node makes of
// the same packets, or something is missing that no report names.
//
//   npm run soak:iot                          30 minutes of audio, 60 cuts
//   npm run soak:iot -- --seconds 60 --cuts 6

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import * as assert from 'uvu/assert'
import { seedRandom } from '../../quantize/specimens.ts'
import { wholeNumber } from '../../scripts/wholeNumber.ts'
import { encodeSamples, SensorEncoder } from '../../sdk/index.ts'
import { encodeWavHeader, WavReader } from '../../sdk/wav.ts'
import { Edge } from '../cloudflare-worker/tests/edge.ts'
import { expectSame, receiveInNode } from '../cloudflare-worker/tests/reference.ts'

export interface SoakOptions {
  readonly seconds: number
  /** Connections cut in the midst of it; after every third nobody answers for a while. */
  readonly cuts: number
}

const RATE = 16000
/** In which nobody answers. */
const OUTAGE_MS = 300
const clip = new URL('../clip/noisy.wav', import.meta.url)

export async function soak({ seconds, cuts }: SoakOptions) {
  const edge = await Edge.start({ MAX_SPEED: '0' })
  const folder = mkdtempSync(join(tmpdir(), 'iot-'))
  const samples = loopClip(seconds)
  const bytes = (seconds / 0.016) * 36
  const network = await BadNetwork.open(edge.url(''), cuts, bytes / (cuts + 1))
  try {
    writeFileSync(join(folder, 'in.wav'), encodeWav(samples))
    const started = performance.now()
    const report = await runGateway([
      ...['--input', join(folder, 'in.wav'), '--speed', '0', '--hear', join(folder, 'out.wav')],
      ...['--url', `ws://127.0.0.1:${network.port}/stream/iot`, '--log-seconds', '5', '--drain-seconds', '60'],
    ])
    const wallSeconds = (performance.now() - started) / 1000
    const heard = readPcm(readFileSync(join(folder, 'out.wav')))
    await check(samples, heard, report)
    return { wallSeconds, cuts: network.cuts, ...report }
  } finally {
    network.close()
    await edge.stop()
    rmSync(folder, { recursive: true })
  }
}

interface Report {
  readonly code: number | null
  readonly log: string
  readonly samples: number
  readonly packets: number
  readonly breaks: number
  readonly replayed: number
  readonly lostMessages: number
  readonly missedHops: number
  readonly unconfirmed: number
  readonly edge: Readonly<Record<string, number>>
}

/** The example as a user starts it. */
function runGateway(args: readonly string[]): Promise<Report> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args])
  let [out, log] = ['', '']
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (log += text))
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (out === '') reject(new Error(`gateway ended with ${code}\n${log}`))
      else resolve({ code, log, ...JSON.parse(out) })
    })
  })
}

/** Nothing is missing, and every sample is what Node makes of the same packets without any network. */
async function check(samples: Float32Array, heard: Int16Array, report: Report): Promise<void> {
  assert.is(report.code, 0, report.log)
  assert.is(report.samples, samples.length)
  assert.is(report.packets, Math.ceil(samples.length / 256))
  assert.is(report.edge.received, report.packets)
  assert.equal([report.lostMessages, report.missedHops, report.unconfirmed, report.edge.lost], [0, 0, 0, 0])
  const encoder = new SensorEncoder()
  const expected = await receiveInNode([...encoder.push(samples), ...encoder.flush()])
  expectSame(heard, expected.samples)
}

/** Between gateway and Worker; cuts connections as bytes pass, and at times refuses new ones. */
class BadNetwork {
  cuts = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(origin: string, mostCuts: number, bytesBetween: number): Promise<BadNetwork> {
    const { port } = new URL(origin)
    const random = seedRandom(11)
    const draw = () => bytesBetween * (0.5 + random())
    let left = draw()
    let closedUntil = 0
    const server = createServer((client) => {
      if (performance.now() < closedUntil) return client.destroy()
      const far = connect(Number(port), '127.0.0.1')
      for (const socket of [client, far]) {
        network.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          network.#sockets.delete(socket)
          client.destroy()
          far.destroy()
        })
      }
      far.pipe(client)
      client.on('data', (bytes) => {
        left -= bytes.length
        if (left > 0 || network.cuts === mostCuts) return far.write(bytes)
        left = draw()
        network.cuts++
        if (network.cuts % 3 === 0) closedUntil = performance.now() + OUTAGE_MS
        // some of what was on its way arrives, the rest is gone
        far.write(bytes.subarray(0, Math.floor(bytes.length / 2)))
        return client.destroy()
      })
      return undefined
    })
    const network = new BadNetwork(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return network
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

function loopClip(seconds: number): Float32Array {
  const pcm = readPcm(readFileSync(clip))
  return Float32Array.from({ length: Math.round(seconds * RATE) }, (_, i) => pcm[i % pcm.length] / 32768)
}

function readPcm(file: Uint8Array): Int16Array {
  return new Int16Array(Uint8Array.from(new WavReader().push(file)).buffer)
}

export function encodeWav(samples: Float32Array): Uint8Array {
  const header = encodeWavHeader({ sampleFormat: 's16', sampleRate: RATE, channels: 1 }, 2 * samples.length)
  const bytes = new Uint8Array(header.length + 2 * samples.length)
  bytes.set(header)
  encodeSamples('s16', samples, samples.length, bytes.subarray(header.length))
  return bytes
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = new Command('npm run soak:iot --')
    .option('--seconds <n>', 'of audio', wholeNumber, 1800)
    .option('--cuts <n>', 'of connections', wholeNumber, 60)
    .parse()
    .opts<SoakOptions>()
  console.log(await soak(options))
}
