// The shipped models, compiled to int8 weights, rounded for least error on the bundled clip. In: models/*.safetensors. Out:
// models/*.ssm beside them, where missing or different.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readCheckpoint } from '../quantize/checkpoint.ts'
import { compileWithin } from '../quantize/compile.ts'
import { bundledClip, readCalibration } from '../sdk/cli/calibration.ts'

const folder = new URL('../models/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.safetensors'))) {
  const target = new URL(file.replace(/safetensors$/, 'ssm'), folder)
  const checkpoint = readCheckpoint(readFileSync(new URL(file, folder)))
  const calibration = await readCalibration(bundledClip(), checkpoint.graph.input.rate)
  const { bytes } = compileWithin(checkpoint, { format: 'int8', calibration })
  if (existsSync(target) && readFileSync(target).equals(bytes)) continue
  writeFileSync(target, bytes)
  console.log(`models/${file.replace(/safetensors$/, 'ssm')} ${bytes.length} bytes`)
}
