// What devices are promised: bytes of the core, bytes of linear memory that a core with one stream of each model takes, whole
// pages, and bytes of every part of the package as README.md tells them. In: the built package, bench/results/sizes.json.

import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { measureSizes, type Size, sizesFile } from '../scripts/sizes.ts'
import { Core } from '../sdk/core.ts'
import { loadModel, MODELS } from '../sdk/index.ts'

const CORE_BYTES = 40_000
const CORE_GZIP_BYTES = 16_000
const MEMORY_BYTES: Readonly<Record<keyof typeof MODELS, number>> = {
  base: 2_000_000,
  lite: 700_000,
  hq: 2_000_000,
  nano: 400_000,
}

/** How far a part may be from what is written, either way: another zlib, another bundler, a line of code. */
const HEADROOM = { share: 0.05, bytes: 100 }

const read = (build: string) => readFileSync(new URL(`../build/core.${build}.wasm`, import.meta.url))

for (const build of ['simd', 'relaxed']) {
  test(`core.${build}.wasm: at most ${CORE_BYTES} bytes, ${CORE_GZIP_BYTES} gzip`, () => {
    const bytes = read(build)
    assert.ok(bytes.length <= CORE_BYTES, `${bytes.length} bytes`)
    const { length } = gzipSync(bytes, { level: 9 })
    assert.ok(length <= CORE_GZIP_BYTES, `${length} bytes gzip`)
  })
}

for (const name of Object.keys(MODELS) as (keyof typeof MODELS)[]) {
  test(`${name}: at most ${MEMORY_BYTES[name]} bytes of memory`, async () => {
    const core = await Core.open(new WebAssembly.Module(read('simd')))
    const program = core.acquireProgram(await loadModel(name))
    core.acquireState(program)
    const { byteLength } = core.memory.buffer
    assert.ok(byteLength <= MEMORY_BYTES[name], `${byteLength} bytes`)
    // no page of it for nothing
    assert.ok(byteLength - core.usedBytes < 3 * 65536, `${core.usedBytes} of ${byteLength} bytes used`)
  })
}

test(`every part of the package: within ${HEADROOM.share * 100} % of what README.md says`, async () => {
  const written = JSON.parse(readFileSync(sizesFile, 'utf8')) as Size[]
  const measured = await measureSizes()
  const key = ({ part, runtime }: Size) => `${part} ${runtime ?? ''}`
  assert.equal(measured.map(key), written.map(key), 'parts differ; run npm run sizes')
  const off = measured.flatMap((size, i) =>
    (['bytes', 'gzip'] as const)
      .filter((unit) => Math.abs(size[unit] - written[i][unit]) > written[i][unit] * HEADROOM.share + HEADROOM.bytes)
      .map((unit) => `${key(size)}: ${size[unit]} ${unit}, was ${written[i][unit]}`),
  )
  assert.is(off.join('\n'), '', 'if that is meant: npm run sizes, npm run tables, and commit both')
})

test.run()
