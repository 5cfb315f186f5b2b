// Receivers of a 4 kHz / 4-bit sensor: every clip goes through the sensor's decimator and codec, then to 16 kHz by sinc
// interpolation alone, by sinc interpolation and a 16 kHz denoiser, or by nano. Aligned with the clip.
import { Denoiser, SensorEncoder, SensorReceiver } from '../../../sdk/index.ts'
import { BLOCK_SAMPLES, SENSOR_RATE } from '../../../sdk/sensor/codec.ts'
import { LOW_PASS } from '../../../sdk/sensor/decimator.ts'
import { decodePacket } from '../../../sdk/sensor/packet.ts'
import { resample } from '../resample.ts'
import { SAMPLE_RATE } from '../sources.ts'
import { requireOurs } from './ours.ts'
import type { System } from './system.ts'

/** Of the sensor's decimator, in samples at 16 kHz. */
const DELAY = (LOW_PASS.length - 1) / 2

const packetsOf = (x: Float32Array): Uint8Array[] => {
  const encoder = new SensorEncoder({ sampleRate: SAMPLE_RATE })
  const padded = new Float32Array(x.length + DELAY)
  padded.set(x)
  return [...encoder.push(padded), ...encoder.flush()]
}

const interpolate = (x: Float32Array): Float32Array => {
  const packets = packetsOf(x)
  const slow = new Float32Array(packets.length * BLOCK_SAMPLES)
  for (const [i, packet] of packets.entries())
    decodePacket(packet, slow.subarray(i * BLOCK_SAMPLES, (i + 1) * BLOCK_SAMPLES))
  return resample(slow, SENSOR_RATE, SAMPLE_RATE).slice(DELAY, DELAY + x.length)
}

const receive = async (x: Float32Array, model: string): Promise<Float32Array> => {
  using denoiser = await Denoiser.create({ model })
  const receiver = new SensorReceiver(denoiser)
  const parts = packetsOf(x).map((packet) => receiver.take(packet).slice())
  const y = Float32Array.from([...parts, receiver.flush()].flatMap((part) => [...part]))
  return y.slice(DELAY, DELAY + x.length)
}

export const sensorSystems = async (): Promise<System[]> => {
  const lite = await requireOurs('lite')
  return [
    { name: 'sinc', enhance: async (x) => interpolate(x) },
    { name: 'sinc, then ours lite', enhance: (x) => lite.enhance(interpolate(x)) },
    { name: 'ours nano', enhance: (x) => receive(x, 'nano') },
  ]
}
