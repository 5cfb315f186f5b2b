// The test client with orders that make no sense: one line says what is wrong.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocketServer } from 'ws'
import { encodeWavHeader } from '../../../sdk/wav.ts'
import { CLOSE, SUBPROTOCOL } from './protocol.ts'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const clip = path('../../clip/noisy.wav')
const folder = mkdtempSync(join(tmpdir(), 'client-'))
copyFileSync(clip, join(folder, 'out.wav'))
test.after(() => rmSync(folder, { recursive: true }))

test('refused', () => {
  for (const [args, message] of [
    [['none.wav', 'ws://127.0.0.1:9/stream/x'], /none\.wav/],
    [[path('main.ts'), 'ws://127.0.0.1:9/stream/x'], /^AUDIO_INVALID: not a WAV file/],
    [[clip, 'no address'], /^Invalid URL/],
    [['out.wav', 'ws://127.0.0.1:9/stream/x'], /^out\.wav is the input; name another file$/],
    [[clip, 'ws://127.0.0.1:9/stream/x', '--packets', '1.5'], /'--packets <count>' .* Use 1\.\.64\./],
  ] as [string[], RegExp][]) {
    const [input, url, ...others] = args
    const order = ['--import', import.meta.resolve('tsx'), path('main.ts'), input, 'out.wav', '--url', url, ...others]
    const { status, stderr } = spawnSync(process.execPath, order, { encoding: 'utf8', cwd: folder })
    assert.is(status, 1)
    assert.match(stderr.trim(), message)
    assert.not.match(stderr.trim(), '\n')
  }
})

test('a sender that is refused stops at once, however much it has left', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => SUBPROTOCOL })
  server.on('connection', (socket) => socket.close(CLOSE.replaced, 'another sender took over'))
  await once(server, 'listening')
  const long = join(folder, 'long.wav')
  // more than the 512 messages that are kept
  const bytes = 2 * 256 * 600
  const header = encodeWavHeader({ sampleFormat: 's16', sampleRate: 16000, channels: 1 }, bytes)
  writeFileSync(long, Buffer.concat([header, Buffer.alloc(bytes)]))
  const { port } = server.address() as AddressInfo
  const url = `ws://127.0.0.1:${port}/stream/x`
  const order = [path('main.ts'), long, join(folder, 'clean.wav'), '--url', url, '--packets', '1', '--speed', '0']
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), ...order], { timeout: 15_000 })
  let said = ''
  child.stderr.on('data', (text) => (said += text))
  const [status] = await once(child, 'close')
  server.close()
  assert.is(status, 1, said)
  assert.match(said, /the stream refused this sender: 4409 another sender took over\n$/)
})

test.run()
