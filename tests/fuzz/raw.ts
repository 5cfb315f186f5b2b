// Samples without a header: what `--raw` is given, and bytes cut anywhere. In: random numbers. Out: a line, then bytes in its
// format, for parseRaw and SampleBytes: pieces must say what the whole says, and what is encoded again is what was there.

import { parseRaw, RAW_FORMATS } from '../../sdk/cli/raw.ts'
import { sampleBytes } from '../../sdk/pcm.ts'
import { SampleBytes } from '../../sdk/samples.ts'
import { promise, type Target } from './campaign.ts'
import { below, choose, damage, disturb, drawSize, happens, joined } from './mutation.ts'

const NEW_LINE = 10
const SEPARATORS = [',', ',', ',', ', ', ' ', ',,', ';']

export const raw: Target = {
  name: 'raw',
  codes: ['OPTION_INVALID', 'FORMAT_UNSUPPORTED', 'RATE_UNSUPPORTED', 'CHANNELS_UNSUPPORTED', 'AUDIO_INVALID'],
  draw(random) {
    const parts = [
      choose(random, [...Object.keys(RAW_FORMATS), 's16', 's16be', '__proto__', 'S16LE']),
      happens(random, 0.8) ? choose(random, [4000, 16000, 48000, 192000]) : disturb(random, 16000),
      ...(happens(random, 0.5) ? [happens(random, 0.8) ? 1 + below(random, 8) : disturb(random, 2)] : []),
    ]
    const line = new TextEncoder().encode(`${parts.join(happens(random, 0.9) ? ',' : choose(random, SEPARATORS))}\n`)
    const bytes = new Uint8Array(drawSize(random, 600) + 1).map(() => below(random, 256))
    return joined(happens(random, 0.3) ? damage(random, line) : line, bytes)
  },
  parse(bytes, random) {
    const end = bytes.indexOf(NEW_LINE)
    const { sampleFormat, channels } = parseRaw(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))))
    const data = bytes.subarray(end + 1)
    const frameBytes = channels * sampleBytes(sampleFormat)
    const whole = new SampleBytes(sampleFormat, channels).decode(data)
    promise(whole.length === channels * Math.floor(data.length / frameBytes), 'whole frames')
    const reader = new SampleBytes(sampleFormat, channels)
    const pieces: number[] = []
    for (let at = 0; at < data.length; ) {
      const count = 1 + below(random, 50)
      pieces.push(...reader.decode(data.subarray(at, at + count)))
      at += count
    }
    promise(
      pieces.length === whole.length && pieces.every((x, i) => Object.is(x, whole[i])),
      'pieces give what the whole gives',
    )
    if (whole.every((x) => Math.abs(x) <= 1)) {
      const again = new SampleBytes(sampleFormat, channels)
      const back = again.decode(again.encode(whole))
      promise(
        back.every((x, i) => x === whole[i]),
        'what is encoded again is what was there',
      )
    }
    reader.end()
  },
}
