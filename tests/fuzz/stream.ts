// Snapshots, recordings and sensor packets with one thing or more wrong, their check sums right again, so that they are read
// to where the damage is. In: random numbers. Out: bytes for Denoiser.restore, replay and SensorReceiver; after a refusal
// the stream must be what it was, after an acceptance it must go on with numbers.

import { Denoiser } from '../../sdk/index.ts'
import { decodeRecording, encodeRecording } from '../../sdk/recording.ts'
import { replay } from '../../sdk/replay.ts'
import { encodePacket } from '../../sdk/sensor/packet.ts'
import { SensorReceiver } from '../../sdk/sensor/receiver.ts'
import { promise, type Target } from './campaign.ts'
import { below, damage, disturb, happens, joined } from './mutation.ts'
import { spoil } from './seal.ts'

const chunk = Float32Array.from({ length: 200 }, (_, i) => 0.3 * Math.sin(i * i))
let denoiser: Denoiser
let before: Uint8Array
let recording: Uint8Array

async function prepare(): Promise<void> {
  denoiser = await Denoiser.create({ model: 'lite', sampleRate: 8000 })
  for (let i = 0; i < 20; i++) denoiser.process(chunk)
  before = denoiser.snapshot()
  const recorder = await Denoiser.create({ model: 'lite', sampleRate: 8000, recordSeconds: 1 })
  recorder.process(chunk)
  recorder.strengthDb = -20
  recorder.conceal(30)
  recorder.process(chunk)
  recording = recorder.recording()
}

export const snapshot: Target = {
  name: 'snapshot',
  codes: ['STATE_INVALID'],
  prepare,
  draw: (random) => spoil(random, before),
  parse(bytes) {
    try {
      denoiser.restore(bytes)
    } catch (error) {
      promise(Buffer.compare(denoiser.snapshot(), before) === 0, 'a refused snapshot changes nothing')
      throw error
    }
    const out = [denoiser.process(chunk), denoiser.flush()]
    promise(
      out.every((samples) => samples.every((x) => !Number.isNaN(x))),
      'numbers come out',
    )
    denoiser.restore(before)
  },
}

export const replayed: Target = {
  name: 'recording',
  codes: ['STATE_INVALID', 'OPTION_INVALID'],
  prepare,
  draw(random) {
    if (happens(random, 0.5)) return spoil(random, recording)
    const parts = decodeRecording(recording)
    const stretches = parts.stretches.map((stretch) => ({
      ...stretch,
      calls: stretch.calls.map((call) => ({
        ...call,
        value: happens(random, 0.5)
          ? Math.min(20_000, disturb(random, 30)) * (happens(random, 0.5) ? -1 : 1)
          : call.value,
      })),
    }))
    return encodeRecording({ ...parts, stretches: happens(random, 0.2) ? [...stretches, ...stretches] : stretches })
  },
  parse(bytes) {
    try {
      replay(bytes, denoiser)
    } finally {
      denoiser.restore(before)
    }
  },
}

let nano: Denoiser

export const packet: Target = {
  name: 'packet',
  codes: ['PACKET_INVALID'],
  async prepare() {
    nano = await Denoiser.create({ model: 'nano' })
  },
  draw(random) {
    const samples = Float32Array.from({ length: 64 }, () => 2 * random() - 1)
    const packets = Array.from({ length: 1 + below(random, 6) }, (_, i) =>
      encodePacket(samples, disturb(random, i) & 65535),
    )
    const bytes = joined(...packets)
    return happens(random, 0.5) ? damage(random, bytes) : bytes
  },
  parse(bytes, random) {
    nano.reset()
    const receiver = new SensorReceiver(nano, { waitPackets: below(random, 4) })
    for (let at = 0; at < bytes.length; at += 36) {
      const out = receiver.take(bytes.subarray(at, at + 36))
      promise(out.every(Number.isFinite), 'numbers come out')
    }
    receiver.flush()
  },
}
