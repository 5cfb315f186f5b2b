// The worst render quantum of a worklet, with a hop run at once and spread over quanta. In: nothing, or names of models. Out: a
// table: time of the worst and the average quantum, the worst against running at once, and the latency that it costs. Every
// quantum is the fastest of many rounds over the same samples, so that what the machine does meanwhile does not count.

import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { Denoiser } from '../sdk/denoiser.ts'
import { nodeHost } from '../sdk/host.node.ts'
import { prepareParts } from '../sdk/preparation.ts'
import { chooseSpread, Quanta } from '../sdk/worklet/quanta.ts'
import { drawSamples } from '../tests/golden/signal.ts'

setFlagsFromString('--no-liftoff')
const RATE = 48_000
const QUANTUM = 128
const SECONDS = 0.5
const ROUNDS = 60
const MODELS = ['lite', 'base', 'hq']

interface Cost {
  readonly worstUs: number
  readonly meanUs: number
  readonly latencySamples: number
}

async function measure(model: string, channels: number, spreadQuanta: number): Promise<Cost> {
  const parts = await prepareParts(nodeHost, { model, channels, sampleRate: RATE, outputRate: RATE })
  const spreadSamples = chooseSpread(parts.program.model, RATE, QUANTUM, spreadQuanta)
  using denoiser = new Denoiser({ ...parts, spreadSamples })
  const quanta = new Quanta(denoiser, QUANTUM)
  const planes = Array.from({ length: channels }, (_, c) => drawSamples(RATE * SECONDS, 1 + c, 0.1))
  const output = planes.map(() => new Float32Array(QUANTUM))
  const pieces = Math.floor((RATE * SECONDS) / QUANTUM)
  const inputs = Array.from({ length: pieces }, (_, i) =>
    planes.map((plane) => plane.subarray(i * QUANTUM, (i + 1) * QUANTUM)),
  )
  const best = new Float64Array(pieces).fill(Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round++) {
    quanta.reset()
    for (let i = 0; i < pieces; i++) {
      const started = performance.now()
      quanta.process(inputs[i], output)
      best[i] = Math.min(best[i], performance.now() - started)
    }
  }
  const worstUs = 1000 * Math.max(...best)
  const meanUs = (1000 * best.reduce((sum, ms) => sum + ms, 0)) / pieces
  return { worstUs, meanUs, latencySamples: quanta.latencySamples }
}

const program = new Command('npm run bench:quanta --').argument('[models...]', 'names or files', MODELS).parse()
const [models] = program.processedArgs as [string[]]
console.log(`${RATE} Hz, quanta of ${QUANTUM} samples: ${((1000 * QUANTUM) / RATE).toFixed(2)} ms`)
console.log('model  channels  spread  worst us  mean us  worst / at once  latency ms')
for (const model of models)
  for (const channels of [1, 2]) {
    let atOnceUs = 0
    for (const spreadQuanta of [1, 2, 3, 6]) {
      const { worstUs, meanUs, latencySamples } = await measure(model, channels, spreadQuanta)
      if (spreadQuanta === 1) atOnceUs = worstUs
      const cells = [
        model.padEnd(5),
        String(channels).padStart(9),
        String(spreadQuanta).padStart(7),
        worstUs.toFixed(1).padStart(9),
        meanUs.toFixed(1).padStart(8),
        (worstUs / atOnceUs).toFixed(2).padStart(16),
        ((1000 * latencySamples) / RATE).toFixed(1).padStart(11),
      ]
      console.log(cells.join(' '))
    }
  }
