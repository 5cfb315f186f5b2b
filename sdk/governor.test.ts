// The governor on numbers alone, then inside a denoiser on simulated devices: slow, very slow, stalling, recovering; the
// ladder's rungs are aligned and change without a click.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawSamples } from '../tests/golden/signal.ts'
import { uncaughtDuring } from './fixture.ts'
import { Governor } from './governor.ts'
import { Denoiser, type DenoiserOptions, type LadderOptions } from './index.ts'

const HOP = 128
const HOP_MS = 8
const SETTINGS = { rungs: 3, queueHops: 12, holdHops: 250 }
const WEIGHTS = [1, 0.25, 0]

function observe(governor: Governor, hops: number, load: number, behind = 0): number {
  for (let i = 0; i < hops; i++) {
    governor.prepare(behind)
    governor.observe(1, load, behind)
  }
  return governor.rung
}

test('a device that is fast enough stays where it is, warm-up included', () => {
  const governor = new Governor(SETTINGS, WEIGHTS)
  assert.is(observe(governor, 20, 5), 0) // compiling
  assert.is(observe(governor, 5000, 0.7), 0)
  assert.is(governor.switches, 0)
})

test('a rung that costs too much is left within a tenth of a second or two', () => {
  const governor = new Governor(SETTINGS, WEIGHTS)
  observe(governor, 100, 0.3)
  let hops = 0
  while (governor.rung === 0) observe(governor, 1, 1.3 + 0 * hops++)
  assert.ok(hops < 25, `${hops} hops`)
  // the lighter one fits: it stays, and the dear one is tried ever less often
  const climbs: number[] = []
  for (let hop = 0; hop < 100_000; hop++) {
    const before = governor.rung
    observe(governor, 1, governor.rung === 0 ? 1.3 : 0.325)
    if (governor.rung < before) climbs.push(hop)
    assert.ok(governor.rung < 2)
  }
  assert.ok(climbs.length > 1 && climbs.length < 12, `${climbs.length} climbs in 800 s`)
  const gaps = climbs.slice(1).map((hop, i) => hop - climbs[i])
  assert.ok(gaps[1] > 1.5 * gaps[0], 'the second pause is longer than the first')
})

test('one long hop is no reason', () => {
  const governor = new Governor(SETTINGS, WEIGHTS)
  for (let second = 0; second < 20; second++) {
    observe(governor, 124, 0.2)
    observe(governor, 1, 4, 3)
  }
  assert.is(governor.switches, 0)
  assert.is(governor.lateHops, 20)
})

test('a full queue goes to the last rung at once, and back when it is empty', () => {
  const governor = new Governor(SETTINGS, WEIGHTS)
  observe(governor, 1000, 0.2)
  assert.is(governor.prepare(13), 2)
  governor.observe(1, 0, 13)
  assert.is(governor.droppedHops, 1)
  assert.is(observe(governor, 9, 0.01), 2)
  assert.is(observe(governor, 1, 0.01), 0)
})

test('stalls again and again are overload: the way back becomes long', () => {
  const governor = new Governor(SETTINGS, WEIGHTS)
  observe(governor, 1000, 0.2)
  let best = 0
  for (let stall = 0; stall < 50; stall++) {
    observe(governor, 2, 0.2, 20)
    observe(governor, 60, 0.2)
    if (governor.rung === 0) best++
  }
  assert.ok(best < 5, `${best} times at the top`)
})

test('without a clock the backlog alone decides', () => {
  const governor = new Governor(SETTINGS, WEIGHTS)
  assert.is(observe(governor, 500, Number.NaN, 0), 0)
  assert.is(observe(governor, 1, Number.NaN, 7), 1)
  assert.is(observe(governor, 1, Number.NaN, 7), 2)
  assert.is(observe(governor, 249, Number.NaN, 0), 2)
  assert.is(observe(governor, 1, Number.NaN, 0), 1)
  assert.is(observe(governor, 250, Number.NaN, 0), 0)
})

test('between strained and calm nothing happens', () => {
  const governor = new Governor(SETTINGS, WEIGHTS)
  observe(governor, 1, Number.NaN, 7)
  assert.is(observe(governor, 10_000, Number.NaN, 4), 1)
})

/** A device on which a hop of each rung costs so many milliseconds, fed in real time. */
class Device {
  now = 0
  readonly denoiser: Denoiser
  readonly behindMs: number[] = []
  readonly rungs: number[] = []
  readonly #source: (hop: number) => Float32Array
  readonly out: number[] = []
  #hop = 0

  private constructor(denoiser: Denoiser, source: (hop: number) => Float32Array) {
    this.denoiser = denoiser
    this.#source = source
  }

  static async create(source: (hop: number) => Float32Array, governor: LadderOptions, options: DenoiserOptions = {}) {
    let device: Device | undefined
    const denoiser = await Denoiser.create({
      model: 'base',
      governor,
      now: () => device?.now ?? 0,
      // time passes inside the call, where the hop is made
      onVoice: () => {
        device!.now += device!.costs[denoiser.stats().governor!.rung]
      },
      ...options,
    })
    device = new Device(denoiser, source)
    return device
  }

  costs: readonly number[] = [1, 0.5, 0.05]

  /** `stallMs`: before this chunk the device is away. */
  play(hops: number, costs: readonly number[], stallMs = 0): void {
    this.costs = costs
    this.now += stallMs
    for (let end = this.#hop + hops; this.#hop < end; this.#hop++) {
      const arrival = (this.#hop + 1) * HOP_MS
      this.now = Math.max(this.now, arrival)
      this.behindMs.push(this.now - arrival)
      this.out.push(...this.denoiser.process(this.#source(this.#hop)))
      this.rungs.push(this.denoiser.stats().governor!.rung)
    }
  }
}

const FAST = [2, 0.5, 0.02]
const SLOW = [12, 3, 0.1]
const TOO_SLOW = [40, 10, 0.3]

function tone(hop: number): Float32Array {
  return Float32Array.from({ length: HOP }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 50 * (hop * HOP + i)) / 16000))
}

test('simulated device: down the ladder and up again, queue bounded, nothing lost', async () => {
  const told: string[] = []
  const device = await Device.create(tone, { queueMs: 100, onRung: (name) => told.push(name) })
  device.play(250, FAST)
  assert.is(device.rungs.at(-1), 0)
  device.play(500, SLOW)
  assert.is(device.rungs.at(-1), 1, 'the lighter model')
  device.play(500, TOO_SLOW)
  assert.is(device.rungs.at(-1), 2, 'the input')
  device.play(3000, FAST)
  assert.is(device.rungs.at(-1), 0, 'back at the top')
  assert.ok(Math.max(...device.behindMs) < 250, `${Math.max(...device.behindMs)} ms behind`)
  const calm = device.behindMs.slice(-500)
  assert.ok(Math.max(...calm) < 1, 'and in time at the end')
  const { switches, lateHops, droppedHops } = device.denoiser.stats().governor!
  assert.ok(switches >= 4 && switches < 20, `${switches} switches`)
  assert.ok(lateHops > 0)
  assert.ok(droppedHops >= 0)
  assert.ok(told.includes('lite') && told.includes('dry') && told.at(-1) === 'base', told.join())
  device.out.push(...device.denoiser.flush())
  assert.is(device.out.length, 4250 * HOP)
  device.denoiser.dispose()
})

test('a listener to rungs that throws takes nothing from the stream, and is heard of', async () => {
  let told = 0
  const onRung = (name: string) => {
    told++
    throw new Error(name)
  }
  const messages = await uncaughtDuring(async () => {
    const device = await Device.create(tone, { queueMs: 100, onRung })
    device.play(100, FAST)
    device.play(100, SLOW)
    device.out.push(...device.denoiser.flush())
    assert.is(device.out.length, 200 * HOP)
    device.denoiser.dispose()
  })
  assert.ok(told > 0)
  assert.is(messages.length, told)
})

test('simulated device: a change of rung is no click', async () => {
  const device = await Device.create(tone, { queueMs: 40, holdMs: 100 })
  for (let round = 0; round < 10; round++) {
    device.play(80, FAST)
    device.play(80, round % 2 ? SLOW : TOO_SLOW)
    device.play(20, FAST, round % 3 === 0 ? 200 : 0)
  }
  assert.ok(device.denoiser.stats().governor!.switches > 10)
  // of the networks by themselves, then of the whole: fades bend by what they fade over, divided by their length
  const input = Float32Array.from({ length: 200 * HOP }, (_, i) => tone(Math.floor(i / HOP))[i % HOP])
  const own: number[] = []
  const results: Float32Array[] = [input]
  for (const model of ['base', 'lite']) {
    using plain = await Denoiser.create({ model })
    results.push(Float32Array.of(...plain.process(input), ...plain.flush()))
  }
  for (const result of results) own.push(roughness(result))
  const between = Math.max(...input.map((value, i) => Math.max(...results.map((other) => Math.abs(value - other[i])))))
  const allowed = 2 * Math.max(...own) + (3 * 2 * between) / HOP
  assert.ok(
    roughness(Float32Array.from(device.out)) < allowed,
    `${roughness(Float32Array.from(device.out))}, ${allowed}`,
  )
  assert.ok(allowed < 0.1, 'the test would hear a click')
  device.denoiser.dispose()
})

/** Largest second difference. */
function roughness(samples: Float32Array): number {
  let most = 0
  for (let i = 2; i < samples.length; i++)
    most = Math.max(most, Math.abs(samples[i] - 2 * samples[i - 1] + samples[i - 2]))
  return most
}

test('all rungs have the latency of the first: an impulse through each', async () => {
  for (const model of ['base', 'hq'] as const) {
    const click = new Float32Array(40 * 256)
    click.set(drawSamples(500, 9000, 0.5), 5000)
    using plain = await Denoiser.create({ model })
    const expected = plain.model.latencySamples
    for (const rung of [1, 2]) {
      const costs = [30, 30, 30]
      costs[rung] = 0
      let now = 0
      const denoiser: Denoiser = await Denoiser.create({
        model,
        governor: { holdMs: 60000, queueMs: 2000, ladder: rung === 1 ? ['lite'] : [] },
        now: () => now,
        onVoice: () => {
          now += costs[denoiser.stats().governor!.rung + (rung === 2 && denoiser.stats().governor!.rung > 0 ? 1 : 0)]
        },
      })
      const { inputHop } = denoiser.model
      for (let hop = 0; hop < 100; hop++) denoiser.process(new Float32Array(inputHop))
      assert.is(denoiser.stats().governor!.rung, 1)
      assert.is(denoiser.latencySamples, expected)
      const out = denoiser.process(click)
      if (rung === 2) {
        const lag = expected - inputHop
        assert.equal(out.subarray(lag + 4000, lag + 6000), click.subarray(4000, 6000), `${model} dry`)
      } else {
        using lite = await Denoiser.create({ model: 'lite' })
        for (let hop = 0; hop < 100; hop++) lite.process(new Float32Array(inputHop))
        const alone = lite.process(click)
        const shift = expected - inputHop - (lite.model.latencySamples - lite.model.inputHop)
        // what they know of the noise differs, when they say it does not
        const likeness = (offset: number) => {
          let sum = 0
          for (let i = 4000; i < 6000; i++) sum += out[i + shift + offset] * alone[i]
          return sum
        }
        const offsets = Array.from({ length: 401 }, (_, i) => i - 200)
        const best = offsets.reduce((a, b) => (likeness(b) > likeness(a) ? b : a))
        // a rung misplaced would be off by a lite hop, 128 samples
        assert.ok(Math.abs(best) <= 4, `${model}: off by ${best} samples`)
      }
      denoiser.dispose()
    }
  }
})

test('a really busy core: the input, delayed, in time, while others take it; the model again when it is free', async () => {
  const rungs: string[] = []
  let isBusy = false
  using denoiser = await Denoiser.create({
    model: 'base',
    governor: { queueMs: 40, holdMs: 50, onRung: (name) => rungs.push(name) },
    // within the call, where a core that others hold takes its time too
    onVoice: () => (isBusy ? burn(3 * BUSY_HOP_MS) : 0),
  })
  const hop = denoiser.model.inputHop
  const samples = drawSamples(400 * hop, 7, 0.2)
  const source = { startedMs: performance.now(), hops: 0 }
  const out: number[] = []
  /** As a microphone: a hop is there when its time has come. */
  const next = async () => {
    const dueMs = source.startedMs + (source.hops + 1) * BUSY_HOP_MS
    while (performance.now() < dueMs) await new Promise((resolve) => setTimeout(resolve, 1))
    const at = source.hops++ % 400
    out.push(...denoiser.process(samples.subarray(at * hop, (at + 1) * hop)))
  }
  for (let i = 0; i < 60; i++) await next()
  isBusy = true
  for (let i = 0; i < 40; i++) await next()
  const { governor } = denoiser.stats()
  assert.is(governor!.rungs[governor!.rung], 'dry', 'the way out of overload')
  assert.ok(governor!.lateHops > 0 && governor!.droppedHops > 0)
  const dryFrom = out.length - 20 * hop
  const lag = denoiser.model.lagSamples
  for (let i = dryFrom; i < dryFrom + 10 * hop; i++)
    assert.is(out[i], samples[i], `${i}: the input, ${lag} samples late`)
  isBusy = false
  // the backlog, then calm: back to the model, however long the machine's other work takes
  const until = performance.now() + 30_000
  while (denoiser.stats().governor!.rung > 0 && performance.now() < until) await next()
  assert.is(denoiser.stats().governor!.rung, 0, `${rungs}`)
  assert.ok(rungs.includes('dry'))
  const given = source.hops * hop
  assert.is(out.length + denoiser.flush().length, given, 'nothing is lost')
})

const BUSY_HOP_MS = 8

/** Holds this core for real. */
function burn(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until) Math.sqrt(until)
}

test('by arrival: no clock is asked, the backlog counts', async () => {
  const denoiser = await Denoiser.create({
    model: 'base',
    governor: { by: 'arrival', queueMs: 100, holdMs: 400 },
    now: () => 0,
  })
  const give = (hops: number, arrivedPerHop: number) => {
    for (let hop = 0; hop < hops; hop++) {
      denoiser.arrived(arrivedPerHop * HOP)
      denoiser.process(tone(hop))
    }
    return denoiser.stats().governor!
  }
  assert.is(give(100, 1).rung, 0)
  const overrun = give(20, 2) // two arrive for each that is taken
  assert.is(overrun.rung, 2)
  assert.ok(overrun.lateHops > 10)
  assert.ok(overrun.droppedHops > 0)
  assert.is(give(20, 0).behindMs, 0) // caught up
  assert.is(give(300, 1).rung, 0)
  assert.ok(Number.isNaN(denoiser.stats().governor!.load))
  for (const samples of [Number.NaN, Number.POSITIVE_INFINITY, -1])
    assert.throws(() => denoiser.arrived(samples), /^OPTION_INVALID: samples that arrived/)
  assert.is(give(20, 2).rung, 2)
  denoiser.dispose()
})

for (const by of ['clock', 'arrival'] as const)
  test(`by ${by}: a snapshot taken up, or input that was lost, is no delay and hides none`, async () => {
    let now = 0
    using denoiser = await Denoiser.create({
      model: 'base',
      sampleRate: 48000,
      governor: { by, queueMs: 100, holdMs: 400 },
      now: () => now,
    })
    const hop = 3 * HOP // 8 ms
    const chunk = new Float32Array(hop)
    const live = (hops: number) => {
      for (let i = 0; i < hops; i++) {
        now += 8
        denoiser.arrived(hop)
        denoiser.process(chunk)
      }
      return denoiser.stats().governor!
    }
    live(50)
    const early = denoiser.snapshot()
    live(200)
    denoiser.restore(early)
    assert.is(live(50).behindMs, 0, 'an earlier moment')
    now += 40 * 8
    denoiser.advance(40)
    assert.is(live(50).behindMs, 0, 'lost, and nobody waits')
    now += 20 * 8
    denoiser.conceal(20 * hop)
    assert.is(live(50).behindMs, 0, 'lost, and concealed')
    const { lateHops } = live(1)
    now += 25 * 8
    denoiser.arrived(25 * hop)
    assert.ok(live(1).behindMs > 150 && live(1).lateHops > lateHops, 'a backlog')
    denoiser.reset()
    assert.is(live(50).behindMs, 0, 'a new stream')
  })

test('an offline stream is never governed, however slow its clock says it is behind nobody', async () => {
  const denoiser = await Denoiser.create({ model: 'base', governor: {} })
  for (let i = 0; i < 20; i++) denoiser.process(drawSamples(16000, i, 0.1))
  const { rung, lateHops } = denoiser.stats().governor!
  assert.is(rung, 0)
  assert.is(lateHops, 0)
  denoiser.dispose()
})

test('with a governor the top rung is the plain model to the bit; snapshots carry the ladder', async () => {
  const samples = drawSamples(10_000, 7, 0.2)
  using plain = await Denoiser.create({ model: 'base' })
  const expected = Float32Array.of(...plain.process(samples), ...plain.flush())
  using governed = await Denoiser.create({ model: 'base', governor: { by: 'arrival' } })
  assert.equal(Float32Array.of(...governed.process(samples), ...governed.flush()), expected)
  governed.process(samples.subarray(0, 3333))
  const snapshot = governed.snapshot()
  using other = governed.sibling()
  other.restore(snapshot)
  assert.equal(other.process(samples), governed.process(samples))
  assert.throws(() => plain.restore(snapshot), /STATE_INVALID: snapshot of another stream: rungs of the ladder/)
})

test('memory of all rungs comes back', async () => {
  using keeper = await Denoiser.create({ model: 'nano' })
  const { memoryBytes } = keeper.stats()
  const governed = await Denoiser.create({ model: 'base', governor: {} })
  const sibling = governed.sibling({ channels: 2 })
  governed.dispose()
  sibling.dispose()
  assert.is(keeper.stats().memoryBytes, memoryBytes)
})

test('options that cannot be: documented errors', async () => {
  const refused: [DenoiserOptions, RegExp][] = [
    [{ governor: { queueMs: 1 } }, /^OPTION_INVALID: governor.queueMs, 1; use 20..2000/],
    [{ governor: { holdMs: 1e9 } }, /^OPTION_INVALID: governor.holdMs/],
    [{ governor: { by: 'luck' as never } }, /^OPTION_INVALID: governor.by, luck/],
    [{ model: 'lite', governor: { ladder: ['hq'] } }, /^OPTION_INVALID: model of the ladder: hop, 256/],
    [{ model: 'nano', governor: {} }, /^OPTION_INVALID: governor with unequal rates/],
  ]
  for (const [options, message] of refused)
    await Denoiser.create(options).then(
      () => assert.unreachable(`${message}`),
      (error) => assert.match(error.message, message),
    )
})

test.run()
