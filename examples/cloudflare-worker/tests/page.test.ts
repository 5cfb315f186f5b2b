// The page in real Chromium: the spectrogram of a live stream moves, the counters count, nothing is logged as an error.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openBrowser, openPage } from '../../../tests/browser/site.ts'
import { Edge } from './edge.ts'
import { drawPackets, inMessages } from './reference.ts'

const TOKEN = 'secret'
const test = suite<{ edge: Edge }>('page')

test.before(async (context) => {
  context.edge = await Edge.start({ TOKEN })
})
test.after(({ edge }) => edge.stop())

test('a live stream: spectrogram, counters, the end', async ({ edge }) => {
  const browser = await openBrowser()
  try {
    const page = await openPage(browser, edge.url('/'))
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.fill('#name', 'shown')
    await page.fill('#token', TOKEN)
    await page.click('text=connect')
    await page.locator('#state', { hasText: 'nobody sends' }).waitFor()
    const sender = edge.sender('shown', { token: TOKEN })
    for (const message of inMessages(drawPackets(300, 2), 8)) sender.push(message)
    sender.end()
    await sender.ended
    await page.locator('#state', { hasText: 'ended' }).waitFor()
    const shown = (await page.evaluate(() => {
      const items = [...document.querySelectorAll('#counters div')]
      return Object.fromEntries(items.map((item) => [...item.children].map(({ textContent }) => textContent)))
    })) as Record<string, string>
    assert.is(shown.time, '0:04.8')
    assert.is(shown.received, '300')
    assert.is(shown['missed here'], '0')
    const { drawn, empty } = await page.evaluate(() => {
      const canvas = document.querySelector('canvas')!
      const brightness = (x: number, width: number) => {
        const { data } = canvas.getContext('2d')!.getImageData(x, 0, width, canvas.height)
        return data.reduce((sum, value, i) => sum + (i % 4 === 3 ? 0 : value), 0) / (width * canvas.height)
      }
      return { drawn: brightness(450, 300), empty: brightness(0, 440) }
    })
    assert.ok(drawn > empty + 20, `300 columns of sound ${drawn}, nothing before them ${empty}`)
    assert.equal(errors, [])
  } finally {
    await browser.close()
  }
})

test.run()
