// The shipped models, compiled. In: models/*.safetensors. Out: models/*.ssm beside them, where missing or different.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { compile } from '../quantize/compile.ts'

const folder = new URL('../models/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.safetensors'))) {
  const target = new URL(file.replace(/safetensors$/, 'ssm'), folder)
  const bytes = compile(readFileSync(new URL(file, folder)))
  if (existsSync(target) && readFileSync(target).equals(bytes)) continue
  writeFileSync(target, bytes)
  console.log(`models/${file.replace(/safetensors$/, 'ssm')} ${bytes.length} bytes`)
}
