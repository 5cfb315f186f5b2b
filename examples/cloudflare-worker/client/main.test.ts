// The test client with orders that make no sense: one line says what is wrong.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

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

test.run()
