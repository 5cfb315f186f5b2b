// What QEMU counts of Node: node hops.mjs MODEL... In: names of shipped models. All hear noise in turn until the engine has settled;
// then HOPS hops of each, one per call, lie between two calls of umask, which the counter (counter.c) takes for marks.

import { Denoiser } from '../../dist/sdk/index.js'

const ROUNDS = 3
const WARM_UP = 200
const HOPS = 100
let seed = 1

function hear({ denoiser, noisy, clean }, hops) {
  for (let hop = 0; hop < hops; hop++) {
    for (let i = 0; i < noisy.length; i++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0
      noisy[i] = seed / 2 ** 33
    }
    denoiser.processInto(noisy, clean)
  }
}

const streams = []
for (const model of process.argv.slice(2)) {
  const denoiser = await Denoiser.create({ model })
  const { inputHop, outputHop } = denoiser.model
  streams.push({ denoiser, noisy: new Float32Array(inputHop), clean: new Float32Array(2 * outputHop) })
}
for (let round = 0; round < ROUNDS; round++) for (const stream of streams) hear(stream, WARM_UP)
for (const stream of streams) {
  process.umask(0o22)
  hear(stream, HOPS)
  process.umask(0o22)
}
