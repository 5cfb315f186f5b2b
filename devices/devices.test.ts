// Every device's file is listed, holds what its schema says, and no number without a basis; expectations follow from the counts.

import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeDevices } from '../sdk/cli/devices.ts'
import { MODELS, type ModelName } from '../sdk/models.ts'
import { DEVICES, expectHopMs } from './index.ts'
import instructions from './instructions.json' with { type: 'json' }

const folder = new URL('.', import.meta.url)
const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
const schema = read('device.schema.json')

function checkQuantities(value: unknown, path: string): void {
  if (typeof value === 'number') assert.unreachable(`${path}: ${value} without a basis`)
  if (typeof value !== 'object' || value === null) return
  const { value: number, basis } = value as { value?: unknown; basis?: Record<string, string> }
  if (basis === undefined) {
    for (const [key, inner] of Object.entries(value)) checkQuantities(inner, `${path}.${key}`)
    return
  }
  assert.type(number, 'number', path)
  assert.ok(['published', 'measured', 'scaled'].includes(basis.kind), path)
  if (basis.kind === 'published') assert.match(basis.source, /^https:\/\//, path)
  else assert.ok(basis.method.length > 20, path)
}

test('the files are the index, each with the properties of the schema and no bare number', () => {
  const others = ['device.schema.json', 'instructions.json']
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && !others.includes(file))
  assert.equal(files.sort(), DEVICES.map(({ id }) => `${id}.json`).sort())
  for (const file of files) {
    const device = read(file)
    for (const key of Object.keys(device)) assert.ok(key in schema.properties, `${file}: ${key}`)
    for (const key of schema.required) assert.ok(key in device, `${file}: ${key}`)
    assert.ok(schema.properties.host.enum.includes(device.host), file)
    checkQuantities(device, file)
  }
})

test('an expected hop is slots over clock and half of the width', () => {
  const pi = DEVICES.find(({ id }) => id === 'raspberry-pi-zero-2-w')!
  const row = instructions.counts.find((r) => r.model === 'base' && r.host === 'node' && r.architecture === 'arm64')!
  const cycles = row.instructionsPerHop + row.wideInstructionsPerHop
  assert.is(expectHopMs(pi, 'base')?.value, cycles / 1e6)
  assert.is(expectHopMs(DEVICES.find(({ id }) => id === 'cloudflare-worker')!, 'base'), undefined)
})

test('attenuate devices: text and JSON; memory adds up', async () => {
  const table = await describeDevices({})
  for (const { title } of DEVICES) assert.ok(table.includes(title), title)
  assert.is(JSON.parse(await describeDevices({ json: true })).length, DEVICES.length)
  const { roomsKiB, models } = JSON.parse(await describeDevices({ fits: true, json: true }))
  for (const { name, fileBytes, scratchBytes, stateBytes, codeBytes, firstBytes, streams } of models) {
    assert.ok((name as ModelName) in MODELS)
    assert.is(fileBytes + scratchBytes + stateBytes + codeBytes, firstBytes)
    for (const [i, count] of streams.entries()) {
      const room = 1024 * roomsKiB[i]
      assert.ok(count === 0 ? firstBytes > room : firstBytes + (count - 1) * stateBytes <= room)
      assert.ok(firstBytes + count * stateBytes > room)
    }
  }
  assert.match(await describeDevices({ fits: true }), /lite .* 256|256 KiB/)
})

test('a profile is one that runs: half of a core at most, nothing governed by C; or the table says that nothing fits', async () => {
  const lines = (await describeDevices({})).split('\n')
  for (const { title, host, hopMs, profile } of JSON.parse(await describeDevices({ json: true }))) {
    const line = lines.find((candidate) => candidate.startsWith(title))!
    if (profile === undefined) assert.match(line, / -$/)
    else if (profile.model === null) {
      assert.match(line, / nothing fits$/)
      assert.is(profile.reasons.at(-1), 'nothing fits')
      assert.ok(hopMs.lite.value / 8 > (host === 'c' ? 0.25 : 0.5), title)
    } else {
      assert.ok(line.endsWith(` ${profile.model}${profile.needsGovernor ? ', governed' : ''}`), line)
      assert.ok(profile.load <= (host === 'c' ? 0.25 : 0.5), title)
      assert.not(host === 'c' && profile.needsGovernor, title)
    }
  }
  for (const name of ['Cortex-M7', 'Cortex-M55'])
    assert.match(lines.find((line) => line.startsWith(name))!, /nothing fits$/)
})

test.run()
