// The shipped models, compiled to int8 weights, rounded for least error on the bundled clip. In: models/*.safetensors. Out:
// models/*.ssm beside them; the same files as dist/models/*.bin, as the package ships them; and in build/models what each was
// made from: the same checkpoint, clip and compiler give the same file, so it is not made again.

import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { readCheckpoint } from '../quantize/checkpoint.ts'
import { compileWithin } from '../quantize/compile.ts'
import { bundledClip, readCalibration } from '../sdk/cli/calibration.ts'

const folder = new URL('../models/', import.meta.url)
const records = new URL('../build/models/', import.meta.url)
/** One name for every runtime: Wrangler takes `.bin` for binary modules without being told, `.ssm` it would not know. */
const shipped = new URL('../dist/models/', import.meta.url)
const compiler = await bundleCompiler()

mkdirSync(records, { recursive: true })
mkdirSync(shipped, { recursive: true })
for (const file of readdirSync(folder).filter((name) => name.endsWith('.safetensors'))) {
  const name = file.replace(/safetensors$/, 'ssm')
  const [target, record] = [new URL(name, folder), new URL(`${name}.origin`, records)]
  const bytes = readFileSync(new URL(file, folder))
  const origin = hash(process.version, compiler, readFileSync(bundledClip()), bytes)
  if (!isMade(target, record, origin)) {
    const model = await compileModel(bytes)
    writeFileSync(target, model)
    writeFileSync(record, note(origin, model))
    console.log(`models/${name} ${model.length} bytes`)
  }
  copyFileSync(target, new URL(name.replace(/ssm$/, 'bin'), shipped))
}

async function compileModel(bytes: Uint8Array): Promise<Uint8Array> {
  const checkpoint = readCheckpoint(bytes)
  const calibration = await readCalibration(bundledClip(), checkpoint.graph.input.rate)
  return compileWithin(checkpoint, { format: 'int8', calibration }).bytes
}

/** This file with all that it imports, libraries too. */
async function bundleCompiler(): Promise<Uint8Array> {
  const self = fileURLToPath(import.meta.url)
  const { outputFiles } = await build({
    entryPoints: [self],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
  })
  return outputFiles[0].contents
}

function isMade(target: URL, record: URL, origin: string): boolean {
  return existsSync(target) && existsSync(record) && readFileSync(record, 'utf8') === note(origin, readFileSync(target))
}

function note(origin: string, model: Uint8Array): string {
  return `${origin} ${hash(model)}\n`
}

function hash(...parts: readonly (string | Uint8Array)[]): string {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part)
  return sum.digest('hex')
}
