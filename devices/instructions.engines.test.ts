// No hop costs more instructions than instructions.json says, by more than 3 %: counted again, on x64, ARM64 and ARMv7, in Node and in
// the C host. Who means to spend more runs `npm run instructions` and commits the table.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MODELS } from '../sdk/models.ts'
import { countInstructions } from './counting/count.ts'
import { findGrowth, type InstructionTable } from './instructions.ts'

const committed: InstructionTable = JSON.parse(readFileSync(new URL('instructions.json', import.meta.url), 'utf8'))

test('growth is what the counts show, beyond 3 %', () => {
  const scaled = (factor: number): InstructionTable => ({
    ...committed,
    counts: committed.counts.map((row) => ({ ...row, instructionsPerHop: row.instructionsPerHop * factor })),
  })
  assert.equal(findGrowth(committed, committed), [])
  assert.equal(findGrowth(committed, scaled(1.029)), [])
  assert.equal(findGrowth(committed, scaled(0.5)), [])
  assert.is(findGrowth(committed, scaled(1.031)).length, committed.counts.length)
  assert.match(
    findGrowth(committed, scaled(1.031))[0],
    /^base, node, x64: [\d,]+ -> [\d,.]+ instructions per hop, \+3\.1 %$/,
  )
  assert.match(findGrowth({ ...committed, counts: [] }, committed)[0], /not in the table$/)
})

test('counted again', () => {
  const counted = countInstructions(Object.keys(MODELS))
  for (const { model, host, architecture, instructionsPerHop } of counted.counts)
    console.log(`${model}, ${host}, ${architecture}: ${instructionsPerHop.toLocaleString('en-US')} per hop`)
  const growth = findGrowth(committed, counted)
  assert.equal(growth, [], `run \`npm run instructions\` if it is meant to be so: ${growth.join('; ')}`)
})

test.run()
