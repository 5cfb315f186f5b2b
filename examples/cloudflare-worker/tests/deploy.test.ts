// What `wrangler deploy` would do, without an account: it passes, and what it would upload fits.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bundleWorker } from '../../../tests/workerd/bundle.ts'
import { CONFIG } from './edge.ts'

/** Of the free plan, after compression. */
const MOST_GZIP_BYTES = 3 << 20

test('wrangler deploy --dry-run', async () => {
  const { report, modules, gzipBytes } = await bundleWorker('examples/cloudflare-worker/src/index.ts', ['-c', CONFIG])
  assert.match(report, /--dry-run: exiting now/)
  assert.match(report, /env\.STREAMS \(Stream\)\s+Durable Object/)
  assert.match(report, /env\.CENSUS \(Census\)\s+Durable Object/)
  assert.not.match(report, /warning/i)
  const kinds = modules.map(({ type }) => type).sort()
  assert.equal(kinds, ['CompiledWasm', 'Data', 'Data', 'Data', 'Data', 'ESModule', 'Text'])
  console.log(`${gzipBytes} bytes compressed`)
  assert.ok(gzipBytes < MOST_GZIP_BYTES / 4, `${gzipBytes} bytes`)
  const script = new TextDecoder().decode(modules[0].contents)
  assert.not.match(script, /from "node:|require\(/, 'no API of Node')
})

test.run()
