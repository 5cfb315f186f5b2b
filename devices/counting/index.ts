// `npm run instructions`: counts again, says what has grown, and writes devices/instructions.json. Needs the build, and what
// tests/engines needs.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { MODELS } from '../../sdk/models.ts'
import { findGrowth } from '../instructions.ts'
import { countInstructions } from './count.ts'

new Command('npm run instructions')
  .description('counts instructions under QEMU, and writes devices/instructions.json anew')
  .parse()

const file = new URL('../instructions.json', import.meta.url)
const counted = countInstructions(Object.keys(MODELS))
if (existsSync(file)) for (const line of findGrowth(JSON.parse(readFileSync(file, 'utf8')), counted)) console.log(line)
writeFileSync(file, `${JSON.stringify(counted, null, 2)}\n`)
console.table(counted.counts)
