// The same bits everywhere: every model on the SIMD and the scalar core, at three rates, in several Nodes, on ARM64 and ARMv7
// (QEMU) and in Chromium, against this Node. The relaxed build is left out: it may round otherwise, and nothing loads it unasked.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openSite } from '../browser/site.ts'
import { drawSamples } from '../golden/signal.ts'
import { ensureEngines } from './engines.ts'

const SAMPLES = 24_000
const call = promisify(execFile)
const script = fileURLToPath(new URL('node.js', import.meta.url))

interface Print {
  readonly arch: string
  readonly version: string
  /** SHA-256 of the core. */
  readonly simd: string
  readonly prints: Readonly<Record<string, string>>
}

const folder = mkdtempSync(join(tmpdir(), 'engines-'))
const file = join(folder, 'samples.f32')
const samples = drawSamples(SAMPLES, 1000, 0.3)
writeFileSync(file, new Uint8Array(samples.buffer))

const test = suite<{ expected: Print }>('engines')
test.before(async (context) => {
  context.expected = await printOf([process.execPath])
})
test.after(() => rmSync(folder, { recursive: true }))

async function printOf([program, ...args]: readonly string[]): Promise<Print> {
  const { stdout } = await call(program, [...args, script, file], { maxBuffer: 1 << 20 })
  return JSON.parse(stdout) as Print
}

test('the outputs differ from one another', ({ expected }) => {
  const { prints } = expected
  // rates, models: all but the two cores
  assert.is(Object.keys(prints).length, 14)
  assert.is(new Set(Object.values(prints)).size, 10)
})

for (const { name, emulator, program } of ensureEngines()) {
  test(name, async ({ expected }) => {
    const { arch, version, simd, prints } = await printOf([...emulator, program])
    console.log(`${name}: ${version} ${arch}, core ${simd.slice(0, 16)}`)
    assert.equal(prints, expected.prints)
  })
}

test('Chromium', async ({ expected }) => {
  const { page, close } = await openSite()
  try {
    const prints = await page.evaluate(
      async ({ numbers }) => {
        const sdk = await import('attenuate-edge' as string)
        const { fingerprint } = await import('/tests/engines/fingerprint.js' as string)
        const compile = async (core: string) => WebAssembly.compileStreaming(fetch(`/build/core.${core}.wasm`))
        const hash = async (bytes: Uint8Array<ArrayBuffer>) =>
          Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) =>
            byte.toString(16).padStart(2, '0'),
          ).join('')
        const cores = { simd: await compile('simd'), scalar: await compile('scalar') }
        return fingerprint(sdk, Float32Array.from(numbers), cores, hash) as Promise<Record<string, string>>
      },
      { numbers: [...samples] },
    )
    assert.equal(prints, expected.prints)
  } finally {
    await close()
  }
})

test.run()
