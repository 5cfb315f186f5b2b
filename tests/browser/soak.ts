// `npm run soak:worklet`: what the models take of a core; then the marker through the identity model for five minutes at 44.1
// and 48 kHz beside a busy core. In: seconds (default 300). Out: JSON lines; exit code 1 if a sample was wrong.

import { Command } from 'commander'
import { wholeNumber } from '../../scripts/wholeNumber.ts'
import { runMarker } from './marker.ts'
import { measureShares } from './share.ts'
import { openSite } from './site.ts'

const program = new Command('npm run soak:worklet --').argument('[seconds]', 'of sound', wholeNumber, 300).parse()
const [seconds] = program.processedArgs as [number]
const site = await openSite()
try {
  for (const share of await measureShares(site.page, ['lite', 'base', 'hq'])) console.log(JSON.stringify(share))
  const results = await runMarker(site.page, { seconds, rates: [44100, 48000], channels: 2, busyWorkers: 1 })
  for (const result of results) console.log(JSON.stringify(result))
  process.exitCode = results.every(({ wrong, underruns }) => wrong === 0 && underruns === 0) ? 0 : 1
} finally {
  await site.close()
}
