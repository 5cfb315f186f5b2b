// The test client with orders that make no sense: one line says what is wrong.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const clip = path('../../clip/noisy.wav')

test('refused', () => {
  for (const [args, message] of [
    [['none.wav', 'ws://127.0.0.1:9/stream/x'], /none\.wav/],
    [[path('main.ts'), 'ws://127.0.0.1:9/stream/x'], /^AUDIO_INVALID: not a WAV file/],
    [[clip, 'no address'], /^Invalid URL/],
    [[clip, 'ws://127.0.0.1:9/stream/x', '--packets', '1.5'], /'--packets <count>' .* Use 1\.\.64\./],
  ] as [string[], RegExp][]) {
    const [input, url, ...others] = args
    const order = ['--import', 'tsx', path('main.ts'), input, 'out.wav', '--url', url, ...others]
    const { status, stderr } = spawnSync(process.execPath, order, { encoding: 'utf8' })
    assert.is(status, 1)
    assert.match(stderr.trim(), message)
    assert.not.match(stderr.trim(), '\n')
  }
})

test.run()
