// A program outside the repository that uses the installed package, type-checked as its own project. Out: JSON on stdout.
import { type AttenuateError, Denoiser, type Stats } from 'attenuate-edge'

const denoiser = await Denoiser.create({ model: 'lite', sampleRate: 48000 })
const seconds = 1
const input = Float32Array.from({ length: seconds * 48000 }, (_, i) => 0.1 * Math.sin(0.03 * i))
const out = [denoiser.process(input), denoiser.flush()]
const stats: Stats = denoiser.stats()
denoiser.dispose()
let refused = ''
try {
  denoiser.process(input)
} catch (error) {
  refused = (error as AttenuateError).code
}
console.log(
  JSON.stringify({
    samples: out.reduce((sum, { length }) => sum + length, 0),
    samplesIn: stats.samplesIn,
    latencyMs: denoiser.latencyMs,
    refused,
  }),
)
