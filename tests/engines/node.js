// One Node, of any version and architecture: node node.js SAMPLES. In: f32 samples. Out: who it is and its fingerprint, JSON.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as sdk from '../../dist/sdk/index.js'
import { fingerprint } from './fingerprint.js'

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex')
const read = (core) => readFileSync(new URL(`../../build/core.${core}.wasm`, import.meta.url))
const bytes = readFileSync(process.argv[2])
const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
const cores = { simd: new WebAssembly.Module(read('simd')), scalar: new WebAssembly.Module(read('scalar')) }
const prints = await fingerprint(sdk, samples, cores, hash)
console.log(JSON.stringify({ arch: process.arch, version: process.version, simd: hash(read('simd')), prints }))
