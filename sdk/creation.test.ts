// How a denoiser comes into being: model and core from every source, downloads with progress, abort and damage, sharing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawSamples } from '../tests/golden/signal.ts'
import { type AttenuateError, Denoiser, type DenoiserOptions, loadModel, ParsedModel } from './index.ts'

const modelPath = fileURLToPath(new URL('../models/lite.ssm', import.meta.url))
const corePath = fileURLToPath(new URL('../build/core.simd.wasm', import.meta.url))
const modelBytes = new Uint8Array(readFileSync(modelPath))
const coreBytes = new Uint8Array(readFileSync(corePath))
const samples = drawSamples(3000, 7, 0.2)
const PIECES = 10

let server: Server
let origin = ''
let requests: string[] = []

const answer: RequestListener = (request, response) => {
  requests.push(request.url!)
  if (request.url === '/lite.ssm') send(modelBytes, true)
  else if (request.url === '/unsized.ssm') send(modelBytes, false)
  else if (request.url === '/damaged.ssm')
    send(
      modelBytes.map((byte, i) => (i === 40_000 ? byte ^ 1 : byte)),
      true,
    )
  else if (request.url === '/short.ssm') send(modelBytes.subarray(0, 50_000), true)
  else if (request.url!.startsWith('/core.wasm')) send(coreBytes, true)
  else if (request.url === '/endless.ssm')
    response.write('x') // and never more
  else if (request.url === '/cut.ssm') {
    response.writeHead(200, { 'content-length': modelBytes.length })
    response.write(modelBytes.subarray(0, 1000), () => response.destroy())
  } else response.writeHead(404).end()

  function send(bytes: Uint8Array, sized: boolean) {
    if (sized) response.writeHead(200, { 'content-length': bytes.length })
    const size = Math.ceil(bytes.length / PIECES)
    const next = (at: number) => {
      if (at >= bytes.length) response.end()
      else response.write(bytes.subarray(at, at + size), () => setImmediate(next, at + size))
    }
    next(0)
  }
}

test.before(async () => {
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

test.before.each(() => {
  requests = []
})

test.after(() => {
  server.closeAllConnections()
  server.close()
})

/** The first hops, as bits. */
async function voiceOf(options: DenoiserOptions): Promise<string> {
  const denoiser = await Denoiser.create(options)
  const out = denoiser.process(samples)
  denoiser.dispose()
  return Buffer.from(out.buffer).toString('base64')
}

async function refusalOf(work: Promise<unknown>): Promise<AttenuateError> {
  return work.then(
    () => assert.unreachable('accepted'),
    (error) => error,
  )
}

test('a model by name, URL, path, bytes and parsed is the same model', async () => {
  const expected = await voiceOf({ model: 'lite' })
  const sources = {
    path: modelPath,
    'file URL': pathToFileURL(modelPath),
    'http URL': new URL(`${origin}/lite.ssm`),
    'http URL as text': `${origin}/lite.ssm`,
    bytes: modelBytes,
    ArrayBuffer: modelBytes.slice().buffer,
    'a view inside a buffer': new Uint8Array(Buffer.concat([Uint8Array.of(1, 2, 3), modelBytes])).subarray(3),
    Blob: new Blob([modelBytes]),
    Response: await fetch(`${origin}/lite.ssm`),
    parsed: ParsedModel.parse(modelBytes),
    loaded: await loadModel('lite'),
  }
  for (const [name, model] of Object.entries(sources)) assert.is(await voiceOf({ model }), expected, name)
})

test('a core by module, bytes, URL and path is the same core', async () => {
  const expected = await voiceOf({ model: 'lite' })
  const sources = {
    module: new WebAssembly.Module(coreBytes),
    bytes: coreBytes,
    ArrayBuffer: coreBytes.slice().buffer,
    path: corePath,
    'file URL': pathToFileURL(corePath),
    'http URL': `${origin}/core.wasm`,
  }
  for (const [name, wasm] of Object.entries(sources)) assert.is(await voiceOf({ model: 'lite', wasm }), expected, name)
})

test('all streams of one core and model share memory; each adds its state', async () => {
  const sources: DenoiserOptions[] = [
    {},
    { wasm: new WebAssembly.Module(coreBytes) },
    { wasm: coreBytes },
    { wasm: `${origin}/core.wasm?fresh` },
  ]
  for (const options of sources) {
    const first = await Denoiser.create({ model: 'lite', ...options })
    const alone = first.stats().memoryBytes
    const others = await Promise.all(
      [modelBytes, 'lite', await loadModel(modelPath)].map((model) => Denoiser.create({ model, ...options })),
    )
    const state = Math.ceil(first.model.stateBytes / 64) * 64
    assert.is(first.stats().memoryBytes, alone + 3 * state)
    for (const denoiser of [first, ...others]) denoiser.dispose()
  }
  assert.equal(requests, ['/core.wasm?fresh'])
})

test('a download reports its progress, with the total where it is known', async () => {
  for (const path of ['lite', 'unsized']) {
    const reports: [number, number | undefined][] = []
    const model = `${origin}/${path}.ssm`
    const denoiser = await Denoiser.create({ model, onProgress: (loaded, total) => reports.push([loaded, total]) })
    assert.ok(reports.length > 1)
    assert.is(reports.at(-1)![0], modelBytes.length)
    for (const [i, [loaded, total]] of reports.entries()) {
      assert.ok(loaded > (reports[i - 1]?.[0] ?? 0))
      assert.is(total, path === 'lite' ? modelBytes.length : undefined)
    }
    denoiser.dispose()
  }
})

test('an abort ends a download at once and closes the connection', async () => {
  const reason = new Error('changed my mind')
  const controller = new AbortController()
  const closed = new Promise((resolve) => server.once('request', (request) => request.once('close', resolve)))
  const creation = Denoiser.create({ model: `${origin}/endless.ssm`, signal: controller.signal })
  setTimeout(() => controller.abort(reason), 50)
  assert.is(await refusalOf(creation), reason)
  await closed
})

test('an abort of one does not touch another who waits for the same core', async () => {
  const controller = new AbortController()
  const wasm = `${origin}/core.wasm` // the query makes it a core not fetched yet
  const first = Denoiser.create({ model: 'lite', wasm: new URL(`${wasm}?again`), signal: controller.signal })
  const second = Denoiser.create({ model: 'lite', wasm: new URL(`${wasm}?again`) })
  controller.abort(new Error('not me'))
  assert.is((await refusalOf(first)).message, 'not me')
  ;(await second).dispose()
})

test('an abort after creation changes nothing', async () => {
  const controller = new AbortController()
  const denoiser = await Denoiser.create({ model: 'lite', signal: controller.signal })
  controller.abort()
  assert.is(denoiser.process(samples).length, denoiser.stats().samplesOut)
  denoiser.dispose()
})

test('what does not arrive or is not the model: documented errors', async () => {
  const refused: [DenoiserOptions, string, RegExp][] = [
    [{ model: `${origin}/nothing.ssm` }, 'LOAD_FAILED', /HTTP status 404, .*nothing\.ssm/],
    [{ model: `${origin}/cut.ssm` }, 'LOAD_FAILED', /cut\.ssm/],
    [{ model: 'http://127.0.0.1:1/x.ssm' }, 'LOAD_FAILED', /no answer/],
    [{ model: '/nowhere/x.ssm' }, 'LOAD_FAILED', /ENOENT.*nowhere/],
    [{ model: `${origin}/damaged.ssm` }, 'MODEL_HASH', /SHA-256/],
    [{ model: `${origin}/short.ssm` }, 'MODEL_TRUNCATED', /cut short/],
    [{ model: 'lite', sha256: '0'.repeat(64) }, 'MODEL_HASH', /not the expected one/],
    [{ model: 'lite', sha256: 'abc' }, 'OPTION_INVALID', /64 hexadecimal/],
    [{ model: 'lite', wasm: `${origin}/nothing.wasm` }, 'LOAD_FAILED', /404/],
    [{ model: 'lite', wasm: '/nowhere/core.wasm' }, 'LOAD_FAILED', /ENOENT/],
    [{ model: 'lite', wasm: 7 as never }, 'OPTION_INVALID', /wasm, number/],
    [{ model: 'lite', wasm: new Uint8Array([1, 2]) }, 'ENVIRONMENT_UNSUPPORTED', /cannot be compiled/],
  ]
  for (const [options, code, message] of refused) {
    const error = await refusalOf(Denoiser.create(options))
    assert.is(error.code, code, `${error}`)
    assert.match(error.message, message)
  }
})

test('the expected SHA-256 is accepted in any case of letters', async () => {
  const { model } = await loadModel('lite')
  for (const sha256 of [model.sha256, model.sha256.toUpperCase()])
    (await Denoiser.create({ model: `${origin}/lite.ssm`, sha256 })).dispose()
})

test('a parsed model cannot be changed from outside', async () => {
  for (const bytes of [modelBytes.slice(), Buffer.from(modelBytes)]) {
    const model = ParsedModel.parse(bytes)
    const expected = await voiceOf({ model })
    bytes.fill(0)
    model.toBytes().fill(0)
    assert.is(await voiceOf({ model }), expected)
  }
})

test('10,000 lives by create leave memory as it was', async () => {
  const keeper = await Denoiser.create({ model: 'lite' })
  const { memoryBytes } = keeper.stats()
  for (let i = 0; i < 10_000; i++) {
    using denoiser = await Denoiser.create({ model: 'lite' })
    if (i % 1000 === 0) assert.ok(denoiser.stats().memoryBytes > memoryBytes)
  }
  assert.is(keeper.stats().memoryBytes, memoryBytes)
  keeper.dispose()
})

test('using and await using dispose', async () => {
  let kept: Denoiser
  {
    await using denoiser = await Denoiser.create({ model: 'lite' })
    kept = denoiser
  }
  assert.throws(() => kept.process(samples), /DISPOSED/)
})

test('a bundle for Node, away from the files of the package: says what to do; given them, it runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
  try {
    const outfile = join(folder, 'app.mjs')
    const entry = fileURLToPath(new URL('index.ts', import.meta.url))
    await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'error' })
    const bundled: typeof import('./index.ts') = await import(pathToFileURL(outfile).href)
    await bundled.Denoiser.create().then(
      () => assert.unreachable(),
      ({ message }) => assert.match(message, /^LOAD_FAILED: .* \(ENOENT\), .*; .*in a bundle leave attenuate-edge ext/),
    )
    using denoiser = await bundled.Denoiser.create({ model: modelPath, wasm: corePath })
    assert.ok(denoiser.process(samples).length > 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
