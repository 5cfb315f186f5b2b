// Input gain: exactly that much louder for the network, exactly taken back: the output of quiet input is the output of loud input,
// quieter; what bypasses the network keeps its bits.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawSamples } from '../tests/golden/signal.ts'
import { play } from './fixture.ts'
import { type AttenuateError, Denoiser } from './index.ts'

test('quiet input with a gain is loud input without one, to the bit', async () => {
  const loud = drawSamples(12_000, 7, 0.2)
  for (const [db, factor] of [
    [6, 2],
    [36, 64],
    [40, 128],
    [60, 1024],
  ])
    for (const options of [
      { model: 'hq' },
      { model: 'base', sampleRate: 48000 },
      { model: 'base', channels: 2, linked: true },
    ]) {
      using plain = await Denoiser.create(options)
      using raised = await Denoiser.create({ ...options, inputGainDb: db })
      const found = play(
        raised,
        loud.map((x) => x / factor),
      )
      if (options.model === 'hq')
        assert.equal(
          found.map((x) => x * factor),
          play(plain, loud),
          `${db} dB`,
        )
      else {
        const expected = play(plain, loud)
        let [signal, rest] = [0, 0]
        for (const [i, x] of expected.entries()) {
          signal += x * x
          rest += (found[i] * factor - x) ** 2
        }
        assert.ok(rest <= 1e-8 * signal, `${db} dB ${JSON.stringify(options)}`)
      }
      raised.strengthDb = 0
      raised.reset()
      assert.equal(play(raised, loud), loud)
    }
})

test('snapshots belong to a gain; impossible ones are refused', async () => {
  using raised = await Denoiser.create({ model: 'lite', inputGainDb: 20 })
  using plain = await Denoiser.create({ model: 'lite' })
  raised.process(drawSamples(999, 7, 0.01))
  using other = raised.sibling()
  other.restore(raised.snapshot())
  assert.equal(other.flush(), raised.flush())
  assert.throws(() => plain.restore(raised.snapshot()), /STATE_INVALID: .*inputGainDb\), 3; restore it where that is 0/)
  for (const inputGainDb of [-1, 61, Number.NaN])
    await Denoiser.create({ inputGainDb }).then(
      () => assert.unreachable(),
      ({ message }: AttenuateError) => assert.match(message, `OPTION_INVALID: inputGainDb, ${inputGainDb}; use 0..60`),
    )
})

test.run()
