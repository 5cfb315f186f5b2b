// `npm run demo:page`: builds the page and serves it on this machine. In: --port N (default: a free one). Out: the address, on
// standard output; Ctrl+C ends it.

import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildPage } from './build.mjs'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
}
const HEADERS = {
  // nothing from elsewhere; WebAssembly is all that is asked for beyond the page's own files
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self'",
  // isolated pages have a clock of 5 us, others one of 100
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
}
const USAGE = 'npm run demo:page [-- --port N]    the demo page on http://localhost:N; default: a free port'

/** Resolves with the address and a way to end. */
export async function servePage(folder, port = 0) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    const file = join(folder, path === '/' ? 'index.html' : path)
    if (!file.startsWith(folder) || !existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end()
    response.writeHead(200, { ...HEADERS, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { address: `http://localhost:${server.address().port}/`, close }
}

function readPort() {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '0' }, help: { type: 'boolean' } } })
  if (values.help) {
    console.log(USAGE)
    process.exit(0)
  }
  const port = Number(values.port)
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new Error(`--port ${values.port}: use 0..65535`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const port = readPort()
    const { address, close } = await servePage(await buildPage(), port)
    console.log(`${address}    (Ctrl+C ends)`)
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.once(signal, async () => {
        await close()
        process.exit(0)
      })
  } catch (error) {
    console.error(error.code === 'EADDRINUSE' ? `the port is taken: ${error.port}. ${USAGE}` : error.message)
    process.exit(1)
  }
}
