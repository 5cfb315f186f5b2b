// Hops from chunks: exact counts and alignment, with a runner that delays by its lag as a model would.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRandom } from '../quantize/specimens.ts'
import { type FrameShape, Frames, type HopRunner } from './frames.ts'

/** Repeats each input sample `factor` times, `lag` output samples late; counts what it was told. */
class Echo implements HopRunner {
  readonly calls: string[] = []
  readonly #lines: number[][]
  readonly #factor: number

  constructor({ inputHop, outputHop, lagSamples }: FrameShape, channels = 1) {
    this.#factor = outputHop / inputHop
    this.#lines = Array.from({ length: channels }, () => new Array(lagSamples).fill(-1))
  }

  run(inputs: readonly Float32Array[], outputs: readonly Float32Array[]) {
    this.calls.push('run')
    for (const [c, line] of this.#lines.entries()) {
      for (const sample of inputs[c]) for (let i = 0; i < this.#factor; i++) line.push(sample)
      outputs[c].set(line.splice(0, outputs[c].length))
    }
  }

  end() {
    this.calls.push('end')
  }
}

const SHAPES: FrameShape[] = [
  { inputHop: 128, outputHop: 128, lagSamples: 0, zeroHops: 0, lookaheadHops: 0 },
  { inputHop: 128, outputHop: 128, lagSamples: 128, zeroHops: 1, lookaheadHops: 0 },
  { inputHop: 256, outputHop: 256, lagSamples: 1024, zeroHops: 0, lookaheadHops: 4 },
  { inputHop: 64, outputHop: 256, lagSamples: 300, zeroHops: 1, lookaheadHops: 1 },
  { inputHop: 96, outputHop: 96, lagSamples: 250, zeroHops: 2, lookaheadHops: 1 },
  { inputHop: 128, outputHop: 128, lagSamples: 128, zeroHops: 1, lookaheadHops: 0, spreadSamples: 43 },
  { inputHop: 64, outputHop: 256, lagSamples: 300, zeroHops: 1, lookaheadHops: 1, spreadSamples: 64 },
]
const PLAIN = { first: 0, stride: 1 }

function stretch(shape: FrameShape, samples: Float32Array): number[] {
  return [...samples].flatMap((sample) => new Array(shape.outputHop / shape.inputHop).fill(sample))
}

test('any length, any chunks: as many out as in, in place', () => {
  const random = seedRandom(3)
  for (let round = 0; round < 400; round++) {
    const shape = SHAPES[round % SHAPES.length]
    const frames = new Frames(shape, new Echo(shape))
    const samples = Float32Array.from({ length: Math.floor(random() * 1500) }, () => random())
    const found: number[] = []
    for (let at = 0; at < samples.length; ) {
      const chunk = samples.subarray(at, at + 1 + Math.floor(random() * 400))
      const ready = frames.readyAfter(chunk.length)
      const out = new Float32Array(ready + 3).fill(99)
      assert.is(frames.push(chunk, chunk.length, out, PLAIN), ready, 'readyAfter foretells push')
      assert.equal([...out.subarray(ready)], [99, 99, 99], 'nothing written behind')
      found.push(...out.subarray(0, ready))
      at += chunk.length
    }
    const rest = new Float32Array(frames.pending)
    frames.drain(rest, PLAIN)
    found.push(...rest)
    assert.equal(found, stretch(shape, samples))
    assert.is(frames.pending, 0)
  }
})

test('channels lie side by side', () => {
  const shape = SHAPES[1]
  const lanes = [0, 1, 2].map((first) => ({
    frames: new Frames(shape, new Echo(shape)),
    place: { first, stride: 3 },
  }))
  const samples = Float32Array.from({ length: 3 * 300 }, (_, i) => i)
  const out = new Float32Array(3 * lanes[0].frames.readyAfter(300))
  for (const { frames, place } of lanes) frames.push(samples, 300, out, place)
  const rest = new Float32Array(3 * lanes[0].frames.pending)
  for (const { frames, place } of lanes) frames.drain(rest, place)
  assert.equal([...out, ...rest], [...samples])
})

test('channels in step lie side by side', () => {
  for (const shape of SHAPES) {
    const frames = new Frames(shape, new Echo(shape, 3), 3)
    const samples = Float32Array.from({ length: 3 * 300 }, (_, i) => i)
    const place = { first: 1, stride: 4 }
    const wide = new Float32Array(4 * 300).fill(-5)
    for (let i = 0; i < 300; i++) wide.set(samples.subarray(3 * i, 3 * i + 3), 4 * i + 1)
    const out = new Float32Array(4 * frames.readyAfter(300))
    frames.push(wide, 300, out, place)
    const rest = new Float32Array(4 * frames.pending)
    frames.drain(rest, place)
    const factor = shape.outputHop / shape.inputHop
    const all = [...out, ...rest]
    for (let i = 0; i < 300 * factor; i++)
      assert.equal(all.slice(4 * i, 4 * i + 4), [0, ...samples.subarray(3 * Math.floor(i / factor)).subarray(0, 3)])
  }
})

test('a hop that is spread: an equal part in each call, until its result is due', () => {
  const shape = { inputHop: 12, outputHop: 12, lagSamples: 0, zeroHops: 0, lookaheadHops: 0, spreadSamples: 8 }
  const shares: number[] = []
  const echo = Object.assign(new Echo(shape), { proceed: (_: unknown, share: number) => shares.push(share) })
  const frames = new Frames(shape, echo)
  const ready = [4, 4, 4, 4, 4, 4, 12].map((count) => {
    return frames.push(new Float32Array(count), count, new Float32Array(24), PLAIN)
  })
  assert.equal(ready, [0, 0, 0, 0, 12, 0, 12])
  const percent = shares.map((share) => Math.round(100 * share))
  assert.equal(percent, [38, 77, 38, 63], 'and less in the last, which has more to do')
  assert.equal(echo.calls, ['run', 'run'])
})

test('the end: a whole hop, zeros for the overlap, then the mark, then look-ahead', () => {
  const shape = { inputHop: 8, outputHop: 8, lagSamples: 20, zeroHops: 2, lookaheadHops: 1 }
  const echo = new Echo(shape)
  const frames = new Frames(shape, echo)
  frames.push(new Float32Array(9), 9, new Float32Array(9), PLAIN)
  frames.drain(new Float32Array(frames.pending), PLAIN)
  assert.equal(echo.calls, ['run', 'run', 'run', 'run', 'end', 'run'])
})

test.run()
