// A gateway for a small board: microphone or file in; denoised here to a loudspeaker or file, or sent to the Worker as 4-bit packets.
//   npx tsx examples/node-iot/main.ts --output speaker
//   npx tsx examples/node-iot/main.ts --url wss://HOST/stream/NAME
// SIGTERM and SIGINT drain: what has been recorded arrives before the process ends. The last line on standard output is a
// report (JSON); exit code 1 if anything was lost.

import { Denoiser } from 'attenuate-edge'
import { Command, Option } from 'commander'
import { keepInput, parseBuffer, parseNumber, parsePackets, parseSeconds } from '../cloudflare-worker/client/options.ts'
import { openSink, type Sink } from './sink.ts'
import { openFile, openMicrophone, type Source } from './source.ts'
import { Uplink } from './uplink.ts'
import { Watchdog } from './watchdog.ts'

interface Options {
  readonly input?: string
  readonly recorder: string
  readonly device: string
  readonly rate: number
  readonly speed: number
  readonly output?: string
  readonly model: string
  readonly url?: string
  readonly token?: string
  readonly hear?: string
  readonly packets: number
  readonly buffer: number
  readonly logSeconds: number
  readonly watchdogSeconds: number
  readonly drainSeconds: number
}

/** What becomes of the samples. */
interface Way {
  /** `mayWait`: asked while it waits for room. */
  take(samples: Float32Array, mayWait: () => boolean): Promise<void>
  /** One line of figures. */
  describe(): string
  /** Everything out; false if something did not arrive. */
  drain(): Promise<{ readonly isWhole: boolean; readonly report: object }>
  /** Rejects when there is no sense in going on. */
  readonly refused?: Promise<never>
}

const EDGE_RATE = 16000

const program = new Command('gateway')
  .description('microphone or file -> clean speech here, or 4-bit packets to the Worker')
  .option('--input <file.wav>', 'a mono WAV file instead of the microphone')
  .addOption(new Option('--recorder <program>', 'takes the arguments of arecord').default('arecord').conflicts('input'))
  .option('--device <name>', 'of ALSA, for recording and playing', 'default')
  .addOption(
    new Option('--rate <Hz>', 'of the microphone').argParser(parseNumber).default(EDGE_RATE).conflicts('input'),
  )
  .option('--speed <times>', 'of a file, times real time; 0: as fast as it is taken', parseNumber, 1)
  .option('--output <target>', 'denoise here: speaker, or a WAV file')
  .addOption(new Option('--model <name>', 'auto: what this board can carry').default('auto').conflicts('url'))
  .option('--url <url>', 'send there: ws://HOST/stream/NAME')
  .option('--token <token>', 'bearer token of the Worker')
  .addOption(new Option('--hear <target>', 'with --url: what comes back, to speaker or a WAV file').conflicts('output'))
  .option('--packets <count>', 'of 16 ms in a message, 1..64', parsePackets, 8)
  .option('--buffer <messages>', 'kept through an outage', parseBuffer, 4096)
  .option('--log-seconds <seconds>', 'between lines on standard error', parseSeconds, 60)
  .option('--watchdog-seconds <seconds>', 'without a sample, then exit code 1', parseSeconds, 10)
  .option('--drain-seconds <seconds>', 'to wait at the end until everything has arrived', parseSeconds, 30)

const options = program.parse().opts<Options>()
if ((options.output === undefined) === (options.url === undefined))
  program.error('give either --output (denoise here) or --url (send)')
try {
  process.exitCode = await run(options)
} catch (error) {
  note((error as Error).message)
  process.exit(1)
}

async function run(options: Options): Promise<number> {
  const { input, speed, rate, device, recorder, output, hear, logSeconds, watchdogSeconds } = options
  const target = output ?? hear
  if (input !== undefined && target !== undefined) await keepInput(input, target)
  const source = input === undefined ? openMicrophone(rate, device, recorder) : await openFile(input, speed)
  const way = options.url === undefined ? await playHere(options, source) : await sendAway(options, options.url, source)
  let samples = 0
  const log = setInterval(
    () => note(`${(samples / source.sampleRate).toFixed(0)} s heard, ${way.describe()}`),
    1000 * logSeconds,
  )
  let starved = false
  let isStopped = false
  const watchdog = new Watchdog(1000 * watchdogSeconds, () => {
    starved = true
    note(`no sample for ${watchdogSeconds} s`)
    source.stop()
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      isStopped = true
      source.stop()
    })
  const listen = async () => {
    for await (const piece of source.pieces) {
      watchdog.rest()
      samples += piece.length
      await way.take(piece, () => !source.isLive && !isStopped)
      watchdog.feed()
    }
  }
  await Promise.race([listen(), ...(way.refused === undefined ? [] : [way.refused])])
  watchdog.stop()
  clearInterval(log)
  const fault = source.fault()
  if (fault !== undefined) note(fault)
  const { isWhole, report } = await way.drain()
  note(`ended after ${(samples / source.sampleRate).toFixed(1)} s, ${way.describe()}`)
  process.stdout.write(`${JSON.stringify({ samples, isWhole, starved, ...report })}\n`)
  return isWhole && !starved && fault === undefined ? 0 : 1
}

async function playHere({ output, model, device }: Options, { sampleRate }: Source): Promise<Way> {
  const choice = model === 'auto' ? { profile: 'auto' as const } : { model }
  const denoiser = await Denoiser.create({ ...choice, sampleRate })
  for (const reason of denoiser.profile?.reasons ?? []) note(reason)
  const sink = await openSink(output!, sampleRate, device)
  return {
    async take(samples) {
      await sink.write(denoiser.process(samples))
    },
    describe() {
      const { inputDb, outputDb, speed, governor } = denoiser.stats()
      const load = `${(100 / speed).toFixed(1)} % of a core`
      const late = governor === undefined ? '' : `, ${governor.lateHops} hops late`
      return `${inputDb.toFixed(1)} dBFS in, ${outputDb.toFixed(1)} out, ${load}${late}`
    },
    async drain() {
      await sink.write(denoiser.flush())
      await sink.close()
      const { samplesOut } = denoiser.stats()
      return { isWhole: true, report: { samplesOut, model: denoiser.model.card.name } }
    },
  }
}

async function sendAway(options: Options, url: string, { sampleRate }: Source): Promise<Way> {
  if (sampleRate !== EDGE_RATE) throw new Error(`${sampleRate} Hz cannot be sent; give ${EDGE_RATE} Hz`)
  const { token, hear, device, packets, buffer, drainSeconds } = options
  const sink: Sink | undefined = hear === undefined ? undefined : await openSink(hear, EDGE_RATE, device)
  let written = Promise.resolve()
  const uplink = new Uplink({
    url,
    token,
    packetsPerMessage: packets,
    bufferMessages: buffer,
    onBreak: (reason) => note(`connection broken: ${reason}`),
    onAudio:
      sink &&
      ((samples) => {
        written = written.then(() => sink.write(samples))
        written.catch(() => undefined) // no reason to send no more: told at the end
      }),
  })
  return {
    refused: uplink.refused,
    async take(samples, mayWait) {
      uplink.push(samples)
      await uplink.ready(mayWait)
    },
    describe() {
      const { packets, breaks, replayed, lostMessages, unconfirmed } = uplink.report()
      return `${packets} packets, ${breaks} breaks, ${replayed} messages sent again, ${unconfirmed} unconfirmed, ${lostMessages} lost`
    },
    async drain() {
      const isStored = await uplink.drain(1000 * drainSeconds)
      const isHeard = await written
        .then(() => sink?.close())
        .then(
          () => true,
          (error) => {
            note(error.message)
            return false
          },
        )
      const report = uplink.report()
      return { isWhole: isStored && isHeard && report.lostMessages === 0, report }
    },
  }
}

function note(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`)
}
