// The other process of sdk/snapshot.test.ts. In: standard input, a snapshot's length (u32) and bytes, then f32 samples;
// argument: the model. Out: on standard output the rest of the stream, f32.

import { readFileSync, writeSync } from 'node:fs'
import { Denoiser } from '../sdk/index.ts'

const input = new Uint8Array(readFileSync(0)) // a copy: aligned
const length = new DataView(input.buffer).getUint32(0, true)
const samples = new Float32Array(input.slice(4 + length).buffer)
const denoiser = await Denoiser.create({ model: process.argv[2] })
denoiser.restore(input.subarray(4, 4 + length))
for (const part of [denoiser.process(samples), denoiser.flush()]) {
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
