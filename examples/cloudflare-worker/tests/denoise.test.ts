// POST /denoise: the same bytes as the SDK makes in Node, whatever comes in; streamed both ways; refused where it must be.

import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Denoiser, type DenoiserOptions, type SampleFormat } from '../../../sdk/index.ts'
import { decodeSamples, encodeSamples, sampleBytes } from '../../../sdk/pcm.ts'
import { encodeWavHeader, WavReader } from '../../../sdk/wav.ts'
import { drawSamples } from '../../../tests/golden/signal.ts'
import { Edge } from './edge.ts'
import { expectSame } from './reference.ts'

const VARIABLES = {
  MAX_BODY_BYTES: '3000000',
  UPLOAD_IDLE_MS: '300',
  UPLOAD_BYTES_PER_SECOND: '1000',
  MAX_UPLOADS: '4',
}
const test = suite<{ edge: Edge }>('denoise')

test.before(async (context) => {
  context.edge = await Edge.start(VARIABLES)
})
test.after(({ edge }) => edge.stop())

interface Clip {
  readonly sampleFormat: SampleFormat
  readonly sampleRate: number
  readonly channels: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

function drawClip(sampleFormat: SampleFormat, sampleRate: number, channels: number, seconds: number): Clip {
  const samples = drawSamples(Math.round(seconds * sampleRate) * channels, 11, 0.3)
  const bytes = new Uint8Array(samples.length * sampleBytes(sampleFormat))
  encodeSamples(sampleFormat, samples, samples.length, bytes)
  return { sampleFormat, sampleRate, channels, bytes }
}

function toWav(clip: Clip, isOpen = false): Uint8Array<ArrayBuffer> {
  const header = encodeWavHeader(clip, isOpen ? undefined : clip.bytes.length)
  return new Uint8Array(Buffer.concat([header, clip.bytes, new Uint8Array(isOpen ? 0 : clip.bytes.length % 2)]))
}

async function inNode({ sampleFormat, sampleRate, channels, bytes }: Clip, options: DenoiserOptions = {}) {
  using denoiser = await Denoiser.create({ model: 'hq', sampleRate, channels, ...options })
  const samples = new Float32Array(bytes.length / sampleBytes(sampleFormat))
  decodeSamples(sampleFormat, bytes, samples)
  const clean = Float32Array.from([...denoiser.process(samples), ...denoiser.flush()])
  const out = new Uint8Array(bytes.length)
  encodeSamples(sampleFormat, clean, clean.length, out)
  return out
}

async function post(edge: Edge, query: string, type: string, body: BodyInit): Promise<Response> {
  return edge.fetch(`/denoise${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
    duplex: 'half',
  } as RequestInit)
}

/** A body that goes on until it is told otherwise. */
function openBody() {
  let send: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      send = controller
    },
  })
  return { body, send: send! }
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  assert.is(response.status, 200, await (response.ok ? '' : response.text()))
  return new Uint8Array(await response.arrayBuffer())
}

for (const [format, rate, channels] of [
  ['s16', 16000, 1],
  ['s24', 48000, 2],
  ['f32', 44100, 1],
  ['u8', 16000, 1],
  ['mulaw', 8000, 1],
] as const)
  test(`WAV ${format}, ${rate} Hz, ${channels} ch: as in Node, header included`, async ({ edge }) => {
    const clip = drawClip(format, rate, channels, 1.2001)
    const out = await bytesOf(await post(edge, '', 'audio/wav', toWav(clip)))
    expectSame(out, toWav({ ...clip, bytes: (await inNode(clip)) as Uint8Array<ArrayBuffer> }))
  })

test('raw PCM with rate, format, channels, model and strength', async ({ edge }) => {
  const clip = drawClip('f32', 32000, 2, 0.7)
  const query = '?format=f32&rate=32000&channels=2&model=base&strengthDb=-12'
  const out = await bytesOf(await post(edge, query, 'application/octet-stream', clip.bytes))
  expectSame(out, await inNode(clip, { model: 'base', strengthDb: -12 }))
})

test('a WAV of unknown length, with a chunk before its data', async ({ edge }) => {
  const clip = drawClip('s16', 16000, 1, 0.5)
  const wav = toWav(clip, true)
  const listed = new Uint8Array([
    ...wav.subarray(0, 12),
    ...Buffer.from('LIST'),
    4,
    0,
    0,
    0,
    1,
    2,
    3,
    4,
    ...wav.subarray(12),
  ])
  const out = await bytesOf(await post(edge, '', 'audio/x-wav', listed))
  const reader = new WavReader()
  expectSame(new Uint8Array(reader.push(out)), await inNode(clip))
  assert.is(reader.frames, undefined)
})

test('the first samples come out before the last have gone in', async ({ edge }) => {
  const clip = drawClip('s16', 16000, 1, 3)
  const wav = toWav(clip)
  const { body, send } = openBody()
  send.enqueue(wav.subarray(0, 44 + 32000))
  const response = await post(edge, '', 'audio/wav', body)
  const reader = response.body!.getReader()
  const parts: Uint8Array[] = []
  let bytes = 0
  while (bytes < 44 + 20000) {
    const { value } = await reader.read()
    parts.push(value!)
    bytes += value!.length
  }
  send.enqueue(wav.subarray(44 + 32000))
  send.close()
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value)
  expectSame(new Uint8Array(Buffer.concat(parts).subarray(44)), await inNode(clip))
})

test('refusals: 4xx, one line that says what to do', async ({ edge }) => {
  const wav = toWav(drawClip('s16', 16000, 1, 0.1))
  const with48 = (at: number, byte: number) => wav.map((old, i) => (i === at ? byte : old))
  const refused: [number, RegExp, string, string, BodyInit][] = [
    [415, /^content-type, text\/plain; send audio\/wav/, '', 'text/plain', 'hello'],
    [400, /^AUDIO_INVALID: not a WAV file: it begins with/, '', 'audio/wav', 'x'.repeat(100)],
    [400, /^AUDIO_INVALID: no samples: file ends in the WAV header/, '', 'audio/wav', wav.subarray(0, 30)],
    [415, /^FORMAT_UNSUPPORTED: WAV encoding, tag 85, 16 bits/, '', 'audio/wav', with48(20, 85)],
    [422, /^CHANNELS_UNSUPPORTED: channels, 9/, '?channels=9', 'audio/pcm', wav],
    [422, /^RATE_UNSUPPORTED: sample rate, 1 Hz/, '?rate=1', 'audio/pcm', wav],
    [415, /^format, s17; use one of u8/, '?format=s17', 'audio/pcm', wav],
    [400, /^rate, fast; give a number/, '?rate=fast', 'audio/pcm', wav],
    [400, /^model, nano; use one of hq, base, lite/, '?model=nano', 'audio/pcm', wav],
    [400, /^strengthDb, 3; give at most 0/, '?strengthDb=3', 'audio/pcm', wav],
    [400, /^preset, loud; use one of full, gentle, natural/, '?preset=loud', 'audio/pcm', wav],
    [413, /^body too large; send at most 3000000 bytes/, '', 'audio/wav', new Uint8Array(3_000_001)],
  ]
  for (const [status, message, query, type, body] of refused) {
    const response = await post(edge, query, type, body)
    const { error } = (await response.json()) as { error: string }
    assert.match(error, message)
    assert.is(response.status, status, error)
  }
  const get = await edge.fetch('/denoise')
  assert.is(get.status, 405)
  assert.is(get.headers.get('allow'), 'POST')
})

test('who is refused in the middle of an upload may finish it, and goes on over the same connection', async ({
  edge,
}) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (path: string, headers: OutgoingHttpHeaders = {}, body?: Uint8Array) =>
    new Promise<[number | undefined, boolean]>((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST'
      const asked = request(edge.url(path), { agent, method, headers }, (answer: IncomingMessage) => {
        answer.resume().on('end', () => resolve([answer.statusCode, asked.reusedSocket]))
      })
      asked.on('error', reject).end(body)
    })
  const wav = toWav({ ...drawClip('s16', 16000, 9, 0.1), bytes: new Uint8Array(2_700_000) })
  assert.equal(await ask('/denoise', { 'content-type': 'audio/wav' }, wav), [422, false])
  assert.equal(await ask('/healthz'), [200, true])
  agent.destroy()
})

test('a body that grows beyond the limit on its way is cut off', async ({ edge }) => {
  const pieces = 100 // 6.5 MB
  let given = 0
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (given++ === pieces) controller.close()
      else controller.enqueue(new Uint8Array(1 << 16))
    },
  })
  const read = async (response: Response) => (await response.arrayBuffer()).byteLength
  // how the end shows depends on what lies between: an error, or an answer that is too short
  const bytes = await post(edge, '', 'audio/pcm', body)
    .then(read)
    .catch(() => 0)
  assert.ok(bytes <= 3_000_000, `${bytes} bytes`)
})

test('an upload that stops is answered with 408, and others go on', async ({ edge }) => {
  const wav = toWav(drawClip('s16', 16000, 1, 0.5))
  const [stalled, clean] = await Promise.all([
    raw(edge, ['POST /denoise HTTP/1.1', 'Content-Type: audio/wav', 'Content-Length: 100000'], wav.subarray(0, 20)),
    post(edge, '', 'audio/wav', wav).then(bytesOf),
  ])
  assert.match(stalled, /^HTTP\/1.1 408 /)
  assert.match(stalled, /no bytes for 300 ms; send the body without a pause/)
  assert.is(clean.length, wav.length)
})

/** A request as bytes, left open; what is answered within a while. */
function raw(edge: Edge, lines: readonly string[], body: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(edge.url('/'))
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${[...lines, `Host: ${hostname}`, 'Connection: close'].join('\r\n')}\r\n\r\n`)
      socket.write(body)
    })
    let answer = ''
    socket.on('data', (data) => {
      answer += data
      if (answer.includes('}')) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}

test('more uploads at once than allowed: 429, until one of them is over', async ({ edge }) => {
  const wav = toWav(drawClip('s16', 16000, 1, 0.2))
  const open = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { body, send } = openBody()
      send.enqueue(wav)
      return { response: await post(edge, '', 'audio/pcm', body), send }
    }),
  )
  const refused = await post(edge, '', 'audio/wav', wav)
  assert.is(refused.status, 429)
  assert.is(refused.headers.get('retry-after'), '5')
  for (const { send } of open) send.close()
  for (const { response } of open) assert.is((await bytesOf(response)).length, wav.length)
  assert.is((await post(edge, '', 'audio/wav', wav).then(bytesOf)).length, wav.length)
})

test('clients that go away in the middle make room for others in time', async ({ edge }) => {
  const wav = toWav(drawClip('s16', 16000, 1, 0.2))
  for (let i = 0; i < 4; i++) {
    const stop = new AbortController()
    const { body, send } = openBody()
    send.enqueue(wav)
    const headers = { 'content-type': 'audio/pcm' }
    const options = { method: 'POST', headers, body, duplex: 'half', signal: stop.signal } as RequestInit
    assert.is((await edge.fetch('/denoise', options)).status, 200)
    stop.abort()
  }
  await new Promise((resolve) => setTimeout(resolve, 1000)) // three idle times
  assert.is((await post(edge, '', 'audio/wav', wav).then(bytesOf)).length, wav.length)
})

test.run()
