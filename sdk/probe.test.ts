// A device chooses by itself: profiles from costs given, costs measured with a clock of our own, remembered, overridden.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeHost } from './host.node.ts'
import type { Host } from './host.ts'
import { Denoiser, probe } from './index.ts'
import { MODELS, type ModelName } from './models.ts'
import { probeHost } from './probe.ts'
import { chooseProfile, type ModelCost } from './profile.ts'

const home = mkdtempSync(join(tmpdir(), 'probe-'))
process.env.XDG_CACHE_HOME = home
const test = suite('probe')
test.after(() => rmSync(home, { recursive: true }))

const FACTS: Record<string, Omit<ModelCost, 'busyMs'>> = {
  hq: { model: 'hq', hopMs: 16, latencyMs: 48, memoryBytes: 360_000 },
  base: { model: 'base', hopMs: 8, latencyMs: 16, memoryBytes: 195_000 },
  lite: { model: 'lite', hopMs: 8, latencyMs: 16, memoryBytes: 94_000 },
}
const costsOf = (busyMs: Record<string, number>) =>
  Object.entries(busyMs).map(([model, ms]) => ({ ...FACTS[model], busyMs: ms }))

test('the best model within the limits, whatever the order', () => {
  const costs = costsOf({ lite: 0.5, hq: 1, base: 1 })
  const chosen = (limits = {}) => chooseProfile(costs, limits).model
  assert.is(chosen(), 'base')
  assert.is(chosen({ maxLatencyMs: 48 }), 'hq')
  assert.is(chosen({ maxLoad: 0.1 }), 'lite')
  assert.is(chosen({ maxMemoryBytes: 100_000 }), 'lite')
  const profile = chooseProfile(costs)
  assert.is(profile.load, 1 / 8)
  assert.is(profile.needsGovernor, false)
  assert.equal(profile.reasons, [
    'hq: no, 48 ms late, at most 40 allowed',
    'base: fits, 1.000 ms for each hop of 8 ms (13 % of a core), 16 ms late',
    'lite: fits, 0.500 ms for each hop of 8 ms (6.3 % of a core), 16 ms late',
    'base: the best that fits',
  ])
})

test('tight: a governor; nothing fits: the lightest with one', () => {
  const tight = chooseProfile(costsOf({ base: 3, lite: 1 }))
  assert.is(tight.model, 'base')
  assert.is(tight.needsGovernor, true)
  assert.is(tight.reasons.at(-1), 'base with a governor: the best that fits, and over 25 % of a core')
  const none = chooseProfile(costsOf({ base: 30, lite: 9 }))
  assert.is(none.model, 'lite')
  assert.is(none.needsGovernor, true)
  assert.ok(none.load > 1)
  assert.match(none.reasons.at(-1)!, /nothing fits/)
})

test('limits and profiles that are none: documented errors', async () => {
  assert.throws(() => chooseProfile([]), /^OPTION_INVALID: costs of models/)
  assert.throws(
    () => chooseProfile(costsOf({ lite: 1 }), { maxLoad: 1.5 }),
    /^OPTION_INVALID: maxLoad, 1.5; use up to 1/,
  )
  const refused: [unknown, RegExp][] = [
    ['quick', /^OPTION_INVALID: profile, "quick"; use 'auto'/],
    [{ model: 'huge', needsGovernor: false }, /^OPTION_INVALID: profile/],
    [{ budgetMs: 1 }, /^OPTION_INVALID: budgetMs, 1; use 20\.\.5000/],
    [{ maxLatencyMs: 0 }, /^OPTION_INVALID: maxLatencyMs, 0/],
  ]
  for (const [profile, message] of refused) {
    try {
      await Denoiser.create({ profile: profile as never })
      assert.unreachable(String(message))
    } catch (error) {
      assert.match((error as Error).message, message)
    }
  }
})

/** Every look at the clock takes so long: a hop then costs so much, on any machine. */
function hostOf(tickMs: number): Host & { readonly read: ModelName[] } {
  let time = 0
  const read: ModelName[] = []
  return {
    loadCore: () => nodeHost.loadCore(),
    readModel: (source, progress) => {
      read.push(source as ModelName)
      return nodeHost.readModel(source, progress)
    },
    readWasm: (source) => nodeHost.readWasm(source),
    now: () => (time += tickMs),
    read,
  }
}

test('a fast device is given base, a slow one lite, and does not even load the others', async () => {
  const fast = hostOf(0.05)
  assert.is((await probeHost(fast)).model, 'base')
  assert.equal(fast.read, ['lite', 'base'])
  const slow = hostOf(6)
  const profile = await probeHost(slow)
  assert.is(profile.model, 'lite')
  assert.is(profile.needsGovernor, true)
  assert.equal(slow.read, ['lite'])
  assert.equal(profile.reasons, [
    'hq: not looked at, 48 ms late, at most 40 allowed',
    'base: not looked at, costs more than lite',
    'lite: no, 75 % of a core, at most 50 % allowed',
    'lite with a governor: nothing fits, and it costs least',
  ])
  const patient = hostOf(0.05)
  assert.is((await probeHost(patient, { maxLatencyMs: 100 })).model, 'hq')
})

test('the latencies that are known beforehand are those of the files', async () => {
  for (const [model, { latencyMs }] of Object.entries(MODELS)) {
    using denoiser = await Denoiser.create({ model })
    assert.is(denoiser.latencyMs, latencyMs, model)
  }
})

test('a clock that stands still: the default model, and it is said', async () => {
  const profile = await probeHost(hostOf(0))
  assert.is(profile.model, 'base')
  assert.ok(Number.isNaN(profile.load))
  assert.ok(profile.reasons.includes('base: not timed, the clock of this host stands still'))
})

test('costs are measured once and remembered, here and between processes', async () => {
  let text: string | undefined
  let looks = 0
  const memory = {
    read: async () => text,
    write: async (written: string) => {
      text = written
    },
  }
  const counting = (): Host => {
    const host = hostOf(0.1)
    const now = () => {
      looks++
      return host.now()
    }
    return { ...host, memory, now }
  }
  const first = await probeHost(counting())
  assert.ok(looks > 100)
  looks = 0
  assert.equal(await probeHost(counting()), first)
  assert.is(looks, 0)
  assert.is.not((await probeHost(counting(), { maxLoad: 0.001 })).model, first.model)
  assert.is(looks, 0)
  await probeHost(counting(), { fresh: true })
  assert.ok(looks > 100)
  for (const damaged of ['{', '{"at":1,"times":[]}', JSON.stringify({ at: Date.now(), times: [['a', -1]] })]) {
    text = damaged
    looks = 0
    await probeHost(counting())
    assert.ok(looks > 100, damaged)
  }
})

test("this machine: profile 'auto' is what probe says, kept in the cache folder; what stands beside it wins", async () => {
  const profile = await probe()
  assert.ok(profile.load > 0)
  using denoiser = await Denoiser.create({ profile: 'auto' })
  assert.equal(denoiser.profile, profile)
  assert.is(denoiser.model.card.name, profile.model)
  const [file] = readdirSync(join(home, 'attenuate-edge'))
  const { times } = JSON.parse(readFileSync(join(home, 'attenuate-edge', file), 'utf8'))
  assert.ok(times.length >= 1)
  using own = await Denoiser.create({ profile: 'auto', model: 'hq' })
  assert.is(own.profile, undefined)
  assert.is(own.latencyMs, 48)
  using governed = await Denoiser.create({ profile: { model: 'lite', needsGovernor: true, load: 0.6, reasons: [] } })
  assert.is.not(governed.stats().governor, undefined)
  using ungoverned = await Denoiser.create({
    profile: { model: 'lite', needsGovernor: true, load: 0.6, reasons: [] },
    recordSeconds: 2,
  })
  assert.is(ungoverned.stats().governor, undefined)
})

test('a cache folder that cannot be written to is no hindrance', async () => {
  const file = join(home, 'file')
  writeFileSync(file, '')
  process.env.XDG_CACHE_HOME = file
  assert.ok((await probe({ fresh: true, budgetMs: 20 })).load > 0)
  process.env.XDG_CACHE_HOME = home
})

test.run()
